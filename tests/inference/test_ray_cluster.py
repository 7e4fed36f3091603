"""A Ray cluster: which one, and what becomes of its processes."""

from types import SimpleNamespace

from eventune.inference import ray_cluster
from eventune.inference.ray_cluster import connected


def test_local_is_a_cluster_of_its_own_and_never_one_that_is_there(monkeypatch):
    asked = []
    monkeypatch.setenv("RAY_ADDRESS", "shared:6379")
    stand_in = SimpleNamespace(init=lambda **options: asked.append(options["address"]), shutdown=lambda: None)
    monkeypatch.setattr(ray_cluster, "require_library", lambda *_: stand_in)
    with connected("local"), connected("auto"):
        pass
    # Ray looks for a cluster where it gets no address.
    assert asked == ["local", "auto"]
