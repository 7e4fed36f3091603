import pytest

from eventune.comparison.arms import parse_arms
from eventune.comparison.plan import Run
from eventune.comparison.tuning import tune
from eventune.errors import EventuneError
from eventune.results import RunResult

pytest.importorskip("optuna")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def landscape(monkeypatch):
    """Replaces the trainings by a curve whose top is at 1e-3, and keeps what was tried."""
    tried = {}

    def make(run):
        tried.setdefault(run.folder.name, 0)
        tried[run.folder.name] += 1
        return "done"

    def result(run):
        import math

        rate = run.recipe.optimisation.learning_rate
        if run.folder.name not in tried:
            return None
        f1 = 1 - abs(math.log10(rate) + 3) / 5
        return RunResult({"dev": {"metrics": {"f1": f1}}}, {}, {}, {}, {}, 0)

    monkeypatch.setattr(Run, "result", result)
    return make, tried


def test_the_best_rate_of_a_budget_is_found_and_the_budget_is_kept(landscape, plain, tmp_path):
    make, tried = landscape
    arm = parse_arms("lora:r=2")[0]

    tuned = tune(plain, arm, ("learning_rate",), trials=12, output_dir=tmp_path, make=make)

    assert tuned.trials == 12
    assert len(tried) == 12
    assert 2e-4 < tuned.settings["learning_rate"] < 5e-3
    again = tune(plain, arm, ("learning_rate",), trials=12, output_dir=tmp_path, make=make)
    assert again == tuned
    assert len(tried) == 12


def test_a_trial_that_was_killed_is_tried_again_with_its_values(landscape, plain, tmp_path):
    make, tried = landscape
    arm = parse_arms("lora:r=2")[0]

    def killed(run):
        make(run)
        if len(tried) == 3:
            raise KeyboardInterrupt
        return "done"

    with pytest.raises(KeyboardInterrupt):
        tune(plain, arm, ("learning_rate",), trials=5, output_dir=tmp_path, make=killed)
    third = list(tried)[2]
    tuned = tune(plain, arm, ("learning_rate",), trials=5, output_dir=tmp_path, make=make)

    assert tuned.trials == 5
    assert len(tried) == 5
    assert tried[third] == 2


def test_each_arm_has_trials_of_its_own(landscape, plain, tmp_path):
    make, tried = landscape
    for arm in parse_arms("full,lora:r=2"):
        assert tune(plain, arm, ("learning_rate",), trials=3, output_dir=tmp_path, make=make).trials == 3
    assert sum(tried.values()) == 6


def test_what_was_interrupted_draws_no_values_twice(landscape, plain, tmp_path):
    make, tried = landscape
    arm = parse_arms("lora:r=2")[0]

    def killed(run):
        make(run)
        if len(tried) == 2:
            raise KeyboardInterrupt
        return "done"

    with pytest.raises(KeyboardInterrupt):
        tune(plain, arm, ("learning_rate",), trials=8, output_dir=tmp_path, make=killed)
    tune(plain, arm, ("learning_rate",), trials=8, output_dir=tmp_path, make=make)
    assert len(tried) == 8


def test_trials_of_an_earlier_recipe_are_refused(plain, instant, tmp_path):
    arm = parse_arms("lora")[0]
    tune(plain, arm, ("learning_rate",), trials=2, output_dir=tmp_path)
    assert len(instant) == 2
    with pytest.raises(EventuneError, match=r"tuning.lora.*: made with num_train_epochs = \d+, now it would be 2\n"):
        tune({**plain, "num_train_epochs": 2}, arm, ("learning_rate",), trials=2, output_dir=tmp_path)
    assert len(instant) == 2


def test_what_an_earlier_recipe_s_trials_reached_is_forgotten_with_their_folders(landscape, plain, tmp_path):
    make, tried = landscape
    arm = parse_arms("lora")[0]
    tune(plain, arm, ("learning_rate",), trials=2, output_dir=tmp_path, make=make)
    before = dict(tried)
    tune({**plain, "num_train_epochs": 2}, arm, ("learning_rate",), trials=2, output_dir=tmp_path, make=make)
    assert sum(tried.values()) == 2 * sum(before.values())


def test_what_stops_a_trial_from_being_made_is_no_failed_trial(landscape, plain, tmp_path):
    make, _ = landscape
    arm = parse_arms("lora")[0]

    def full(run):
        raise EventuneError("the disk is full")

    with pytest.raises(EventuneError, match="the disk is full"):
        tune(plain, arm, ("learning_rate",), trials=2, output_dir=tmp_path, make=full)
    tuned = tune(plain, arm, ("learning_rate",), trials=2, output_dir=tmp_path, make=make)
    assert (tuned.trials, tuned.failed) == (2, 0)


def test_a_trial_without_a_finite_score_is_a_failed_one(landscape, plain, tmp_path, monkeypatch):
    make, tried = landscape
    arm, found = parse_arms("lora")[0], Run.result

    def result(run):
        if run.folder.name == next(iter(tried)):
            return RunResult({"dev": {"metrics": {"f1": float("nan")}}})
        return found(run)

    monkeypatch.setattr(Run, "result", result)
    for _ in range(2):
        tuned = tune(plain, arm, ("learning_rate",), trials=3, output_dir=tmp_path, make=make)
        assert (tuned.trials, tuned.failed, sum(tried.values())) == (2, 1, 3)


def test_failed_trials_count_and_all_failed_is_an_error(plain, tmp_path):
    arm = parse_arms("lora:r=2")[0]

    with pytest.raises(EventuneError, match="all 2 trials failed"):
        tune(plain, arm, ("learning_rate",), trials=2, output_dir=tmp_path, make=lambda run: "failed")


def test_what_cannot_be_tuned_is_refused(plain, tmp_path):
    arm = parse_arms("full")[0]
    with pytest.raises(EventuneError, match="tune: expected learning_rate or"):
        tune(plain, arm, ("lora_r",), trials=2, output_dir=tmp_path)
    with pytest.raises(EventuneError, match="arm full: tune: expected a dev part"):
        tune({**plain, "dev_file": ""}, arm, ("learning_rate",), trials=2, output_dir=tmp_path)
