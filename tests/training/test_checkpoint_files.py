"""What a checkpoint's files may say."""

import json

import pytest

from eventune.errors import EventuneError
from eventune.training.checkpoint_files import check_trainer_state

EPOCH = {
    "epoch": 1.0,
    "train_seconds": 1.5,
    "tokens_per_second": 10.0,
    "peak_memory_bytes": 4096,
    "baseline_memory_bytes": 1024,
}


@pytest.fixture
def check(tmp_path):
    def check(**changes):
        state = {"epoch": 1.0, "global_step": 3, "log_history": [{**EPOCH, **changes}], "stateful_callbacks": {}}
        (tmp_path / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
        check_trainer_state(tmp_path, {})

    return check


def test_an_accelerator_that_held_nothing_before_training_is_no_damage(check):
    check()
    check(baseline_memory_bytes=0)
    check(baseline_memory_bytes=0, peak_memory_bytes=0)


@pytest.mark.parametrize("name", ["train_seconds", "tokens_per_second"])
def test_no_time_is_damage(check, name):
    with pytest.raises(EventuneError, match=f"a number > 0 as {name}"):
        check(**{name: 0})


def test_negative_memory_is_damage(check):
    with pytest.raises(EventuneError, match="a number >= 0 as peak_memory_bytes"):
        check(peak_memory_bytes=-1)
