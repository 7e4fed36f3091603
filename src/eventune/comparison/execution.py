"""Makes the runs of a comparison, each in a process of its own, each once.

A run is claimed by a lock on its folder, which the system releases however its owner ends. Whoever comes next goes on
from the run's last checkpoint; a run with a result is never made again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from eventune.comparison.plan import ERROR, LOG, RECIPE, Run
from eventune.doctor.machine import read_processor
from eventune.storage.atomic import write_atomically
from eventune.storage.locks import LockedError, locked
from eventune.storage.paths import make_folder

ELSEWHERE = "made elsewhere"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")

Listener = Callable[[Run, str], None]
"""Hears of each run that it is `done`, `failed`, `there already`, or `made elsewhere`."""


def make_runs(runs: Sequence[Run], *, workers: int = 1, listener: Listener | None = None) -> None:
    """Make what is missing of the runs on this machine.

    Args:
        runs: The runs.
        workers: How many are made at a time; the cores that this process may use are shared out among them.
        listener: Hears what became of each.
    """
    threads = max(1, read_processor().usable_cores // workers)
    elsewhere = _pass_over(runs, workers, threads, listener, wait=False)
    # Another comparison's runs, or those of a process that outlived a killed comparison: their results are awaited.
    _pass_over(elsewhere, workers, threads, listener, wait=True)


def _pass_over(runs: Sequence[Run], workers: int, threads: int, listener: Listener | None, *, wait: bool) -> list[Run]:
    elsewhere = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        pending = {pool.submit(make_run, run, threads=threads, wait=wait): run for run in runs}
        try:
            for future in as_completed(pending):
                run, outcome = pending[future], future.result()
                if outcome == ELSEWHERE:
                    elsewhere.append(run)
                if listener is not None:
                    listener(run, outcome)
        except BaseException:
            pool.shutdown(cancel_futures=True, wait=False)
            raise
    return elsewhere


def make_run(run: Run, *, threads: int = 0, wait: bool = False) -> str:
    """Make one run in a fresh process, unless it is there, or another process is at it.

    Args:
        run: The run.
        threads: Threads of the process; 0 for as many as it takes by itself.
        wait: Whether to wait for another process that is at it.

    Returns:
        What became of it.
    """
    if run.result() is not None:
        return "there already"
    make_folder(run.folder)
    try:
        with locked(run.folder, wait=_be_patient if wait else None) as lock:
            # It may have been finished between the first look and the lock.
            if run.result() is not None:
                return "there already"
            (run.folder / ERROR).unlink(missing_ok=True)
            write_atomically(run.folder / RECIPE, run.recipe.to_yaml())
            return _train(run, threads, lock)
    except LockedError:
        return ELSEWHERE


def _be_patient(_: str) -> None:
    """Wait without a word: that a run is made elsewhere was said when it was passed over."""


def _train(run: Run, threads: int, lock: int | None) -> str:
    command = [
        sys.executable,
        "-m",
        "eventune",
        run.kind.verb,
        str(run.folder / RECIPE),
        "--resume_from_checkpoint",
        "true",
    ]
    environment = {**os.environ, **({name: str(threads) for name in _THREADS} if threads else {})}
    with (run.folder / LOG).open("ab") as log:
        start = log.tell()
        # The lock is the child's as well: should this process be killed, nobody else begins while the child goes on.
        process = subprocess.Popen(
            [*command, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            pass_fds=() if lock is None else (lock,),
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if run.result() is not None:
        return "done"
    run.fail(_last_error(run.folder / LOG, start) or f"the process ended with code {code}")
    return "failed"


def _last_error(log: Path, start: int) -> str:
    """Return the error that a log tells from a byte on: what is before it, earlier attempts wrote."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    if starts:
        return "\n".join(lines[starts[-1] :]).removeprefix("error: ")
    return lines[-1].strip() if lines and "Error" in lines[-1] else ""
