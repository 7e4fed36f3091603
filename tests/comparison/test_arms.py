import re
from pathlib import Path

import pytest

from eventune.comparison.arms import parse_arms, read_arms, recipe_of
from eventune.comparison.kinds import PADDED_QUESTIONS
from eventune.errors import EventuneError
from eventune.recipe import read_settings
from eventune.recipes import ARMS, published

ROOT = Path(__file__).parents[2]
BASE = {"train_file": "sample:train", "output_dir": "unused"}


def test_arms_are_presets_with_changes():
    arms = parse_arms("full, lora:r=16,lora:r=8:alpha=8:targets=mlp,padded-questions,ia3:lr=2e-3")

    assert [arm.name for arm in arms] == [
        "full",
        "lora:r=16",
        "lora:r=8:alpha=8:targets=mlp",
        "padded-questions",
        "ia3:lr=2e-3",
    ]
    assert arms[0].settings == {"method": "full"}
    assert arms[1].settings == {"method": "lora", "lora_r": "16", "lora_alpha": 32}
    assert arms[2].settings["lora_alpha"] == "8"
    assert arms[3].settings == PADDED_QUESTIONS
    recipe = recipe_of(BASE, arms[2])
    assert (recipe.adapter.lora_r, recipe.adapter.lora_alpha, recipe.adapter.lora_target_modules) == (8, 8, "mlp")
    assert recipe_of(BASE, arms[4]).optimisation.learning_rate == 2e-3


def test_an_arm_s_rank_is_its_method_s():
    (arm,) = parse_arms("vera:r=64")

    assert arm.settings == {"method": "vera", "vera_r": "64"}
    assert recipe_of(BASE, arm).adapter.vera_r == 64


def test_lists_in_an_arm_keep_their_commas():
    (arm,) = parse_arms("lora:targets=[query,value]")

    assert recipe_of(BASE, arm).adapter.lora_target_modules == ["query", "value"]


@pytest.mark.parametrize("name", ["padded-questions", "notes"])
def test_padded_questions_is_what_many_scripts_do(name):
    recipe = recipe_of(BASE, parse_arms(name)[0])

    assert recipe.own["extraction"].extractor == "question"
    assert recipe.own["extraction"].pad_to_max_length
    assert recipe.adapter.freeze_heads
    assert (recipe.adapter.lora_r, recipe.adapter.lora_alpha, recipe.adapter.lora_dropout) == (16, 16, 0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lorra:r=8", r"expected one of lora, .* found 'lorra'\ndid you mean 'lora'"),
        ("lora:8", "expected setting=value, found '8'"),
        ("full,full", "'full' stands there twice"),
        ("", "expected one at least, found none"),
    ],
)
def test_what_is_no_arm_is_refused(text, message):
    with pytest.raises(EventuneError, match=message):
        parse_arms(text)


def test_wrong_settings_of_an_arm_name_the_arm():
    with pytest.raises(
        EventuneError, match=r"arm lora:rank=8: 'rank' is no setting of a recipe\ndid you mean 'lora_r'"
    ):
        recipe_of(BASE, parse_arms("lora:rank=8")[0])
    with pytest.raises(EventuneError, match=r"arm lora:r=none: lora_r: expected an integer, found 'none'"):
        recipe_of(BASE, parse_arms("lora:r=none")[0])


def test_arms_are_read_from_yaml(tmp_path):
    path = tmp_path / "arms.yaml"
    path.write_text("full: {method: full}\nsmall:\n  lora_r: 2\n  lora_target_modules: [query]\n", encoding="utf-8")

    arms = read_arms(path)
    assert arms[1].name == "small"
    assert arms[1].settings == {"lora_r": 2, "lora_target_modules": ["query"]}
    path.write_text("full: 3\n", encoding="utf-8")
    with pytest.raises(EventuneError, match="expected a name without spaces and its settings below it"):
        read_arms(path)


@pytest.mark.parametrize("path", published(ARMS).values(), ids=published(ARMS))
def test_every_published_comparison_is_valid(path, monkeypatch, rams_folder):
    monkeypatch.chdir(ROOT)
    # Its head names the recipe where that has another name.
    named = re.search(r"eventune compare ([\w-]+) --arms", path.read_text(encoding="utf-8"))
    base = read_settings(named[1] if named else path.stem)

    assert all(recipe_of(base, arm).to_yaml() for arm in read_arms(path))
