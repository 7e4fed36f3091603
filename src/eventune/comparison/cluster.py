"""Makes the runs of a comparison on a Ray cluster, and shares them through any file system that fsspec knows."""

from __future__ import annotations

from collections.abc import Sequence

import fsspec

from eventune.comparison.execution import Listener, make_run
from eventune.comparison.plan import RECIPE, RESULT, Run, require_made_by, require_same
from eventune.inference.ray_cluster import EndedError, connected, explained
from eventune.storage.atomic import atomic_file
from eventune.storage.paths import make_folder

_RESULT = f"run/{RESULT}"
_RECIPES = (RECIPE, f"run/{RECIPE}")


def make_runs_on_ray(
    runs: Sequence[Run], address: str, *, shared: str = "", cores: int = 1, listener: Listener | None = None
) -> None:
    """Make what is missing of the runs on a Ray cluster, each in a process of its own.

    Args:
        runs: The runs.
        address: The cluster's address; `local` starts one on this machine.
        shared: fsspec URL that machines without a common folder share runs through, such as `s3://bucket/comparison`;
            empty where the output folder is common to all.
        cores: Cores of each run.
        listener: Hears what became of each.

    Raises:
        EventuneError: If Ray is missing, the cluster cannot be reached, or a shared run was made with other settings.
    """
    if shared:
        _take_over(runs, shared)
    with connected(address) as ray:
        work = ray.remote(num_cpus=cores, max_retries=3)(_make_and_tell)
        pending = {work.remote(run, shared, cores): run for run in runs}
        while pending:
            done, _ = ray.wait(list(pending), num_returns=1)
            run = pending.pop(done[0])
            try:
                with explained(ray):
                    outcome, error = ray.get(done[0])
            except EndedError as ended:
                outcome, error = "failed", ended.message
            if error:
                make_folder(run.folder)
                run.fail(error)
            if shared:
                _take_over([run], shared)
            if listener is not None:
                listener(run, outcome)


def _take_over(runs: Sequence[Run], shared: str) -> None:
    """Copy those of some runs from the shared place that are complete there and not here."""
    for run in runs:
        if run.result() is None:
            download(run, shared)


def _make_and_tell(run: Run, shared: str, threads: int) -> tuple[str, str]:
    """Make a run and return what became of it and why it failed: its machine's files may be its own."""
    return make_shared_run(run, shared, threads), run.error()


def make_shared_run(run: Run, shared: str, threads: int) -> str:
    """Make one run, unless the shared place has it, and share it.

    Args:
        run: The run.
        shared: fsspec URL, or an empty string.
        threads: Threads of its process.

    Returns:
        What became of it.

    Raises:
        EventuneError: If it is there or in the shared place, made with other settings.
    """
    if shared:
        # The folder may be this machine's alone, so that nobody has looked into it yet.
        require_same(run)
        if download(run, shared):
            return "there already"
    outcome = make_run(run, threads=threads, wait=True)
    if shared and run.result() is not None:
        upload(run, shared)
    return outcome


def upload(run: Run, shared: str) -> None:
    """Copy a finished run to the shared place, its result last: with it the run is complete."""
    system, root = fsspec.url_to_fs(_place(run, shared))
    files = [path for path in run.folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    names = {path.relative_to(run.folder).as_posix(): path for path in files}
    # Of a run in steps, the steps' results are no sign that it is complete.
    for name in sorted(names, key=lambda name: name == _RESULT):
        target = f"{root}/{name}"
        system.makedirs(target.rpartition("/")[0], exist_ok=True)
        system.put_file(str(names[name]), target)


def download(run: Run, shared: str) -> bool:
    """Copy a run from the shared place, if it is complete there.

    Returns:
        Whether it was.

    Raises:
        EventuneError: If it was made with other settings.
    """
    system, root = fsspec.url_to_fs(_place(run, shared))
    if not system.exists(f"{root}/{_RESULT}"):
        return False
    found = (str(file) for file in system.find(root))
    files = {file[file.index(root) + len(root) :].lstrip("/"): file for file in found}
    for name in sorted(files, key=lambda name: (name not in _RECIPES, name == _RESULT)):
        target = run.folder / name
        make_folder(target.parent)
        with atomic_file(target) as staging:
            system.get_file(files[name], str(staging))
            if name in _RECIPES:
                require_made_by(run, staging, _place(run, shared), option="--shared")
    return True


def _place(run: Run, shared: str) -> str:
    return f"{shared.rstrip('/')}/{run.place}"
