import re
from pathlib import Path

import pytest
import yaml

from eventune.comparison.kinds import kind_of
from eventune.corpora.arguments import SAMPLE_FILES
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError, InvalidValueError
from eventune.recipe import Recipe, convert, read_settings, with_changes
from eventune.recipes import published
from eventune.scoring import SCORERS

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = sorted(
    path
    for path in [*published().values(), *(ROOT / "src/eventune/cli").rglob("*.yaml")]
    if kind_of(read_settings(path)).verb == "train"
)
NEEDED = {"train_file": str(sample_file("train")), "output_dir": "runs/test"}


def recipe(**values):
    return Recipe.of({**NEEDED, **values})


def test_the_least_that_is_needed_gives_a_recipe_of_defaults():
    made = recipe()

    assert made.adapter.method == "lora"
    assert made.model.model_name_or_path == "minilm"
    assert made.data.dev_file == ""


def test_an_unknown_setting_is_guessed():
    with pytest.raises(EventuneError, match=r"lora_rank: expected a known setting.*did you mean 'lora_r'"):
        recipe(lora_rank=8)


def test_all_wrong_settings_are_reported_at_once():
    with pytest.raises(EventuneError) as caught:
        recipe(learning_rate="fast", seeed=1, lora_r=0, max_length=10, hidden_dropout=1.0, dev_file="none.jsonl")

    lines = caught.value.message.splitlines()
    assert lines[0] == "recipe: 6 settings are wrong:"
    found = sorted(line.strip().partition(":")[0] for line in lines[1:])
    assert found == ["dev_file", "hidden_dropout", "learning_rate", "lora_r", "max_length", "seeed"]
    assert "learning_rate: expected a number, found 'fast'" in caught.value.message


def test_the_scorer_is_the_official_one_of_rams_unless_the_recipe_says_another():
    assert recipe().scoring.scorer == "rams"
    assert recipe(scorer="maven-arg").to_dict()["scorer"] == "maven-arg"
    assert recipe(task="generation", scorer="duee-fin").scoring.scorer == "duee-fin"


def test_an_unknown_scorer_is_one_error_with_a_guess():
    with pytest.raises(EventuneError) as caught:
        recipe(scorer="wikievent")

    expected = f"scorer: expected {' or '.join(SCORERS)}, found 'wikievent' (did you mean 'wikievents'?)"
    assert caught.value.message == f"recipe: {expected}"


def test_what_is_needed_and_lacking_is_named_with_an_example():
    with pytest.raises(EventuneError) as caught:
        Recipe.of({})

    assert "train_file: expected a corpus to train on, found nothing (e.g. train_file:" in caught.value.message
    assert "output_dir: expected a folder for the run, found nothing (e.g. output_dir:" in caught.value.message


def test_a_file_that_is_given_takes_the_place_of_the_recipes_share(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**NEEDED, "dev_fraction": 0.1, "test_fraction": 0.2}))

    data = Recipe.read(path, dev_file="sample:dev").data

    assert (data.dev_file, data.dev_fraction, data.test_fraction) == ("sample:dev", 0.0, 0.2)
    with pytest.raises(EventuneError, match="dev_fraction: expected 0 beside a dev_file"):
        Recipe.read(path, dev_file="sample:dev", dev_fraction=0.1)


def test_what_gives_way_to_a_change_is_said():
    values = {"dev_fraction": 0.05, "test_file": "test.jsonl"}
    assert with_changes(values, {"dev_file": "dev.jsonl", "test_fraction": "0.2"}) == (
        {"dev_file": "dev.jsonl", "test_fraction": "0.2"},
        [
            "dev_file dev.jsonl takes the place of dev_fraction 0.05",
            "test_fraction 0.2 takes the place of test_file test.jsonl",
        ],
    )


@pytest.mark.parametrize(
    "changes", [{"test_fraction": "0"}, {"dev_file": ""}, {"dev_file": "x", "dev_fraction": "0"}, {"lora_r": 4}]
)
def test_nothing_gives_way_where_nothing_takes_its_place(changes):
    values = {"dev_fraction": 0.05, "test_file": "test.jsonl"}
    assert with_changes(values, changes) == ({**values, **changes}, [])


def test_a_recipe_that_is_not_there_is_answered_with_those_that_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EventuneError, match=r"recipes/rams-loar\.yaml: no such recipe\ndid you mean 'rams-lora'\?"):
        read_settings("recipes/rams-loar.yaml")
    with pytest.raises(EventuneError, match=r"first\.yaml: no such recipe\npublished: .*phee-lora, .*rams-lora, "):
        read_settings(Path("first.yaml"))


