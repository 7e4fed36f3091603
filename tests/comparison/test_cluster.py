import pytest

from eventune.comparison import execution
from eventune.comparison.arms import parse_arms
from eventune.comparison.cluster import download, make_runs_on_ray, make_shared_run, upload
from eventune.comparison.comparing import Options, run_comparison
from eventune.comparison.execution import make_run
from eventune.comparison.plan import plan_runs
from eventune.errors import EventuneError

ray = pytest.importorskip("ray")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_two_workers_of_a_local_cluster_make_the_runs_and_share_them_through_a_url(base, tmp_path):
    shared = f"file://{tmp_path}/shared"
    runs = plan_runs(base, parse_arms("lora:r=2,bitfit,lora:targets=[querry]"), [0], tmp_path / "first")
    heard = {}

    make_runs_on_ray(
        runs, "local", shared=shared, listener=lambda run, outcome: heard.setdefault(run.arm.name, outcome)
    )

    assert list(heard.values()).count("done") == 2
    assert heard["lora:targets=[querry]"] == "failed"
    assert "'querry' matches none" in runs[2].error()
    # Another machine with an empty folder takes the shared runs over.
    other = plan_runs(base, parse_arms("lora:r=2"), [0], tmp_path / "second")
    assert make_shared_run(other[0], shared, 1) == "there already"
    assert other[0].result().to_dict() == runs[0].result().to_dict()


def test_a_run_is_shared_with_its_result_last_and_only_complete_ones_are_taken(base, forking, tmp_path, monkeypatch):
    (run,) = plan_runs(base, parse_arms("lora:r=2"), [0], tmp_path / "first")
    with forking(execution):
        assert make_run(run) == "done"
    shared = f"file://{tmp_path}/shared"
    sent = []
    from fsspec.implementations.local import LocalFileSystem

    put = LocalFileSystem.put_file
    monkeypatch.setattr(
        LocalFileSystem, "put_file", lambda self, source, *rest: sent.append(source) or put(self, source, *rest)
    )

    upload(run, shared)
    assert sent[-1].endswith("run/result.json")
    (other,) = plan_runs(base, parse_arms("lora:r=2"), [0], tmp_path / "second")
    result = tmp_path / "shared" / run.arm.folder / "seed-0" / "run" / "result.json"
    hidden = result.rename(result.with_name("hidden"))
    assert not download(other, shared)
    assert other.result() is None
    hidden.rename(result)
    assert download(other, shared)
    assert {path.name for path in other.run_directory.iterdir()} == {path.name for path in run.run_directory.iterdir()}


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_one_clear_error(base, tmp_path):
    with pytest.raises(EventuneError, match=r"--ray: no cluster at '127\.0\.0\.1:1'"):
        run_comparison(base, parse_arms("full"), tmp_path, Options(ray="127.0.0.1:1"), title="")
