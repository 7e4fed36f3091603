"""Extraction from many short documents: killed on the way, in bounded memory, in several processes, on a cluster.

    python benchmarks/extract_scale.py --documents 1000000 --compare 20000

First all documents go through `extract --workers 2`, which is killed with SIGKILL when 20, 45 and 70 % are done and
given again each time: every document must be there once, in its order. The memory is that of all its processes
together, the largest that is seen until 10,000 documents are done in a start, and until the end. Then some documents go
through one worker, two, and two of a local Ray cluster: documents a second from the first pool on, start-up left out.
Without `--run` a tiny random encoder is trained for it. Exits with 1 where a document is lacking, doubled or different.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tiny_commands import prepare

KILLED_AT = (0.2, 0.45, 0.7)
EARLY_DOCUMENTS = 10_000
SAMPLE_SECONDS = 0.1
_TEXT = "two three some armed men soldiers rebels near Mosul Orsha on Monday in May the old bridge camp a market"
WORDS = _TEXT.split()


@dataclass
class Watched:
    """An extraction that is looked at while it runs.

    Attributes:
        process: The command.
        target: What it writes.
        early_bytes: The most memory until so many documents were done in this start.
        peak_bytes: The most memory.
        first: When the first pool was done, and how many documents then were.
        done: How many documents are done.
    """

    process: subprocess.Popen[bytes]
    target: Path
    early_bytes: int = 0
    peak_bytes: int = 0
    first: tuple[float, int] | None = None
    done: int = 0
    _before: int | None = field(default=None, repr=False)

    def watch(self, until: int) -> bool:
        """Look until so many documents are done; tell whether it still runs."""
        while self.process.poll() is None:
            used = memory_of(self.process.pid)
            self.done = documents_done(self.target) or self.done
            self._before = self.done if self._before is None else self._before
            self.peak_bytes = max(self.peak_bytes, used)
            if self.done - self._before <= EARLY_DOCUMENTS:
                self.early_bytes = max(self.early_bytes, used)
            if self.first is None and self.done > self._before:
                self.first = time.monotonic(), self.done
            if self.done >= until:
                return True
            time.sleep(SAMPLE_SECONDS)
        return False


def memory_of(pid: int) -> int:
    """Return the resident bytes of a process and all that it started."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def documents_done(target: Path) -> int:
    """Return how many documents an extraction has kept so far, by its journal."""
    for journal in target.parent.glob(f"{target.name}.*.journal"):
        with journal.open("rb") as file:
            file.seek(max(0, journal.stat().st_size - 2000))
            lines = [line for line in file.read().splitlines() if line.startswith(b'{"pool"') and line.endswith(b"}}")]
        if lines:
            return int(json.loads(lines[-1])["counts"]["documents"])
    return 0


def begin(run: str, source: Path, target: Path, *flags: str) -> Watched:
    """Start the command."""
    words = [sys.executable, "-m", "eventune", "extract", run, str(source), "-o", str(target), *flags]
    return Watched(subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True), target)


def write_documents(path: Path, count: int) -> None:
    """Write short documents, each with a marked trigger."""
    draw = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            words = draw.choices(WORDS, k=draw.randint(6, 24))
            words.insert(draw.randrange(1, 6), "[[attacked|attack]]")
            file.write(json.dumps({"id": f"d{number}", "text": f"{' '.join(words)}."}) + "\n")


def disturb(run: str, source: Path, count: int) -> bool:
    """Extract, kill three times, and tell whether all documents are there once."""
    target = source.with_name("killed.jsonl")
    early = peak = 0
    started = time.monotonic()
    for share in (*KILLED_AT, 2.0):
        watched = begin(run, source, target, "--workers", "2")
        is_live = watched.watch(int(share * count))
        early, peak = max(early, watched.early_bytes), max(peak, watched.peak_bytes)
        if is_live:
            os.kill(watched.process.pid, signal.SIGKILL)
            watched.process.wait()
            print(f"killed when {watched.done:,} documents were done", flush=True)
        elif watched.process.returncode:
            raise SystemExit("the extraction failed")
    seconds = time.monotonic() - started
    with target.open(encoding="utf-8") as file:
        right = all(json.loads(line)["id"] == f"d{number}" for number, line in enumerate(file))
    with target.open("rb") as file:
        found = sum(1 for _ in file)
    print(f"{found:,} of {count:,} documents are there, each once and in its order: {right and found == count}")
    print(f"{seconds:.0f} s with three kills; memory {early / 1e6:.0f} MB at 10,000, {peak / 1e6:.0f} MB to the end")
    return right and found == count


def compare(run: str, source: Path) -> bool:
    """Print the documents a second of some ways, and tell whether all write the same bytes."""
    hashes, rates = set(), {}
    ways = {
        "--workers 1": ("--workers", "1"),
        "--workers 2": ("--workers", "2"),
        "--ray local --workers 2": ("--ray", "local", "--workers", "2"),
    }
    for number, (name, flags) in enumerate(ways.items()):
        target = source.with_name(f"way-{number}.jsonl")
        watched = begin(run, source, target, *flags)
        watched.watch(sys.maxsize)
        if watched.process.returncode or watched.first is None:
            raise SystemExit(f"{name}: failed, or took too short a time to be measured")
        with target.open("rb") as file:
            hashes.add(hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)
            count = sum(1 for _ in file)
        rates[name] = (count - watched.first[1]) / (time.monotonic() - watched.first[0])
        print(f"{name}: {rates[name]:.0f} documents/s", flush=True)
    one, two, ray = rates.values()
    print(
        f"two workers over one: {two / one:.2f}; Ray's two over them: {ray / two:.2f}; same bytes: {len(hashes) == 1}"
    )
    return len(hashes) == 1


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--compare", type=int, default=20_000, help="documents of the comparison; 0: none")
    parser.add_argument("--run", default="", help="a run that finds arguments of attacks, in place of a tiny one")
    arguments = parser.parse_args()
    is_fine = True
    with tempfile.TemporaryDirectory() as folder:
        run = arguments.run
        if not run:
            prepare(Path(folder))
            run = f"{folder}/run"
        source = Path(folder) / "documents.jsonl"
        write_documents(source, arguments.documents)
        is_fine &= disturb(run, source, arguments.documents)
        if arguments.compare:
            write_documents(source, arguments.compare)
            is_fine &= compare(run, source)
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