def test_a_file_that_does_not_exist_is_an_error():
    with pytest.raises(EventuneError, match=r"train_file: expected an existing file or folder, found data/none\.jsonl"):
        recipe(train_file="data/none.jsonl")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("learning_rate", "1e-3", 0.001),
        ("warmup_steps", "10", 10.0),
        ("num_train_epochs", "3", 3),
        ("num_train_epochs", "1e1", 10),
        ("num_train_epochs", 3.0, 3),
        ("learning_rate", 1e-4, 1e-4),
        ("bf16", "true", True),
        ("bf16", "False", False),
        ("bf16", "no", False),
        ("bf16", True, True),
        ("lora_target_modules", "[query, value]", ["query", "value"]),
        ("lora_target_modules", ["query"], ["query"]),
        ("lora_target_modules", "auto", "auto"),
        ("lora_target_modules", r"[a-z]+\.\d\.query", r"[a-z]+\.\d\.query"),
        ("lora_target_modules", r"[^.]*query", r"[^.]*query"),
        ("output_dir", "1e-3", "1e-3"),
        ("rank_pattern", "{query: 4, layer.1: 8}", {"query": 4, "layer.1": 8}),
        ("rank_pattern", {}, {}),
        ("trainable_token_indices", "[3, 5]", [3, 5]),
        ("modules_to_save", "[word_embeddings]", ["word_embeddings"]),
    ],
)
def test_a_setting_is_converted_to_its_type(name, text, value):
    found = recipe(**{name: text}).to_dict()[name]

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("num_train_epochs", 2.5, "an integer"),
        ("num_train_epochs", "many", "an integer"),
        ("num_train_epochs", True, "an integer"),
        ("num_train_epochs", "inf", "an integer"),
        ("num_train_epochs", None, "an integer"),
        ("weight_decay", "nan", "a number"),
        ("max_grad_norm", float("inf"), "a number"),
        ("learning_rate", [1], "a number"),
        ("bf16", "perhaps", "true or false"),
        ("bf16", 2, "true or false"),
        ("model_name_or_path", 7, "a text"),
        ("model_name_or_path", None, "a text"),
        ("lora_target_modules", [1, 2], "a text"),
        ("lora_target_modules", "[query", "a regular expression"),
        ("rank_pattern", "{query: many}", "integers by name, such as {query: 8}"),
        ("rank_pattern", [1], "integers by name, such as {query: 8}"),
        ("trainable_token_indices", "[a]", "a list of integers, such as [30522, 30523]"),
        ("trainable_token_indices", 3, "a list of integers, such as [30522, 30523]"),
        ("modules_to_save", "pooler", "a list of names, such as [query, value]"),
    ],
)
def test_a_value_of_the_wrong_type_says_what_was_expected(name, value, expected):
    with pytest.raises(EventuneError, match=f"^recipe: {name}: expected {re.escape(expected)}, found"):
        recipe(**{name: value})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"method": "lorra"}, "method"),
        ({"lora_dropout": 1.0}, "lora_dropout"),
        ({"lora_alpha": 0}, "lora_alpha"),
        ({"init_lora_weights": "pisa"}, "init_lora_weights"),
        ({"init_lora_weights": "pissa", "quantization_bit": 4}, "init_lora_weights"),
        ({"init_lora_weights": "olora", "use_dora": True}, "init_lora_weights"),
        ({"quantization_bit": 5}, "quantization_bit"),
        ({"quantization_bit": 4, "method": "full"}, "quantization_bit"),
        ({"freeze_heads": True, "method": "full"}, "freeze_heads"),
        ({"rank_pattern": {"query": 0}}, "rank_pattern"),
        ({"trainable_token_indices": [-1]}, "trainable_token_indices"),
        ({"loraplus_lr_ratio": 0.5}, "loraplus_lr_ratio"),
        ({"pre_seq_len": 0}, "pre_seq_len"),
        ({"freeze_trainable_layers": 0}, "freeze_trainable_layers"),
        ({"lora_target_parameters": ["experts.w"], "lora_dropout": 0.1}, "lora_target_parameters"),
        ({"lora_target_modules": []}, "lora_target_modules"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"head_learning_rate": 1.5}, "head_learning_rate"),
        ({"lr_scheduler_type": "step"}, "lr_scheduler_type"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"early_stopping_patience": 2}, "early_stopping_patience"),
        ({"further_corpora": {"missing.jsonl": {}}}, "further_corpora"),
        ({"further_corpora": {"sample:dev": {"ontology_file": "missing.yaml"}}}, "further_corpora"),
        ({"further_corpora": {"sample:dev": {"weigth": 2}}}, "further_corpora"),
        ({"further_corpora": {"sample:dev": {"weight": 0}}}, "further_corpora"),
        ({"further_corpora": {"sample:dev": "twice"}}, "further_corpora"),
        ({"pretrain_ontology_file": str(sample_file("ontology"))}, "pretrain_ontology_file"),
        ({"num_train_epochs": 0}, "num_train_epochs"),
        ({"max_span_length": 0}, "max_span_length"),
        ({"word_dropout": -0.1}, "word_dropout"),
        ({"all_layers_epochs": 1}, "all_layers_epochs"),
        ({"task": "events", "all_layers_epochs": 1, "detection": {"trained_layers": 1}}, "all_layers_epochs"),
        ({"task": "detection", "max_trigger_length": 0}, "max_trigger_length"),
        ({"task": "detection", "max_trigger_length": 10**7}, "max_trigger_length"),
        ({"model_name_or_path": ""}, "model_name_or_path"),
        ({"output_dir": ""}, "output_dir"),
        ({"dev_fraction": 1.0}, "dev_fraction"),
        ({"dev_fraction": 0.5, "test_fraction": 0.5}, "test_fraction"),
        ({"dev_fraction": 0.1, "dev_file": str(sample_file("dev"))}, "dev_fraction"),
        ({"overwrite_output_dir": True, "resume_from_checkpoint": True}, "resume_from_checkpoint"),
    ],
)
def test_a_value_out_of_range_is_refused(values, field):
    with pytest.raises(EventuneError, match=f"{field}: expected"):
        recipe(**values)


