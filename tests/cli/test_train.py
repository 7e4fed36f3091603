"""`eventune train`."""

import dataclasses
import io
import json
import re
from types import SimpleNamespace

import pytest
import yaml
from rich.console import Console
from transformers import TrainerState

from eventune.cli.progress import TerminalReporter
from eventune.recipe import all_sections
from eventune.results import RunResult


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def recipe(tiny_recipe, folder):
    """Writes a recipe with the given changes and returns its path."""

    def write(**changes):
        settings = {**tiny_recipe, "num_train_epochs": 1, "output_dir": "run", **changes}
        (folder / "recipe.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        return "recipe.yaml"

    return write


@pytest.fixture
def lines(small_corpus):
    return (small_corpus / "train.jsonl").read_text(encoding="utf-8").splitlines()


def corpus(folder, lines):
    (folder / "corpus.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return "corpus.jsonl"


def assert_nothing_written(folder, *besides):
    assert sorted(path.name for path in folder.iterdir()) == sorted({"recipe.yaml", *besides})


def test_help_lists_every_setting(run):
    out = run("train", "--help").out
    for section in all_sections().values():
        for setting in dataclasses.fields(section):
            assert f"--{setting.name} " in out


def test_json_is_one_object_with_scores_and_resources(run, recipe, folder):
    found = run("train", recipe(), "--json")

    assert found.code == 0
    assert found.out.count("\n") == 1
    result = json.loads(found.out)
    assert result["scorer"] == "rams"
    assert result["metrics"].keys() == {"precision", "recall", "f1"}
    assert result["counts"].keys() == {"gold", "predicted", "matched"}
    assert result["resources"].keys() >= {"train_seconds", "peak_memory_bytes", "trainable_parameters", "saved_bytes"}
    assert result["output_dir"] == "run"
    written = json.loads((folder / "run" / "result.json").read_text(encoding="utf-8"))
    assert {**written, "output_dir": "run"} == result


@pytest.mark.parametrize("columns", ["40", "80"])
def test_tables_fit_the_terminal(columns, run, recipe, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)

    found = run("train", recipe())

    assert found.code == 0
    assert max(len(line.rstrip()) for line in found.out.splitlines()) <= int(columns)
    rows = {cells[0]: cells[1:] for line in found.out.splitlines() if (cells := line.split())}
    assert rows["dev"][0] == "63"
    assert rows["part"][-3:] == ["P", "R", "F1"]
    assert "run directory: run" in found.out
    # Formats that were guessed and the epochs' figures are no result, so they do not stand on stdout.
    assert "format jsonl (guessed)" in found.err
    assert "epoch" in found.err


def test_flags_replace_the_recipes_settings(run, recipe, folder):
    run("train", recipe(), "--output_dir", "other", "--seed", "7")
    assert not (folder / "run").exists()
    assert json.loads((folder / "other" / "result.json").read_text(encoding="utf-8"))["seed"] == 7


def test_a_file_that_is_a_flag_takes_the_place_of_the_recipes_share_and_says_so(run, recipe, small_corpus):
    path = recipe(dev_file="", dev_fraction=0.2)
    found = run("train", path, "--dev_file", small_corpus / "dev.jsonl", "--json")
    assert f"dev_file {small_corpus / 'dev.jsonl'} takes the place of dev_fraction 0.2" in found.err
    assert json.loads(found.out)["data"]["dev"]["documents"] == 12


def test_all_settings_may_be_flags(run, recipe, folder):
    settings = yaml.safe_load((folder / recipe()).read_text(encoding="utf-8"))
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
    assert run("train", *flags).code == 0
    assert (folder / "run" / "result.json").is_file()


def test_a_missing_recipe_is_refused(refused, folder):
    assert refused("train", "absent.yaml").startswith("error: absent.yaml: no such recipe")


@pytest.mark.parametrize("content", ["- a\n- b\n", "just text", "a: [1\n", "\x00"])
def test_a_recipe_that_is_no_mapping_is_refused(content, refused, folder):
    (folder / "recipe.yaml").write_text(content, encoding="utf-8")
    assert refused("train", "recipe.yaml").startswith(
        ("error: recipe.yaml: expected ", "error: recipe.yaml:2: expected ")
    )


def test_without_a_recipe_the_needed_settings_are_named(refused, folder):
    message = refused("train")
    assert "train_file: expected a corpus to train on, found nothing" in message
    assert "output_dir: expected a folder for the run, found nothing" in message


@pytest.mark.parametrize("part", ["train_file", "dev_file", "test_file", "ontology_file"])
def test_a_missing_file_is_refused_by_its_setting(part, refused, recipe, folder):
    assert f"{part}: expected an existing file or folder, found absent.x" in refused(
        "train", recipe(**{part: "absent.x"})
    )
    assert_nothing_written(folder)


def test_an_unknown_setting_is_refused_with_the_closest_one(refused, recipe, folder):
    message = refused("train", recipe(learning_rat=1e-3))
    assert "learning_rat: expected a known setting, found an unknown one (did you mean 'learning_rate'?)" in message
    assert_nothing_written(folder)


def test_all_wrong_settings_are_named_at_once(refused, recipe, folder):
    message = refused("train", recipe(lora_r=0, hidden_dropout="much", methd="lora"), "--num_train_epochs", "0")
    assert "4 settings are wrong" in message
    for name in ("lora_r", "hidden_dropout", "methd", "num_train_epochs"):
        assert f"\n  {name}: expected " in message
    assert_nothing_written(folder)


@pytest.mark.parametrize("flags", [["--lora_rank", "8"], ["--lora_rank=8"], ["--lora-r", "-8"]])
def test_an_unknown_flag_is_named_beside_the_other_wrong_settings(flags, refused, recipe, folder):
    message = refused("train", *flags, recipe(), "--learning_rate", "fast")
    name = flags[0].removeprefix("--").partition("=")[0]
    assert "2 settings are wrong" in message
    assert f"\n  {name}: expected a known setting, found an unknown one (did you mean 'lora_r'?)" in message
    assert "\n  learning_rate: expected a number, found 'fast'" in message
    assert_nothing_written(folder)


def test_an_interruption_says_how_to_go_on(run, recipe, folder, monkeypatch):
    closed = []

    def interrupted(recipe, reporter):
        raise KeyboardInterrupt

    monkeypatch.setattr("eventune.runs.training.train", interrupted)
    monkeypatch.setattr("eventune.cli.progress.TerminalReporter.close", lambda reporter: closed.append(reporter))
    found = run("train", recipe())
    assert (found.code, found.out) == (130, "")
    assert found.err == "interrupted: go on with the same command and --resume_from_checkpoint true\n"
    assert len(closed) == 1


def test_a_training_that_is_broken_off_gives_the_cursor_back(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("eventune.cli.bars.status", Console(file=stream, force_terminal=True))
    reporter = TerminalReporter()
    [rows] = reporter.callbacks()
    rows.on_train_begin(SimpleNamespace(run_name=None), TrainerState(max_steps=3), None)
    reporter.close()
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")


def test_the_time_of_a_pretraining_is_a_row_of_its_own(run, recipe, small_corpus):
    assert "pretraining" not in run("train", recipe()).out
    pretrained = recipe(pretrain_file=str(small_corpus / "dev.jsonl"), num_pretrain_epochs=1, output_dir="other")
    assert re.search(r"^pretraining +\d+\.\d s", run("train", pretrained).out, re.MULTILINE)


def test_broken_json_is_refused_by_its_line(refused, recipe, folder, lines):
    lines[6] = lines[6][:50]
    message = refused("train", recipe(train_file=corpus(folder, lines)))
    assert "corpus.jsonl:7: line: expected one JSON object, found broken JSON" in message
    assert_nothing_written(folder, "corpus.jsonl")


def test_every_bad_line_is_named(refused, recipe, folder, lines):
    lines[6], lines[9] = "{", "[]"
    message = refused("train", recipe(train_file=corpus(folder, lines)))
    assert "corpus.jsonl:7: " in message
    assert "corpus.jsonl:10: " in message


def test_a_span_outside_its_document_is_refused_by_its_place(refused, recipe, folder, lines):
    record = json.loads(lines[2])
    record["events"][0]["arguments"][0]["span"] = [0, 9999]
    lines[2] = json.dumps(record)
    message = refused("train", recipe(train_file=corpus(folder, lines)))
    assert "corpus.jsonl:3: events[0].arguments[0].span: expected " in message
    assert_nothing_written(folder, "corpus.jsonl")


def test_a_role_that_the_ontology_lacks_is_refused_with_the_closest_one(refused, recipe, folder, lines):
    record = json.loads(lines[0])
    record["events"][0]["arguments"][0]["role"] = "targt"
    lines[0] = json.dumps(record)
    message = refused("train", recipe(train_file=corpus(folder, lines)))
    assert "expected a role of attack, found 'targt' (did you mean 'target'?)" in message
    assert_nothing_written(folder, "corpus.jsonl")


@pytest.mark.parametrize("content", [[], [""], ["", "  "]])
def test_an_empty_corpus_is_refused(content, refused, recipe, folder):
    assert "corpus.jsonl: holds no document" in refused("train", recipe(train_file=corpus(folder, content)))
    assert_nothing_written(folder, "corpus.jsonl")


def test_a_corpus_of_no_known_format_is_refused(refused, recipe, folder):
    message = refused("train", recipe(train_file=corpus(folder, ['{"sentence": "x"}'])))
    assert "expected a record of a known format (jsonl, " in message
    assert "found 'sentence'" in message


def test_a_corpus_without_events_is_refused(refused, recipe, folder, lines):
    bare = [json.dumps({**json.loads(line), "events": []}) for line in lines]
    assert "train_file: nothing in it can be trained on" in refused("train", recipe(train_file=corpus(folder, bare)))


def test_an_output_directory_that_holds_something_is_left_as_it_is(refused, recipe, folder):
    (folder / "run").mkdir()
    (folder / "run" / "thesis.txt").write_text("precious")
    message = refused("train", recipe())
    assert "output_dir: run exists and is not empty" in message
    assert "--overwrite_output_dir true" in message
    assert "is not overwritten" in refused("train", recipe(), "--overwrite_output_dir", "true")
    assert [path.name for path in (folder / "run").iterdir()] == ["thesis.txt"]


def test_of_several_processes_the_first_alone_looks_at_the_folder(refused, run, recipe, folder, monkeypatch):
    (folder / "run").mkdir()
    (folder / "run" / "recipe.yaml").write_text("seed: 1\n")
    assert "output_dir: run exists and is not empty" in refused("train", recipe())

    # The second process starts later, when the first has made the folder.
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr("eventune.runs.training.train", lambda *_, **__: RunResult({}))
    found = run("train", recipe())
    assert (found.code, found.out, found.err) == (0, "", "")


def test_an_unknown_model_is_refused_with_what_was_tried(refused, recipe, folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    message = refused("train", recipe(model_name_or_path="minilmm"))
    assert "the folder minilmm: does not exist" in message
    assert "did you mean 'minilm'?" in message
    assert_nothing_written(folder)
