"""Inputs as strangers send them, over every command: a result, findings, or one error; no traceback, signal or hang."""

import os

import pytest

from .harness import BAD, run_input, run_words, workspace
from .jobs import jobs
from .many import run_many
from .worker import job_of

QUICK_INPUTS = int(os.environ.get("EVENTUNE_FUZZ_QUICK_INPUTS", "50"))
INPUTS = int(os.environ.get("EVENTUNE_FUZZ_INPUTS", "10000"))
SEED = int(os.environ.get("EVENTUNE_FUZZ_SEED", "0"))


def test_what_is_not_changed_is_done(templates):
    """Else the inputs would say nothing: each would be refused for something else."""
    for job in jobs(templates):
        if job.command in {"extract", "chat", "inspect", "resume"}:
            with workspace(job, templates):
                found = run_words(job.words)
            assert found.kind == "ok", f"{' '.join(job.words)}: {found.place} {found.detail}"


def test_every_input_ends_in_a_result_or_an_error(templates):
    drawn, faults, kinds = jobs(templates), [], set()
    for number in range(QUICK_INPUTS):
        job = job_of(number, drawn, SEED)
        what, found = run_input(job, templates, f"{SEED}-{number}-input")
        kinds.add(found.kind)
        if found.kind in BAD:
            faults.append(f"{number}: {' '.join(job.words)}: {what}: {found.kind} {found.place}\n{found.detail}")

    assert faults == []
    assert kinds == {"ok", "findings", "refused"} - ({"findings"} - kinds)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_thousands_of_inputs(all_templates, capsys):
    tally = run_many(all_templates, INPUTS, seed=SEED)

    with capsys.disabled():
        print(f"\n{tally.table()}\n{INPUTS:,} inputs in {tally.seconds:.0f} s")  # noqa: T201
    told = [f"{fault['number']}: {fault['words']}: {fault['kind']} {fault['place']}" for fault in tally.faults]
    assert not told, "\n".join(told)