def test_epochs_of_all_layers_are_taken_with_top_layers_also_where_steps_have_them():
    steps = {"detection": {"trained_layers": 1}, "arguments": {"trained_layers": 2}}

    assert recipe(all_layers_epochs=1, trained_layers=1).adapter.all_layers_epochs == 1
    made = recipe(task="events", all_layers_epochs=1, **steps)
    assert {step.adapter.all_layers_epochs for step in made.steps.values()} == {1}


def test_documents_of_a_step_alone_are_refused_as_both_have_the_same():
    steps = {"detection": {"negative_file": "none.txt"}, "arguments": {"further_corpora": {}, "dev_fraction": 0.1}}

    with pytest.raises(EventuneError) as caught:
        recipe(task="events", **steps)

    same = "expected at the top of the recipe, as both steps have the same documents, found in the step"
    assert caught.value.message.splitlines()[1:] == [
        f"  detection: negative_file: {same}",
        f"  arguments: dev_fraction, further_corpora: {same}",
    ]


GENERATIVE = {"detection": {"task": "generative-detection"}, "arguments": {"task": "generation"}}


@pytest.mark.parametrize(
    ("step", "values"),
    [
        ("arguments", {"trigger_window": 192}),
        ("arguments", {"further_corpora": {"sample:dev": {}}}),
        ("detection", {"type_embeddings": False}),
    ],
)
def test_a_setting_that_no_step_reads_is_refused_and_one_that_a_step_reads_is_taken(step, values):
    [(name, value)] = values.items()
    tasks = {"detection": "detection", "arguments": "extraction", step: GENERATIVE[step]["task"]}
    expected = f"with task: events, whose steps have the tasks {' and '.join(tasks.values())}, found {value}"

    with pytest.raises(EventuneError, match=f"^recipe: {name}: expected .* {re.escape(expected)}$"):
        recipe(task="events", **values, **{step: GENERATIVE[step]})
    assert recipe(task="events", **values).steps
    other = ({*GENERATIVE} - {step}).pop()
    assert recipe(task="events", **values, **{other: GENERATIVE[other]}).steps


def test_what_encoders_read_is_refused_where_both_steps_are_written_by_causal_models():
    with pytest.raises(EventuneError) as caught:
        recipe(task="events", head_dropout=0.2, pretrain_file="sample:warmup", **GENERATIVE)

    found = [line.split(":")[0].strip() for line in caught.value.message.splitlines()[1:]]
    assert sorted(found) == ["head_dropout", "pretrain_file"]
    assert recipe(task="events", head_dropout=0.2, arguments=GENERATIVE["arguments"]).steps


@pytest.mark.parametrize(
    ("step", "fitting", "task"),
    [
        ("detection", "detection or generative-detection", "generation"),
        ("detection", "detection or generative-detection", "extraction"),
        ("detection", "detection or generative-detection", "events"),
        ("detection", "detection or generative-detection", ["generation"]),
        ("arguments", "extraction or generation", "detection"),
        ("arguments", "extraction or generation", "responses"),
        ("arguments", "extraction or generation", None),
    ],
)
def test_a_step_s_task_that_does_not_do_what_the_step_is_for_is_one_error(step, fitting, task):
    expected = f"recipe: {step}: task: expected {fitting}, found {task!r}"
    with pytest.raises(EventuneError, match=f"^{re.escape(expected)}") as raised:
        recipe(task="events", **{step: {"task": task}})
    assert len(raised.value.message.splitlines()) == 1


