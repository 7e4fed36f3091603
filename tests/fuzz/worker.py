"""Runs a range of inputs in a process of its own and prints a line of JSON for each: what a signal kills is known."""

import gc
import importlib
import json
import os
import random
import sys
import time
from pathlib import Path

from .harness import run_input
from .jobs import jobs


def job_of(number, drawn, seed):
    """Return the job of an input, always the same."""
    draw = random.Random(f"{seed}-{number}")
    return draw.choices(drawn, [job.weight for job in drawn])[0]


def _load_libraries():
    """Load what takes long, so that no input has to wait for it."""
    for name in ("chat.models", "comparison.comparing", "runs.merging", "runs.training", "sft.tuning"):
        importlib.import_module(f"eventune.{name}")
    # Else each training looks through all that they made.
    gc.collect()
    gc.freeze()


def main():
    """Run the inputs `FIRST … LAST - 1` of a seed on templates."""
    templates, seed, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    _load_libraries()
    out = os.fdopen(os.dup(1), "w")
    drawn = jobs(templates)
    for number in range(first, last):
        job = job_of(number, drawn, seed)
        out.write(json.dumps({"number": number, "command": job.command, "words": job.words, "begun": True}) + "\n")
        out.flush()
        began = time.process_time()
        what, found = run_input(job, templates, f"{seed}-{number}-input")
        line = {"number": number, "command": job.command, "words": job.words, "kind": found.kind}
        line |= {"place": found.place, "what": what}
        line["seconds"] = round(time.process_time() - began, 3)
        if found.place:
            line["detail"] = found.detail[-4000:]
        out.write(json.dumps(line) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
