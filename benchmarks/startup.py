"""How long short commands take, most of which is imports: medians of repeats, on a warm disk.

    python benchmarks/startup.py --repeats 7

Prints wall-clock seconds and seconds of CPU (which say more where others use the machine) of each command, and of the
imports alone that open a run; an export of the run `warmup` is made first. With `--modules` it prints which modules
take longest instead, each with those that it imports; names that stand in `UNWANTED` need not be there to open a run,
and make it exit with 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

IMPORTS = (
    "import eventune.adapters.libraries; eventune.adapters.libraries.import_model_libraries(); "
    "import eventune.inference.runs, eventune.tasks.span_extraction, eventune.tasks.trigger_detection"
)
UNWANTED = (
    "datasets",
    "pandas",
    "transformers.trainer",
    "transformers.training_args",
    "sklearn",
    "matplotlib",
    "bitsandbytes",
)
RAW_TEXT = "Gunmen shot three soldiers in Mosul on Monday."
TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."
COMMANDS = {
    "imports that open a run": ("-c", IMPORTS),
    "recipes": ("-m", "eventune", "recipes"),
    "extract --text": ("-m", "eventune", "extract", "warmup", "--ontology_file", "ONTOLOGY", "--text", TEXT),
    "extract --text with an export": ("-m", "eventune", "extract", "EXPORT", "--text", RAW_TEXT),
    "evaluate": ("-m", "eventune", "evaluate", "warmup", "--ontology_file", "ONTOLOGY", "--test_file", "DEV"),
    "inspect --json": ("-m", "eventune", "inspect", "minilm", "--json"),
}
SHOWN_MODULES = 25


def measure(words: tuple[str, ...], places: Mapping[str, str], repeats: int) -> tuple[float, float]:
    """Return the medians of wall-clock and CPU seconds of a command, without the first time, which warms the disk."""
    wall, busy = [], []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        command = [sys.executable, *(places.get(word, word) for word in words)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{' '.join(command)}: failed")
        wall.append(time.perf_counter() - started)
        busy.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(wall[1:]), statistics.median(busy[1:])


def show_modules() -> int:
    """Print what takes longest to import, and tell whether anything unwanted is."""
    command = [sys.executable, "-X", "importtime", "-c", IMPORTS]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines() if line.count("|") == 2]
    times = {name.strip(): int(total) for _, total, name in rows if total.strip().isdigit()}
    for name in sorted(times, key=lambda name: -times[name])[:SHOWN_MODULES]:
        print(f"{times[name] / 1e6:6.2f} s  {name}")
    found = [name for name in UNWANTED if name in times]
    print(f"unwanted: {', '.join(found) or 'none'}")
    return 1 if found else 0


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--modules", action="store_true")
    arguments = parser.parse_args()
    if arguments.modules:
        return show_modules()
    from eventune.corpora.sample import sample_file

    with tempfile.TemporaryDirectory() as made:
        export = Path(made) / "warmup"
        subprocess.run([sys.executable, "-m", "eventune", "export", "warmup", export], check=True, capture_output=True)
        places = {"ONTOLOGY": str(sample_file("ontology")), "DEV": str(sample_file("dev")), "EXPORT": str(export)}
        print("| command | seconds | CPU seconds |\n| --- | --: | --: |")
        for name, words in COMMANDS.items():
            wall, busy = measure(words, places, arguments.repeats)
            print(f"| {name} | {wall:.2f} | {busy:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