def test_steps_without_heads_may_be_tried_as_they_are_or_trained_in_the_top_layers_alone():
    tried = recipe(task="events", num_train_epochs=0, **GENERATIVE)
    assert [step.optimisation.num_train_epochs for step in tried.steps.values()] == [0, 0]
    mixed = {"detection": {"num_train_epochs": 2}, "arguments": GENERATIVE["arguments"]}
    assert recipe(task="events", num_train_epochs=0, **mixed).steps["arguments"].optimisation.num_train_epochs == 0
    assert recipe(task="events", trained_layers=1, all_layers_epochs=0, **GENERATIVE).steps


@pytest.mark.parametrize("values", [{"num_train_epochs": 0}, {"trained_layers": 1, "all_layers_epochs": 0}])
def test_a_step_whose_heads_would_stay_random_is_named(values):
    [name] = values.keys() - {"trained_layers"}
    with pytest.raises(EventuneError, match=rf"^recipe: arguments: {name}: expected .*, found 0$"):
        recipe(task="events", **values, detection=GENERATIVE["detection"])


@pytest.mark.parametrize("dev", [{"dev_file": str(sample_file("dev"))}, {"dev_fraction": 0.1}])
def test_a_dev_part_of_either_kind_lets_the_training_stop_early(dev):
    assert recipe(early_stopping_patience=2, **dev).optimisation.early_stopping_patience == 2


def test_grouping_needs_no_fraction():
    assert recipe(group_by="source_url").data.group_by == "source_url"


def test_the_largest_seed_is_taken():
    assert recipe(seed=2**32 - 1).optimisation.seed == 2**32 - 1


def test_a_setting_that_stands_twice_in_the_file_is_refused(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe().to_yaml() + "lora_r: 4\n")

    with pytest.raises(EventuneError, match=r"recipe\.yaml:\d+: lora_r: expected each name once, found 'lora_r' again"):
        Recipe.read(path)


def test_converting_says_the_setting_s_name():
    with pytest.raises(InvalidValueError, match="rank: expected an integer, found 'x'"):
        convert("rank", "x", int)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_every_recipe_in_the_repository_is_valid(path):
    settings = read_settings(path)
    files = [name for name in settings if name.endswith("_file") and settings[name] not in SAMPLE_FILES]
    lacking = [name for name in files if not (ROOT / settings[name]).exists()]

    # The files may be elsewhere on this machine; everything else is checked in any case.
    Recipe.of({**NEEDED, **settings, **dict.fromkeys(files, "sample:train")}, source=path.name)
    if lacking:
        pytest.skip(f"needs {settings[lacking[0]]}")


def test_there_are_recipes_to_check():
    assert {"demo.yaml", "rams-lora.yaml"} <= {path.name for path in PUBLISHED}


def test_a_recipe_survives_the_way_through_yaml(tmp_path):
    made = recipe(
        learning_rate=1e-5,
        lora_target_modules=["query", "value"],
        model_name_or_path="模型",
        bf16=True,
        dev_fraction=0.25,
    )
    (tmp_path / "recipe.yaml").write_text(made.to_yaml(), encoding="utf-8")

    read = Recipe.read(tmp_path / "recipe.yaml")

    assert read == made
    assert read.to_yaml() == made.to_yaml()


def test_the_yaml_does_not_say_how_the_run_was_started():
    settings = yaml.safe_load(recipe(resume_from_checkpoint=True).to_yaml())

    assert not settings.keys() & {"resume_from_checkpoint", "overwrite_output_dir"}
    assert recipe(overwrite_output_dir=True).to_yaml() == recipe().to_yaml()


def test_flags_replace_the_file_s_settings(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe(seed=1, lora_r=4).to_yaml())

    made = Recipe.read(path, seed="2")

    assert (made.optimisation.seed, made.adapter.lora_r) == (2, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a\n- b\n", "expected settings, one `name: value` a line, found list"),
        ("", "expected settings, one `name: value` a line, found NoneType"),
        ("a: [1\n", "expected YAML"),
        (b"seed: \xff\n", "expected UTF-8"),
    ],
)
def test_a_file_that_is_no_recipe_is_one_clear_error(tmp_path, content, message):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(EventuneError, match=message):
        Recipe.read(path)


def test_a_recipe_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(EventuneError, match=r"none\.yaml: no such recipe"):
        Recipe.read(tmp_path / "none.yaml")
    with pytest.raises(EventuneError, match="expected a file, found a folder"):
        Recipe.read(tmp_path)
