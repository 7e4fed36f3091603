"""What is left of commands that are killed: `kill -9` at random moments, each then gone on with.

    python benchmarks/kills.py --kills 100

Each command runs once undisturbed; its time is what the moments are drawn from. Each kill has a folder of its own, in
which the command is given again (`train` with `--resume_from_checkpoint true`); all files are then compared byte for
byte with those of the undisturbed one, but for what was measured: time and memory. The processes are forked from one
that has imported all libraries, so that no kill is spent on imports; a comparison's runs are processes of their own.
Every second kill hits one process alone, so that a comparison's run goes on, and every other one all of its group.
Exits with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tiny_commands import Command, Forked, contents, prepare

MEMORY = Path("/dev/shm")
"""A kill loses nothing that the system was given, so that the files need not lie on a disk, where all takes longer."""


def main() -> int:
    """Kill, go on, compare, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="kills over all commands")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    is_equal = True
    print("| command | undisturbed, s | kills | hit a live process | equal results | leftovers |")
    print("| --- | --: | --: | --: | --: | --: |", flush=True)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for key, command in prepare(Path(folder)).items():
            kills = round(arguments.kills * command.share / 100)
            is_equal &= disturb(command, Path(folder) / f"{key}-killed", kills, generator)
    return 0 if is_equal else 1


def disturb(command: Command, folder: Path, kills: int, generator: random.Random) -> bool:
    """Kill a command at moments of its running time, and tell whether it ended the same each time."""
    whole = folder / "whole"
    whole.mkdir(parents=True)
    started = time.monotonic()
    code = Forked(list(command.words), whole, folder / "whole.log").wait()
    seconds = time.monotonic() - started
    if code:
        raise SystemExit((folder / "whole.log").read_text(encoding="utf-8"))
    expected = contents(whole)
    counts: Counter[str] = Counter()
    for number in range(kills):
        place, log = folder / str(number), folder / f"{number}.log"
        place.mkdir()
        moment = generator.uniform(0, seconds)
        counts["live"] += kill(command, place, log, moment, with_children=number % 2 == 1)
        Forked(list(command.again), place, log).wait()
        found = contents(place)
        different = sorted(name for name, content in expected.items() if found.get(name) != content)
        leftovers = sorted(found.keys() - expected.keys())
        counts["equal"] += not different
        counts["leftovers"] += bool(leftovers)
        if different or leftovers:
            print(f"{command.name}, killed after {moment:.2f} s: {different} differ, {leftovers} left", file=sys.stderr)
            print(log.read_text(encoding="utf-8"), file=sys.stderr)
    columns = (command.name, f"{seconds:.1f}", kills, counts["live"], counts["equal"], counts["leftovers"])
    print(f"| {' | '.join(map(str, columns))} |", flush=True)
    return counts["equal"] == kills


def kill(command: Command, place: Path, log: Path, moment: float, *, with_children: bool) -> bool:
    """Start a command and kill it after some seconds; tell whether it was still there."""
    process = Forked(list(command.words), place, log)
    time.sleep(moment)
    is_live = process.poll() is None
    if is_live:
        # The group is the child's own as soon as it has begun.
        has_group = with_children and os.getpgid(process.pid) == process.pid
        (os.killpg if has_group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
    return is_live


if __name__ == "__main__":
    sys.exit(main())
