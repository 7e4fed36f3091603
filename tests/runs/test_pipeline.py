"""The one order of steps, where the ways to a run once differed."""

import json
import shutil

import pytest

from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.reporter import SilentReporter
from eventune.runs.training import train
from eventune.sft.settings import SftArguments
from eventune.sft.tuning import fine_tune
from eventune.training.run_directory import RunDirectory


@pytest.fixture
def generation(tiny_llm, small_corpus):
    return {
        "task": "generation",
        "model_name_or_path": str(tiny_llm),
        "train_file": str(small_corpus / "dev.jsonl"),
        "ontology_file": str(small_corpus / "ontology.yaml"),
        "num_train_epochs": 1,
        "max_new_tokens": 128,
    }


@pytest.fixture
def responses(tiny_llm, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"prompt": f"a{n}", "response": f"b{n}"}) + "\n" for n in range(6)))
    return {
        "model_name_or_path": str(tiny_llm),
        "train_file": str(rows),
        "prompt_column": "prompt",
        "response_column": "response",
        "lora_r": 2,
        "num_train_epochs": 1,
        "max_source_length": 64,
        "max_target_length": 16,
    }


@pytest.fixture(params=["extraction", "generation", "responses"])
def make(request, tiny_recipe):
    """Makes a run of each task from its settings."""
    if request.param == "responses":
        settings = request.getfixturevalue("responses")
        return lambda reporter=None, **changes: fine_tune(SftArguments.of({**settings, **changes}), reporter=reporter)
    settings = request.getfixturevalue("generation") if request.param == "generation" else tiny_recipe
    settings = {**settings, "num_train_epochs": 1}
    return lambda reporter=None, **changes: train(Recipe.of({**settings, **changes}), reporter=reporter)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_an_earlier_run_is_kept_until_the_new_one_is_found_to_fit(make, tmp_path):
    make(output_dir=str(tmp_path / "run"))
    before = contents(tmp_path / "run")

    with pytest.raises(EventuneError, match="matches"):
        make(output_dir=str(tmp_path / "run"), overwrite_output_dir=True, lora_target_modules="nothing_like_it")

    assert contents(tmp_path / "run") == before
    make(output_dir=str(tmp_path / "run"), overwrite_output_dir=True, seed=7)
    assert contents(tmp_path / "run")["result.json"] != before["result.json"]


def test_a_folder_that_is_taken_is_refused_before_the_model_is_loaded(make, tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").touch()

    def fail(*_, **__):
        raise AssertionError("loaded")

    for module in ("span_extraction.load_encoder", "generative_extraction.load_causal_lm", "responses.load_causal_lm"):
        monkeypatch.setattr(f"eventune.tasks.{module}", fail)
    with pytest.raises(EventuneError, match="exists and is not empty"):
        make(output_dir=str(tmp_path / "run"))


def test_a_run_that_is_killed_while_it_is_put_on_the_unchanged_base_can_be_overwritten(
    tiny_recipe, tmp_path, monkeypatch
):
    from eventune.runs import pipeline

    class Killed(BaseException):
        """Takes a copy of what a kill would leave."""

    def killed(*_, **__):
        shutil.copytree(tmp_path / "run", tmp_path / "left")
        raise Killed

    monkeypatch.setattr(pipeline, "load_into", killed)
    settings = {**tiny_recipe, "init_lora_weights": "pissa", "num_train_epochs": 1}
    with pytest.raises(Killed):
        train(Recipe.of({**settings, "output_dir": str(tmp_path / "run")}))

    RunDirectory(tmp_path / "left").check("", overwrite=True, resume=False)


def test_a_run_that_others_would_load_differently_is_not_finished(make, tmp_path, monkeypatch):
    from eventune.adapters import store

    original = store.read_weights

    def damaged(path):
        weights = original(path)
        name = next(name for name in weights if "lora_B" in name)
        return {**weights, name: weights[name] + 1}

    monkeypatch.setattr(store, "read_weights", damaged)
    with pytest.raises(EventuneError, match="does not give the trained model's outputs when it is loaded again"):
        make(output_dir=str(tmp_path / "run"), learning_rate=1e-2)
    assert not (tmp_path / "run" / "result.json").exists()


class Listener(SilentReporter):
    def __init__(self):
        self.notices = []

    def notice(self, message):
        self.notices.append(message)


def test_warnings_of_the_guard_are_heard(tiny_recipe, tmp_path):
    listener = Listener()
    changes = {"freeze_heads": True, "num_train_epochs": 1, "output_dir": str(tmp_path / "run")}
    train(Recipe.of({**tiny_recipe, **changes}), reporter=listener)

    assert any(notice.startswith("warning: ") and "random and frozen" in notice for notice in listener.notices)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("head_learning_rate", 1e-4), ("num_pretrain_epochs", 1), ("word_dropout", 0.1), ("freeze_heads", True)],
)
def test_settings_that_a_task_does_not_read_are_refused(generation, setting, value):
    with pytest.raises(EventuneError, match=rf"{setting}: expected .* with task: generation, found"):
        Recipe.of({**generation, "output_dir": "run", setting: value})


def test_settings_of_a_causal_lm_are_refused_with_an_encoder(tiny_recipe):
    with pytest.raises(EventuneError, match="events_per_prompt: expected 1 with task: extraction, found 2"):
        Recipe.of({**tiny_recipe, "output_dir": "run", "events_per_prompt": 2})


def test_the_older_name_of_the_type_is_understood(generation):
    assert Recipe.of({**generation, "output_dir": "run", "torch_dtype": "bfloat16"}).model.dtype == "bfloat16"


def test_a_folder_of_brat_is_trained_on(corpora_folder, tiny_encoder, tmp_path):
    folder = corpora_folder / "wlp_brat"
    if not folder.is_dir():
        pytest.skip(f"needs the wet-lab protocols in {folder}")
    few = tmp_path / "brat"
    few.mkdir()
    for path in [path for path in sorted(folder.iterdir()) if path.suffix in {".ann", ".txt"}][:2]:
        (few / path.name).write_bytes(path.read_bytes())
    settings = {"model_name_or_path": str(tiny_encoder), "train_file": str(few), "num_train_epochs": 1}
    train(Recipe.of({**settings, "output_dir": str(tmp_path / "run")}))

    found = Extractor.load(tmp_path / "run").extract_all(read_corpus(few).documents)
    assert len(found) == 1
    assert all(document.events for document in found)
