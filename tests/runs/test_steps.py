"""`task: events`: two steps in one run directory, and two runs joined."""

import json
import shutil

import pytest

from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.results import RunResult
from eventune.runs.merging import merge_run
from eventune.runs.opening import open_run
from eventune.runs.steps import resources_of
from eventune.runs.training import train
from eventune.scoring import score


@pytest.fixture(scope="module")
def settings(tiny_recipe, small_corpus):
    return {
        **tiny_recipe,
        "task": "events",
        "test_file": str(small_corpus / "dev.jsonl"),
        "num_train_epochs": 2,
        "detection": {"num_train_epochs": 8},
        "save_predictions": True,
    }


@pytest.fixture(scope="module")
def run(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("events") / "run"
    train(Recipe.of({**settings, "output_dir": str(folder)}))
    return folder


@pytest.fixture(scope="module")
def gold(small_corpus):
    return read_corpus(small_corpus / "dev.jsonl").documents


def bare(documents):
    return [document.with_events(()) for document in documents]


def weights(run):
    return {path.relative_to(run): path.read_bytes() for path in sorted(run.rglob("*.safetensors"))}


def contents(run):
    return {path.relative_to(run): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def test_the_run_holds_two_runs_that_open_by_themselves(run):
    assert {path.name for path in run.iterdir()} == {
        *("README.md", "arguments", "detection", "events.json", "history.jsonl", "ontology.yaml", "recipe.yaml"),
        *("result.json", "test_predictions.jsonl"),
    }
    assert open_run(run / "detection").entry.name == "detection"
    assert open_run(run / "arguments").entry.name == "extraction"
    epochs = [json.loads(line)["step"] for line in (run / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert epochs == ["detection"] * 8 + ["arguments"] * 2


def test_its_scores_are_those_of_its_predictions_from_bare_text(run, gold):
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    found = Extractor.load(run).extract_all(bare(gold))
    expected = score(gold, found, scorer="textee", triggers="predicted").tables["measures"]

    assert result["scores"]["test"]["measures"] == expected
    # The dev part has the same documents; what tuning found there is what a fresh extraction finds.
    assert result["scores"]["dev"]["measures"] == expected
    assert result["scores"]["test"]["measure"] == "argument_cls"
    assert result["metrics"] == pytest.approx(expected["argument_cls"]["metrics"])
    assert result["steps"].keys() == {"detection", "arguments"}
    assert read_corpus(run / "test_predictions.jsonl").documents == tuple(found)


def test_events_that_are_given_are_kept(run, gold):
    given = Extractor.load(run).extract_all(gold)
    assert [[(e.type, e.trigger) for e in d.events] for d in given] == [
        [(e.type, e.trigger) for e in d.events] for d in gold
    ]


def test_both_adapters_lie_on_one_base(run):
    annotator = Extractor.load(run).annotator
    steps = annotator._loaded
    assert steps.detection.base is steps.arguments.base


def test_tuning_both_together_is_no_worse_on_the_dev_part_than_each_alone(run, gold, tmp_path):
    alone = Extractor.load(run / "arguments", detection=run / "detection")
    together = Extractor.load(run)

    def f1(extractor):
        found = score(gold, extractor.extract_all(bare(gold)), scorer="textee", triggers="predicted")
        return found.tables["measures"]["argument_cls"]["metrics"]["f1"]

    # The dev part is the test part here; smoothing may cost a little.
    assert f1(together) > f1(alone) - 0.02


def test_a_finished_step_is_not_trained_again_and_a_killed_run_ends_in_the_same_bits(
    run, settings, tmp_path, monkeypatch
):
    from eventune.training.trainer import TaskTrainer

    write, count = TaskTrainer._write_checkpoint, []

    def killed(self, *arguments, **options):
        write(self, *arguments, **options)
        count.append(1)
        if len(count) == 9:  # in the second step
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    monkeypatch.setattr(TaskTrainer, "_write_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        train(Recipe.of({**settings, "output_dir": str(folder)}))
    with pytest.raises(EventuneError, match="not finished"):
        open_run(folder)
    before = (folder / "detection" / "result.json").stat().st_mtime_ns
    monkeypatch.setattr(TaskTrainer, "_write_checkpoint", write)
    train(Recipe.of({**settings, "output_dir": str(folder), "resume_from_checkpoint": True}))

    assert (folder / "detection" / "result.json").stat().st_mtime_ns == before
    assert weights(folder) == weights(run)
    assert (folder / "events.json").read_bytes() == (run / "events.json").read_bytes()


def test_a_merged_run_finds_the_same(run, gold, tmp_path):
    merged = merge_run(run, tmp_path / "merged")

    assert merged.difference < 1e-2
    one, other = (Extractor.load(path).extract_all(bare(gold)) for path in (run, tmp_path / "merged"))
    assert [[(e.type, e.trigger) for e in d.events] for d in one] == [
        [(e.type, e.trigger) for e in d.events] for d in other
    ]


def test_runs_that_do_not_do_their_part_are_not_joined(run, tiny_run):
    with pytest.raises(EventuneError, match="expected a run that finds triggers, found one with task: extraction"):
        Extractor.load(run / "arguments", detection=tiny_run)
    with pytest.raises(EventuneError, match="expected a run that finds arguments, found one with task: detection"):
        Extractor.load(run / "detection", detection=run / "detection")


def test_a_run_of_earlier_arguments_is_joined_with_a_detector(run, tiny_run, gold):
    found = Extractor.load(tiny_run, detection=run).extract_all(bare(gold))
    assert any(event.arguments for document in found for event in document.events)


def test_an_unfinished_step_is_named(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "arguments" / "result.json").unlink()
    with pytest.raises(EventuneError, match="arguments: the run is not finished"):
        Extractor.load(tmp_path / "run")


def test_it_is_overwritten_like_any_other(run, settings, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    few = {"num_train_epochs": 1, "detection": {"num_train_epochs": 1}, "overwrite_output_dir": True}
    train(Recipe.of({**settings, **few, "output_dir": str(tmp_path / "run")}))
    assert len((tmp_path / "run" / "history.jsonl").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(("step", "weights"), [("detection", b"damaged"), ("arguments", None)])
def test_an_earlier_run_is_left_alone_where_a_step_s_base_cannot_be_loaded(
    run, settings, tiny_encoder, step, weights, tmp_path
):
    shutil.copytree(run, tmp_path / "run")
    base = shutil.copytree(tiny_encoder, tmp_path / "base")
    (base / "model.safetensors").unlink()
    if weights:
        (base / "model.safetensors").write_bytes(weights)
    before = contents(tmp_path / "run")
    changes = {step: {"model_name_or_path": str(base)}, "overwrite_output_dir": True}

    with pytest.raises(EventuneError, match="base"):
        train(Recipe.of({**settings, **changes, "output_dir": str(tmp_path / "run")}))
    assert contents(tmp_path / "run") == before


def test_a_second_step_that_cannot_begin_leaves_the_first_one_to_go_on_from(settings, tiny_encoder, tmp_path):
    folder = tmp_path / "run"
    few = {**settings, "detection": {"num_train_epochs": 1}, "output_dir": str(folder)}
    with pytest.raises(EventuneError, match="nothing_like_it"):
        train(Recipe.of({**few, "arguments": {"lora_target_modules": "nothing_like_it"}}))
    assert (folder / "detection" / "result.json").is_file()


def test_wrong_settings_of_a_step_say_which_step(settings):
    wrong = {"detection": {"max_span_length": 3}, "output_dir": "run"}
    with pytest.raises(EventuneError, match="detection: max_span_length: expected 12 with task: detection, found 3"):
        Recipe.of({**settings, **wrong})
    with pytest.raises(EventuneError, match="detection: expected settings by name"):
        Recipe.of({**settings, "detection": "fast", "output_dir": "run"})
    with pytest.raises(EventuneError, match="measure: expected trigger_id or"):
        Recipe.of({**settings, "measure": "f1", "output_dir": "run"})


def test_each_step_reads_its_own_settings(settings):
    recipe = Recipe.of({**settings, "max_trigger_length": 3, "max_span_length": 9, "output_dir": "run"})
    steps = recipe.steps
    assert steps["detection"].own["detection"].max_trigger_length == 3
    assert steps["arguments"].own["extraction"].max_span_length == 9
    assert [step.optimisation.num_train_epochs for step in steps.values()] == [8, 2]


def test_a_step_that_was_not_trained_has_no_part_in_the_history(run, settings, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "result.json").unlink()
    (folder / "detection" / "history.jsonl").unlink()
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace(str(run), str(folder)), encoding="utf-8")
    train(Recipe.of({**settings, "output_dir": str(folder), "resume_from_checkpoint": True}))

    epochs = [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert epochs == ["arguments"] * 2


def test_several_processes_are_refused_before_anything_is_written(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(EventuneError, match="task: events: expected one process, found 2"):
        train(Recipe.of({**settings, "output_dir": str(tmp_path / "run")}))
    assert not (tmp_path / "run").exists()


def test_what_was_wrong_with_answers_is_counted_over_both_steps(run):
    annotator = Extractor.load(run).annotator
    first, second = annotator._steps
    first.counts["invalid"] += 2
    second.counts["invalid"] += 1
    second.counts["answers"] += 4

    assert annotator.counts == {"invalid": 3, "answers": 4}


def test_steps_costs_are_added_their_memory_is_the_greater_and_what_is_of_one_model_is_left_to_it():
    def cost(seconds, peak, documents):
        own = {"train_seconds": seconds, "gpu_energy_joules": 5.0, "peak_memory_bytes": peak, "steps": 4}
        model = {"trainable_parameters": 2, "total_parameters": 7, "masked_lm_loss_after": 3.0, "forgetting": 0.5}
        rates = {"tokens_per_second": 9.0, "gemm_share": 0.5, "documents_per_second": documents}
        return RunResult({}, {**own, **model, **rates})

    assert resources_of({"detection": cost(2.0, 80, 6.0), "arguments": cost(3.0, 50, 3.0)}) == {
        "train_seconds": 5.0,
        "gpu_energy_joules": 10.0,
        "peak_memory_bytes": 80,
        "steps": 8,
        "trainable_parameters": 4,
        "total_parameters": 14,
        "documents_per_second": 2.0,
    }
