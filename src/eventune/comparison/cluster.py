"""Makes the runs of a comparison on a Ray cluster, and shares them through any file system that fsspec knows."""

from __future__ import annotations

from collections.abc import Sequence

import fsspec

from eventune.comparison.execution import Listener, make_run
from eventune.comparison.plan import Run
from eventune.inference.ray_cluster import connected
from eventune.storage.atomic import atomic_file

_RESULT = "run/result.json"


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
        EventuneError: If Ray is missing or the cluster cannot be reached.
    """
    with connected(address) as ray:
        work = ray.remote(num_cpus=cores, max_retries=3)(make_shared_run)
        pending = {work.remote(run, shared, cores): run for run in runs}
        while pending:
            done, _ = ray.wait(list(pending), num_returns=1)
            run = pending.pop(done[0])
            outcome = ray.get(done[0])
            if shared:
                download(run, shared)
            if listener is not None:
                listener(run, outcome)


def make_shared_run(run: Run, shared: str, threads: int) -> str:
    """Make one run, unless the shared place has it, and share it.

    Args:
        run: The run.
        shared: fsspec URL, or an empty string.
        threads: Threads of its process.

    Returns:
        What became of it.
    """
    if shared and download(run, shared):
        return "there already"
    outcome = make_run(run, threads=threads, wait=True)
    if shared and run.result() is not None:
        upload(run, shared)
    return outcome


def upload(run: Run, shared: str) -> None:
    """Copy a finished run to the shared place, its result last: with it the run is complete."""
    system, root = fsspec.url_to_fs(_place(run, shared))
    files = [path for path in run.folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    for path in sorted(files, key=lambda path: path.name == "result.json"):
        target = f"{root}/{path.relative_to(run.folder).as_posix()}"
        system.makedirs(target.rpartition("/")[0], exist_ok=True)
        system.put_file(str(path), target)


def download(run: Run, shared: str) -> bool:
    """Copy a run from the shared place, if it is complete there.

    Returns:
        Whether it was.
    """
    system, root = fsspec.url_to_fs(_place(run, shared))
    if not system.exists(f"{root}/{_RESULT}"):
        return False
    names = [str(name) for name in system.find(root)]
    for name in sorted(names, key=lambda name: name.endswith(_RESULT)):
        target = run.folder / name[name.index(root) + len(root) :].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as staging:
            system.get_file(name, str(staging))
    return True


def _place(run: Run, shared: str) -> str:
    return f"{shared.rstrip('/')}/{run.place}"
