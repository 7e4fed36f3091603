import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from eventune.comparison import execution
from eventune.comparison.arms import parse_arms
from eventune.comparison.comparing import Options, run_comparison
from eventune.comparison.execution import make_run, make_runs
from eventune.comparison.plan import plan_runs
from eventune.errors import EventuneError
from eventune.storage.locks import locked

COMPARE = """
import json, sys
from pathlib import Path
from eventune.comparison.arms import parse_arms
from eventune.comparison.comparing import Options, run_comparison
base, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
run_comparison(base, parse_arms("lora:r=2,bitfit"), folder, Options(seeds=(0,), workers=2), title="killed")
"""


def results(folder):
    return sorted(folder.rglob("run/result.json"))


def test_every_arm_and_seed_becomes_a_run_and_a_failed_one_a_row_with_its_error(finished):
    folder, result = finished

    assert len(results(folder)) == 4
    by_name = {arm["name"]: arm for arm in result["arms"]}
    assert [arm["finished"] for arm in by_name.values()] == [2, 2, 0]
    failed = by_name["lora:r=4:lora_target_modules=[querry]"]["runs"]
    assert all("'querry' matches none of the base's" in run["error"] for run in failed)


def test_a_finished_comparison_makes_nothing_again(finished, base, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "copy")
    before = {path: path.stat().st_mtime_ns for path in results(folder)}
    heard = []

    arms = parse_arms("full,lora:r=2")
    options = Options(seeds=(0, 1))
    run_comparison(base, arms, folder, options, title="again", listener=lambda run, outcome: heard.append(outcome))

    assert heard == ["there already"] * 4
    assert {path: path.stat().st_mtime_ns for path in results(folder)} == before


def test_all_arms_see_the_same_documents_in_the_same_steps(finished):
    _, result = finished
    runs = [run for arm in result["arms"] for run in arm["runs"] if "figures" in run]

    for field in ("train_file", "dev_file", "num_train_epochs", "per_device_train_batch_size", "split_seed"):
        assert len({str(run["recipe"][field]) for run in runs}) == 1
    assert {len(run["history"]) for run in runs} == {1}


def test_a_folder_of_other_runs_is_refused(finished, base):
    folder, _ = finished

    with pytest.raises(EventuneError, match=r"made with num_train_epochs = 1, now it would be 2"):
        plan_runs({**base, "num_train_epochs": 2}, parse_arms("full"), [0], folder)


def test_a_run_that_another_process_makes_is_left_to_it(base, forking, tmp_path):
    (run,) = plan_runs(base, parse_arms("lora:r=2"), [0], tmp_path)
    run.folder.mkdir(parents=True)

    with locked(run.folder):
        assert make_run(run) == "made elsewhere"
    assert run.result() is None
    with forking(execution):
        assert make_run(run) == "done"


@pytest.mark.parametrize("victim", ["comparison", pytest.param("worker", marks=pytest.mark.slow)])
def test_a_killed_comparison_goes_on_and_makes_nothing_twice(victim, base, forking, tmp_path):
    slow = {**base, "num_train_epochs": 6}
    process = subprocess.Popen([sys.executable, "-c", COMPARE, json.dumps(slow), str(tmp_path)])
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.rglob("checkpoint-*")):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        pid = process.pid if victim == "comparison" else children_of(process.pid)[0]
        os.kill(pid, signal.SIGKILL)
        if victim == "comparison":
            process.wait()
        else:
            process.wait(timeout=200)
    finally:
        process.kill()
    before = {path: path.stat().st_mtime_ns for path in results(tmp_path)}

    heard = {}
    arms = parse_arms("lora:r=2,bitfit")
    options = Options(workers=2)
    with forking(execution):
        result = run_comparison(
            slow,
            arms,
            tmp_path,
            options,
            title="",
            listener=lambda run, outcome: heard.setdefault(run.arm.name, outcome),
        )

    assert [arm["finished"] for arm in result["arms"]] == [1, 1]
    assert len(results(tmp_path)) == 2
    assert all(path.stat().st_mtime_ns == before[path] for path in before)
    for arm in result["arms"]:
        # A run that was killed went on from its checkpoint: each epoch is there once.
        assert [round(epoch["epoch"]) for epoch in arm["runs"][0]["history"]] == list(range(1, 7))


def children_of(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    return [int(word) for word in found.stdout.split()]


def test_a_folder_that_was_removed_on_the_way_is_one_clear_error(base, tmp_path, monkeypatch):
    class Removing:
        """Stands in for a run's process, while which somebody removes the comparison's folder."""

        def __init__(self, *_, **__):
            shutil.rmtree(tmp_path / "out")

        def wait(self):
            return 2

    (run,) = plan_runs(base, parse_arms("lora"), [0], tmp_path / "out")
    monkeypatch.setattr("eventune.comparison.execution.subprocess.Popen", Removing)
    with pytest.raises(EventuneError, match=r"cannot be written: .*\nits folder is not there"):
        make_run(run)


def test_workers_share_the_cores(plain, tmp_path, monkeypatch):
    threads = []

    def train(run, count, lock):
        threads.append(count)
        return "done"

    monkeypatch.setattr("eventune.comparison.execution._train", train)

    # macOS has no affinity.
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    monkeypatch.setattr("eventune.doctor.machine.CGROUP", tmp_path)

    make_runs(plan_runs(plain, parse_arms("full,lora,bitfit"), [0], tmp_path), workers=2)

    assert threads == [3] * 3


def test_an_earlier_attempt_s_error_is_not_told_again(plain, tmp_path, monkeypatch):
    outputs = iter([("error: no such base\ngive another", 2), ("loading", -9)])

    class Process:
        """Stands in for a run's process: one that tells an error, then one that the system kills."""

        def __init__(self, *_, stdout, **__):
            text, self.code = next(outputs)
            stdout.write(f"{text}\n".encode())

        def wait(self):
            return self.code

    (run,) = plan_runs(plain, parse_arms("lora"), [0], tmp_path)
    monkeypatch.setattr("eventune.comparison.execution.subprocess.Popen", Process)
    assert make_run(run) == "failed"
    assert run.error() == "no such base\ngive another"
    assert make_run(run) == "failed"
    assert run.error() == "the process ended with code -9"
    assert (run.folder / "log.txt").read_text(encoding="utf-8").endswith("give another\nloading\n")


def test_a_folder_that_cannot_be_made_is_one_clear_error(plain, tmp_path):
    (run,) = plan_runs(plain, parse_arms("lora"), [0], tmp_path)
    (tmp_path / "runs").touch()
    with pytest.raises(EventuneError, match="cannot be made"):
        make_run(run)
