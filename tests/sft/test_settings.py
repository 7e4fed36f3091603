"""Settings of `eventune sft`: the notes' command, files and flags, older names, and errors."""

import json

import pytest

from eventune.comparison.arms import read_arms, recipe_of
from eventune.comparison.kinds import kind_of
from eventune.errors import EventuneError
from eventune.recipes import ARMS, published
from eventune.sft.reading import read_flags, read_sft_settings
from eventune.sft.settings import SftArguments

PUBLISHED = [path for path in published().values() if kind_of(read_sft_settings(path)).verb == "sft"]


def with_files_that_exist(settings, file):
    """Published recipes name corpora that may be elsewhere on this machine; all else is checked in any case."""
    return {name: file if name.endswith("_file") else value for name, value in settings.items()}


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_published_recipes_are_right(path, train_file):
    settings = SftArguments.of(with_files_that_exist(read_sft_settings(path), train_file), source=path.name)

    assert "train" in settings.tasks
    assert "predict" in settings.tasks


def test_there_are_recipes_to_check():
    assert {"e2e-smollm2.yaml", "advertisegen-smollm2.yaml"} <= {path.name for path in PUBLISHED}


def test_published_arms_fit_their_recipe(train_file):
    base = with_files_that_exist(read_sft_settings(published()["e2e-smollm2"]), train_file)
    for arm in read_arms(published(ARMS)["e2e-smollm2"]):
        made = recipe_of(base, arm, output_dir="out")
        expected = {"lora": "lora", "full": "full", "prefix": "prefix", "untrained": "lora"}
        assert made.model.adapter().method == expected[arm.name]


@pytest.fixture
def train_file(tmp_path):
    path = tmp_path / "train.json"
    path.write_text('{"content": "a", "summary": "b"}\n', encoding="utf-8")
    return str(path)


@pytest.fixture
def notes_flags(train_file, tmp_path):
    """The notes' command line, with paths and model changed."""
    return f"""
        --do_train --train_file {train_file} --validation_file {train_file} --prompt_column content
        --response_column summary --overwrite_cache --model_name_or_path tiny --output_dir {tmp_path / "out"}
        --overwrite_output_dir --max_source_length 64 --max_target_length 128 --per_device_train_batch_size 1
        --per_device_eval_batch_size 1 --gradient_accumulation_steps 16 --predict_with_generate --max_steps 3000
        --logging_steps 10 --save_steps 100 --learning_rate 2e-5 --lora_r 32 --model_parallel_mode True
    """.split()


def test_the_notes_command_is_read_with_its_meaning(notes_flags):
    notices = []
    settings = SftArguments.of(read_flags(notes_flags), notice=notices.append)

    assert settings.tasks == ("train",)
    assert settings.model.adapter().method == "lora"
    assert settings.model.adapter().lora_r == 32
    assert settings.data.prompt_column == "content"
    assert settings.training.max_steps == 3000
    assert settings.training.learning_rate == 2e-5
    assert settings.training.gradient_accumulation_steps == 16
    assert settings.training.overwrite_output_dir
    assert settings.data.overwrite_cache
    assert len(notices) == 1
    assert "model_parallel_mode" in notices[0]


def test_json_with_the_same_settings_gives_the_same_run(notes_flags, tmp_path):
    flags = read_flags(notes_flags)
    typed = {name: _typed(value) for name, value in flags.items()}
    path = tmp_path / "arguments.json"
    path.write_text(json.dumps(typed), encoding="utf-8")

    assert SftArguments.of(read_sft_settings(path)).to_yaml() == SftArguments.of(flags).to_yaml()


def _typed(value):
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        return {"True": True}.get(value, value)


