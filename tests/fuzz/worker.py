"""Runs a range of inputs in a process of its own and prints a line of JSON for each: what a signal kills is known."""

import json
import os
import random
import sys
from pathlib import Path

from .harness import run_input
from .jobs import jobs


def job_of(number, drawn, seed):
    """Return the job of an input, always the same."""
    draw = random.Random(f"{seed}-{number}")
    return draw.choices(drawn, [job.weight for job in drawn])[0]


def main():
    """Run the inputs `FIRST … LAST - 1` of a seed on templates."""
    templates, seed, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    out = os.fdopen(os.dup(1), "w")
    drawn = jobs(templates)
    for number in range(first, last):
        job = job_of(number, drawn, seed)
        out.write(json.dumps({"number": number, "command": job.command, "words": job.words, "begun": True}) + "\n")
        out.flush()
        what, found = run_input(job, templates, f"{seed}-{number}-input")
        line = {"number": number, "command": job.command, "kind": found.kind, "place": found.place, "what": what}
        if found.place:
            line["detail"] = found.detail[-4000:]
        out.write(json.dumps(line) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
