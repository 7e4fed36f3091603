"""A Ray cluster: which one, and what becomes of its processes."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from eventune.errors import EventuneError
from eventune.inference import cluster, ray_cluster
from eventune.inference.cluster import RayData, on_ray
from eventune.inference.pools import Options
from eventune.inference.ray_cluster import connected, gpus_of

ray = pytest.importorskip("ray")


def test_local_is_a_cluster_of_its_own_and_never_one_that_is_there(monkeypatch):
    asked = []
    monkeypatch.setenv("RAY_ADDRESS", "shared:6379")
    stand_in = SimpleNamespace(init=lambda **options: asked.append(options["address"]), shutdown=lambda: None)
    monkeypatch.setattr(ray_cluster, "require_library", lambda *_: stand_in)
    with connected("local"), connected("auto"):
        pass
    # Ray looks for a cluster where it gets no address.
    assert asked == ["local", "auto"]


@pytest.mark.parametrize(
    ("device", "gpus", "expected"), [("auto", 2, 1), ("auto", 0, 0), ("cpu", 2, 0), ("cuda", 2, 1), ("cuda:1", 2, 1)]
)
def test_a_process_whose_model_lies_on_a_gpu_has_one_of_its_own(device, gpus, expected):
    assert gpus_of(SimpleNamespace(cluster_resources=lambda: {"CPU": 8.0, "GPU": float(gpus)}), device) == expected


def test_a_cluster_without_the_gpu_that_is_asked_for_is_refused_and_not_waited_for():
    with pytest.raises(EventuneError, match="device: expected a cluster with a GPU for cuda, found none"):
        gpus_of(SimpleNamespace(cluster_resources=lambda: {"CPU": 8.0}), "cuda")


@pytest.mark.parametrize(("gpus", "workers", "needs"), [(2, 2, {"num_gpus": 1}), (0, 8, {"num_cpus": 1})])
def test_an_extraction_has_a_worker_a_gpu_or_a_core(monkeypatch, gpus, workers, needs):
    stand_in = SimpleNamespace(cluster_resources=lambda: {"CPU": 8.0, "GPU": float(gpus)})
    started = []
    monkeypatch.setattr(cluster, "require_library", lambda *_: None)
    monkeypatch.setattr(cluster, "connected", lambda _: nullcontext(stand_in))
    monkeypatch.setattr(cluster, "RayData", lambda *given: started.append(given))
    with on_ray("local", None, Options(), None):
        pass
    [(_, _, _, found, needed)] = started
    assert (found, needed) == (workers, needs)


class Queue:
    """Stands in for Ray's queue: takes all and gives nothing."""

    def __init__(self, **_):
        self.put = lambda value: None


@pytest.fixture
def on_a_cluster_whose_rows(monkeypatch):
    """Starts an extraction whose rows are these: what is to be had of a row, or raised in its place."""

    def rows(values):
        for value in values:
            if isinstance(value, Exception):
                raise value
            yield {cluster._COLUMN: [SimpleNamespace(as_py=lambda value=value: ray.cloudpickle.dumps(value))]}

    def start(*values):
        monkeypatch.setattr(cluster, "require_library", lambda *_: SimpleNamespace(Queue=Queue))
        monkeypatch.setattr(cluster, "_stream", lambda *_: rows(values))
        return RayData(ray, lambda: None, Options(), 1, {})

    return start


KILLED = ray.exceptions.OutOfMemoryError("Task was killed due to the node running low on memory.\nMemory on the node …")


def test_a_process_of_the_cluster_that_is_killed_is_one_clear_error(on_a_cluster_whose_rows):
    message = r"--ray: .*ended before its work was done: Task was killed due to the node running low on memory\.\n"
    with pytest.raises(EventuneError, match=message):
        on_a_cluster_whose_rows(KILLED)
    crew = on_a_cluster_whose_rows("facts", "result", KILLED)
    results = crew.results(["pool"] * 2)
    assert next(results) == "result"
    with pytest.raises(EventuneError, match=message):
        next(results)


def test_what_goes_wrong_in_a_process_of_the_cluster_is_not_taken_for_its_end(on_a_cluster_whose_rows):
    wrong = ray.exceptions.RayTaskError("extract", "Traceback …", ZeroDivisionError("division by zero"))
    with pytest.raises(ray.exceptions.RayTaskError):
        on_a_cluster_whose_rows(wrong)
