"""Makes the runs of a comparison on a Ray cluster, and shares them through any file system that fsspec knows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import fsspec

from eventune.backbones.arguments import AUTO
from eventune.comparison.execution import Listener, make_run
from eventune.comparison.plan import RECIPE, RESULT, Run, require_made_by, require_same
from eventune.inference.ray_cluster import EndedError, connected, explained, gpus_of
from eventune.storage.atomic import atomic_file
from eventune.storage.paths import make_folder

_RESULT = f"run/{RESULT}"
_RECIPES = (RECIPE, f"run/{RECIPE}")


def make_runs_on_ray(
    runs: Sequence[Run],
    address: str,
    *,
    shared: str = "",
    workers: int | None = None,
    listener: Listener | None = None,
) -> None:
    """Make what is missing of the runs on a Ray cluster, each in a process of its own.

    No two of those that are trained on a GPU have the same one at a time.

    Args:
        runs: The runs.
        address: The cluster's address; `local` starts one on this machine.
        shared: fsspec URL that machines without a common folder share runs through, such as `s3://bucket/comparison`;
            empty where the output folder is common to all.
        workers: How many are made at a time, which share out the cores; by default one a core, or one a GPU.
        listener: Hears what became of each.

    Raises:
        EventuneError: If Ray is missing, the cluster cannot be reached, or a shared run was made with other settings.
        InvalidValueError: If a run is to be trained on a GPU and the cluster has none.
    """
    if shared:
        _take_over(runs, shared)
    with connected(address) as ray:
        gpus = max(gpus_of(ray, run.recipe.to_dict().get("device") or AUTO) for run in runs)
        at_a_time, cores = _shares(ray, len(runs), workers, gpus)
        work = ray.remote(num_cpus=cores, num_gpus=gpus, max_retries=3)(_make_and_tell)
        waiting = deque(runs)
        pending: dict[Any, Run] = {}
        while waiting or pending:
            while waiting and len(pending) < at_a_time:
                run = waiting.popleft()
                pending[work.remote(run, shared, cores)] = run
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


def _shares(ray: Any, runs: int, workers: int | None, gpus: int) -> tuple[int, int]:
    """Return how many of so many runs are made at a time, and the cores of each.

    Those that are there already count as well: a comparison that goes on gives the others the cores that they had.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    machines = [each for each in machines if each.get("CPU", 0) >= 1 and each.get("GPU", 0) >= gpus]
    cores = [int(each["CPU"]) for each in machines] or [1]
    room = int(sum(each["GPU"] for each in machines)) if gpus else sum(cores)
    at_a_time = max(1, min(runs, workers or room))
    return at_a_time, max(1, min(*cores, sum(cores) // at_a_time))


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
