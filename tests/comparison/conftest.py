"""Runs that take seconds, and a comparison that two tests only read."""

import pytest

from eventune.comparison import execution
from eventune.comparison.arms import parse_arms
from eventune.comparison.comparing import Options, run_comparison


@pytest.fixture(scope="session")
def base(tiny_recipe):
    """Settings that all arms share, with a test part."""
    return {**tiny_recipe, "num_train_epochs": 1, "test_file": tiny_recipe["dev_file"]}


@pytest.fixture(scope="session")
def finished(base, forking, tmp_path_factory):
    """A finished comparison: its folder and its result. One arm's runs fail."""
    folder = tmp_path_factory.mktemp("comparison")
    arms = parse_arms("full,lora:r=2,lora:r=4:lora_target_modules=[querry]")
    with forking(execution):
        result = run_comparison(base, arms, folder, Options(seeds=(0, 1), workers=2), title="three arms")
    return folder, result