def test_flags_replace_a_yaml_file(train_file, tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(f"train_file: {train_file}\noutput_dir: out\nlearning_rate: 2e-5\nlora_r: 8\n", encoding="utf-8")
    settings = SftArguments.of({**read_sft_settings(path), **read_flags(["--lora_r", "4", "--bf16=false"])})

    # YAML reads 2e-5, without a point, as a text.
    assert settings.training.learning_rate == 2e-5
    assert settings.model.lora_r == 4
    assert not settings.training.bf16


@pytest.mark.parametrize(
    ("old", "value", "new", "expected"),
    [
        ("evaluation_strategy", "steps", "eval_strategy", "steps"),
        ("warmup_ratio", 0.1, "warmup_steps", 0.1),
        ("no_cuda", True, "use_cpu", True),
        ("adafactor", True, "optim", "adafactor"),
    ],
)
def test_older_names_are_translated_with_one_notice(train_file, old, value, new, expected):
    notices = []
    given = {"train_file": train_file, "output_dir": "out", old: value}
    if old == "evaluation_strategy":
        given["validation_file"] = train_file
    settings = SftArguments.of(given, notice=notices.append)

    assert getattr(settings.training, new) == expected
    assert len(notices) == 1
    assert old in notices[0]
    assert new in notices[0]


@pytest.mark.parametrize("name", ["use_auth_token", "group_by_length", "save_safetensors", "logging_dir", "cache_dir"])
def test_what_has_no_setting_any_more_is_left_out_with_a_notice(train_file, name):
    notices = []
    SftArguments.of({"train_file": train_file, "output_dir": "out", name: "x"}, notice=notices.append)

    assert len(notices) == 1
    assert f"{name} is left out" in notices[0]


@pytest.mark.parametrize(
    ("given", "method"),
    [
        ({}, "full"),
        ({"lora_r": 8}, "lora"),
        ({"pre_seq_len": 16}, "prefix"),
        ({"pre_seq_len": 16, "lora_r": 8}, "prefix"),
        ({"quantization_bit": 4, "lora_r": 8}, "lora"),
    ],
)
def test_method_follows_the_notes_order(train_file, given, method):
    settings = SftArguments.of({"train_file": train_file, "output_dir": "out", **given})

    assert settings.model.adapter().method == method
    assert settings.model.adapter().quantization_bit == given.get("quantization_bit", 0)


def test_alpha_is_twice_the_rank_unless_given(train_file):
    base = {"train_file": train_file, "output_dir": "out", "lora_r": 8}

    assert SftArguments.of(base).model.adapter().lora_alpha == 16
    assert SftArguments.of({**base, "lora_alpha": 32}).model.adapter().lora_alpha == 32


def test_all_wrong_settings_show_at_once(train_file):
    given = {
        "train_file": train_file,
        "output_dir": "out",
        "learning_rte": 1,
        "max_steps": "many",
        "lora_r": 0,
        "max_source_length": -1,
        "validation_file": "nowhere.json",
    }
    with pytest.raises(EventuneError) as error:
        SftArguments.of(given, source="args.json")

    message = str(error.value)
    assert "5 settings are wrong" in message
    assert "learning_rate" in message
    for name in ("max_steps", "lora_r", "max_source_length", "validation_file"):
        assert name in message


def test_output_dir_is_asked_for(train_file):
    with pytest.raises(EventuneError, match="output_dir: expected a folder for the run"):
        SftArguments.of({"train_file": train_file})


def test_a_word_without_a_flag_is_refused():
    with pytest.raises(EventuneError, match="found 'recipe'"):
        read_flags(["recipe", "--lora_r", "8"])


def test_settings_that_do_not_fit_together_are_one_message(train_file):
    given = {"train_file": train_file, "output_dir": "out", "load_best_model_at_end": True, "eval_strategy": "no"}
    with pytest.raises(EventuneError, match=r"load_best_model_at_end|strategy"):
        SftArguments.of(given)


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    path = tmp_path / "args.json"
    path.write_text("[1]", encoding="utf-8")

    with pytest.raises(EventuneError, match="expected a JSON object, found list"):
        read_sft_settings(path)


def test_an_evaluation_strategy_does_not_replace_training(train_file):
    given = {"train_file": train_file, "validation_file": train_file, "eval_strategy": "steps", "output_dir": "out"}

    assert SftArguments.of(given).tasks == ("train", "eval")


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("lora_target_modules", ["q_proj", "v_proj"], "q_proj,v_proj"),
        ("save_strategy", False, "no"),
        ("max_source_length", None, 1024),
        ("report_to", "none", []),
    ],
)
def test_values_of_json_and_yaml_are_taken_as_they_are_meant(train_file, name, given, expected):
    settings = SftArguments.of({"train_file": train_file, "output_dir": "out", "lora_r": 4, name: given})

    section = next(one for one in (settings.model, settings.data, settings.training) if hasattr(one, name))
    assert getattr(section, name) == expected


def test_switches_can_be_switched_off_as_in_transformers(train_file):
    flags = read_flags(["--no_dataloader_pin_memory", "--train_file", train_file, "--output_dir", "out"])

    assert SftArguments.of(flags).training.dataloader_pin_memory is False


@pytest.mark.parametrize("words", [["a", "b"], ["perhaps"]])
def test_a_switch_that_is_switched_off_takes_no_other_word(train_file, words):
    flags = read_flags(["--no_packing", *words, "--train_file", train_file, "--output_dir", "out"])

    with pytest.raises(EventuneError, match="no_packing: expected true or false, found"):
        SftArguments.of(flags)


def test_a_switch_that_is_not_switched_off_stays(train_file):
    flags = read_flags(["--packing", "--no_packing=False", "--train_file", train_file, "--output_dir", "out"])

    assert SftArguments.of(flags).data.packing is True


@pytest.mark.parametrize(
    ("value", "wanted"), [("True", "true"), ("true", "true"), (True, "true"), ("False", None), (False, None)]
)
def test_a_resumption_is_asked_for_in_any_spelling(train_file, value, wanted):
    settings = SftArguments.of({"train_file": train_file, "output_dir": "out", "resume_from_checkpoint": value})

    assert settings.resumes == bool(wanted)
    assert wanted is None or settings.training.resume_from_checkpoint == wanted


def test_a_file_that_a_setting_names_and_that_is_not_there_is_named(train_file):
    with pytest.raises(EventuneError, match=r"accelerator_config: expected a file that can be read, found .*nofile"):
        SftArguments.of({"train_file": train_file, "output_dir": "out", "accelerator_config": "nofile.json"})


def test_a_share_of_warmup_counts_beside_zero_steps(train_file):
    given = {"train_file": train_file, "output_dir": "out", "warmup_ratio": 0.1, "warmup_steps": 0}

    assert SftArguments.of(given).training.warmup_steps == 0.1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", -1),
        ("per_device_train_batch_size", 0),
        ("max_steps", 0),
        ("lora_r", {"a": 1}),
        ("metric_for_best_model", "rouge-l"),
        ("metric_for_best_model", "accuracy"),
        ("temperature", 0),
        ("top_p", 1.5),
        ("top_k", -3),
        ("repetition_penalty", 0),
        ("generation_max_length", -1),
    ],
)
def test_a_value_out_of_range_is_named(train_file, name, value):
    with pytest.raises(EventuneError, match=f"{name}: expected"):
        SftArguments.of({"train_file": train_file, "output_dir": "out", name: value})


@pytest.mark.parametrize("name", ["num_beams", "generation_num_beams"])
def test_beams_beside_drawing_are_refused_before_training(train_file, name):
    with pytest.raises(EventuneError, match="num_beams: expected 1 beside do_sample, found 4"):
        SftArguments.of({"train_file": train_file, "output_dir": "out", "do_sample": True, name: 4})
