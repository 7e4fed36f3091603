from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from eventune.comparison import cluster, execution
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


def test_the_result_of_a_run_in_steps_is_shared_after_those_of_its_steps(plain, tmp_path, monkeypatch):
    (run,) = plan_runs(plain, parse_arms("lora"), [0], tmp_path / "first")
    for name in ("run", "run/arguments", "run/detection"):
        (run.folder / name).mkdir(parents=True)
        (run.folder / name / "result.json").write_text('{"scores": {}}', encoding="utf-8")
        (run.folder / name / "weights").touch()
    sent = []
    from fsspec.implementations.local import LocalFileSystem

    monkeypatch.setattr(LocalFileSystem, "put_file", lambda self, source, *_: sent.append(source))
    upload(run, f"file://{tmp_path}/shared")
    assert len(sent) == 6
    assert sent[-1] == str(run.folder / "run" / "result.json")


def test_a_shared_run_with_other_settings_is_refused(plain, instant, tmp_path):
    shared = f"file://{tmp_path}/shared"
    (run,) = plan_runs(plain, parse_arms("lora"), [0], tmp_path / "first")
    assert make_shared_run(run, shared, 1) == "done"
    (same,) = plan_runs(plain, parse_arms("lora"), [0], tmp_path / "second")
    assert make_shared_run(same, shared, 1) == "there already"
    (other,) = plan_runs({**plain, "num_train_epochs": 2}, parse_arms("lora"), [0], tmp_path / "third")
    with pytest.raises(EventuneError, match=r"shared/lora/seed-0: made with num_train_epochs = .*would be 2"):
        make_shared_run(other, shared, 1)
    assert other.result() is None
    with pytest.raises(EventuneError, match=r"first.*: made with num_train_epochs"):
        make_shared_run(replace(other, folder=run.folder), f"file://{tmp_path}/empty", 1)


class Elsewhere:
    """Stands in for a Ray cluster: another machine with files of its own makes one run after the other.

    `killed` are the arms whose processes are; `machines` what each of its machines has. It tells what runs `needed`,
    with how many `threads` they were made, and how many were `pending` whenever one was waited for.
    """

    exceptions = ray.exceptions

    def __init__(self, folder, killed=(), machines=({"CPU": 4.0},)):
        self._folder, self._killed, self._machines = folder, killed, machines
        self.needed, self.threads, self.pending = {}, [], []

    def nodes(self):
        return [{"Alive": True, "Resources": each} for each in self._machines] + [{"Alive": False, "Resources": {}}]

    def cluster_resources(self):
        return {name: sum(each.get(name, 0.0) for each in self._machines) for name in ("CPU", "GPU")}

    @contextmanager
    def connected(self, address):
        yield self

    def remote(self, **needed):
        self.needed = needed

        def moved(work):
            def at_once(run, *rest):
                self.threads.append(rest[-1])
                if run.arm.name in self._killed:
                    return object(), ray.exceptions.WorkerCrashedError()
                return object(), work(replace(run, folder=self._folder / run.place), *rest)

            return SimpleNamespace(remote=at_once)

        return moved

    def wait(self, pending, **_):
        self.pending.append(len(pending))
        return pending[:1], pending[1:]

    @staticmethod
    def get(done):
        if isinstance(done[1], Exception):
            raise done[1]
        return done[1]


def test_why_a_run_failed_on_a_machine_without_a_common_folder_is_told(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "connected", Elsewhere(tmp_path / "elsewhere").connected)
    monkeypatch.setattr(execution, "_train", lambda run, *_: run.fail("out of memory") or "failed")
    (run,) = plan_runs(plain, parse_arms("lora"), [0], tmp_path / "here")
    make_runs_on_ray([run], "local", shared=f"file://{tmp_path}/shared")
    assert run.error() == "out of memory"


def test_a_run_whose_process_is_killed_has_failed_and_the_others_are_made(plain, instant, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "connected", Elsewhere(tmp_path / "here/runs", killed=("lora",)).connected)
    runs = plan_runs(plain, parse_arms("full,lora,bitfit"), [0], tmp_path / "here")
    heard = {}
    make_runs_on_ray(runs, "local", listener=lambda run, outcome: heard.setdefault(run.arm.name, outcome))
    assert heard == {"full": "done", "lora": "failed", "bitfit": "done"}
    assert "ended before its work was done: The worker died unexpectedly" in runs[1].error()


@pytest.mark.parametrize(
    ("machines", "device", "workers", "at_a_time", "needed"),
    [
        # The cores are shared out, as on one machine.
        ([{"CPU": 8.0}], "auto", None, 3, {"num_cpus": 2, "num_gpus": 0}),
        ([{"CPU": 8.0}], "auto", 1, 1, {"num_cpus": 8, "num_gpus": 0}),
        ([{"CPU": 8.0}], "auto", 2, 2, {"num_cpus": 4, "num_gpus": 0}),
        ([{"CPU": 2.0}], "auto", None, 2, {"num_cpus": 1, "num_gpus": 0}),
        # A run's cores are those of one machine.
        ([{"CPU": 4.0}, {"CPU": 2.0}, {}], "auto", 2, 2, {"num_cpus": 2, "num_gpus": 0}),
        # No two runs have one GPU.
        ([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 64.0}], "auto", None, 2, {"num_cpus": 4, "num_gpus": 1}),
        ([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 64.0}], "cpu", 1, 1, {"num_cpus": 8, "num_gpus": 0}),
    ],
)
def test_runs_share_out_the_cores_and_the_gpus_of_a_cluster(
    plain, instant, tmp_path, monkeypatch, machines, device, workers, at_a_time, needed
):
    there = Elsewhere(tmp_path / "here/runs", machines=machines)
    monkeypatch.setattr(cluster, "connected", there.connected)
    runs = plan_runs({**plain, "device": device}, parse_arms("full,lora,bitfit"), [0], tmp_path / "here")
    make_runs_on_ray(runs, "auto", workers=workers)
    assert max(there.pending) == at_a_time
    assert {name: there.needed[name] for name in needed} == needed
    assert there.threads == [needed["num_cpus"]] * 3


def test_a_comparison_on_a_cluster_makes_as_many_runs_at_a_time_as_it_is_told(plain, instant, tmp_path, monkeypatch):
    there = Elsewhere(tmp_path / "here/runs")
    monkeypatch.setattr(cluster, "connected", there.connected)
    options = Options(ray="auto", workers=1)
    run_comparison(plain, parse_arms("full,lora"), tmp_path / "here", options, title="")
    assert there.pending == [1, 1]


def test_shared_runs_with_other_settings_are_refused_before_any_run(plain, instant, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "connected", Elsewhere(tmp_path / "elsewhere").connected)
    shared = f"file://{tmp_path}/shared"
    make_runs_on_ray(plan_runs(plain, parse_arms("lora"), [0], tmp_path / "here"), "local", shared=shared)
    runs = plan_runs({**plain, "num_train_epochs": 2}, parse_arms("full,lora"), [0], tmp_path / "there")
    with pytest.raises(EventuneError, match="made with num_train_epochs"):
        make_runs_on_ray(runs, "local", shared=shared)
    assert len(instant) == 1


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_one_clear_error(base, tmp_path):
    with pytest.raises(EventuneError, match=r"--ray: no cluster at '127\.0\.0\.1:1'"):
        run_comparison(base, parse_arms("full"), tmp_path, Options(ray="127.0.0.1:1"), title="")
