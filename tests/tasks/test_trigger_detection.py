"""`task: detection` from recipe to run and back."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus, write_corpus, write_ontology
from eventune.errors import EventuneError
from eventune.events import Document, Event, EventType, Ontology, Span
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.merging import merge_run
from eventune.runs.splits import read_splits
from eventune.runs.training import train
from eventune.tasks.trigger_detection import TriggerDetection

SENTENCES = {
    "rebels blew up the bridge": [("attack", 1, 3), ("damage", 1, 3)],
    "the army shelled the town": [("attack", 2, 3)],
    "a fire broke out there": [("damage", 1, 4), ("attack", 2, 4)],
    "the mayor went home": [],
    "they opened a shop": [],
}
ONTOLOGY = Ontology.of(EventType(name, ()) for name in ("attack", "damage"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two types on one span, triggers that overlap, several words, sentences without events."""
    folder = tmp_path_factory.mktemp("triggers")
    documents = [
        Document.from_sentences(
            f"d{n}", [text.split()], events=[Event(kind, Span(start, end)) for kind, start, end in triggers]
        )
        for n, (text, triggers) in enumerate(SENTENCES.items())
    ]
    write_corpus(documents, folder / "train.jsonl")
    write_ontology(ONTOLOGY, folder / "ontology.yaml")
    return folder


@pytest.fixture(scope="module")
def settings(corpus, tiny_encoder):
    return {
        "task": "detection",
        "model_name_or_path": str(tiny_encoder),
        "train_file": str(corpus / "train.jsonl"),
        "dev_file": str(corpus / "train.jsonl"),
        "ontology_file": str(corpus / "ontology.yaml"),
        "per_device_train_batch_size": 5,
        "num_train_epochs": 40,
        "learning_rate": 1e-2,
        "head_learning_rate": 1e-2,
        "head_dropout": 0.0,
        "hidden_dropout": 0.0,
    }


def triggers(documents):
    return [{(event.type, event.trigger) for event in document.events} for document in documents]


def task_of(recipe):
    base = resolve(recipe.model.model_name_or_path, revision="")
    return TriggerDetection.from_recipe(recipe, read_splits(recipe.data, print), base, Placement.of("cpu"))


TOP_LAYERS = {"trained_layers": 1, "all_layers_epochs": 1, "num_train_epochs": 2, "word_dropout": 0.0}


def test_the_top_layers_alone_are_trained_where_types_stand_beside_the_text(settings, tmp_path):
    result = train(Recipe.of({**settings, **TOP_LAYERS, "type_reading": "beside", "output_dir": str(tmp_path / "run")}))
    assert result.scores


def test_kept_states_are_refused_where_types_are_read_by_themselves(settings, tmp_path):
    recipe = Recipe.of({**settings, **TOP_LAYERS, "type_reading": "vectors", "output_dir": str(tmp_path / "run")})
    with pytest.raises(EventuneError, match="trained_layers: expected 0 where types are read by themselves"):
        train(recipe)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("type_reading", ["beside", "vectors"])
def test_it_learns_a_tiny_corpus_by_heart_and_finds_it_again_when_it_is_loaded(
    settings, corpus, tmp_path, type_reading
):
    run = tmp_path / "run"
    result = train(Recipe.of({**settings, "type_reading": type_reading, "output_dir": str(run)}))

    assert result.scores["dev"]["measure"] == "trigger_cls"
    gold = read_corpus(corpus / "train.jsonl").documents
    bare = [document.with_events(()) for document in gold]
    extractor = Extractor.load(run)
    assert triggers(extractor.extract_all(bare)) == triggers(gold)
    assert triggers([extractor.extract(bare[0])]) == triggers(gold[:1])

    assert merge_run(run, tmp_path / "merged").difference < 1e-3
    assert triggers(Extractor.load(tmp_path / "merged").extract_all(bare)) == triggers(gold)
    assert triggers(Extractor.load(run, dtype="bfloat16").extract_all(bare)) == triggers(gold)


def test_a_killed_run_goes_on_and_ends_in_the_same_bits(settings, tmp_path, monkeypatch):
    from eventune.training.trainer import TaskTrainer

    settings = {**settings, "num_train_epochs": 3, "type_reading": "vectors", "head_dropout": 0.1, "word_dropout": 0.1}
    monkeypatch.setattr("eventune.extraction.detection.task.TYPES_A_BATCH", 1)
    train(Recipe.of({**settings, "output_dir": str(tmp_path / "whole")}))

    write, count = TaskTrainer._write_checkpoint, []

    def killed(self, *arguments, **options):
        write(self, *arguments, **options)
        count.append(1)
        if len(count) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(TaskTrainer, "_write_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        train(Recipe.of({**settings, "output_dir": str(tmp_path / "killed")}))
    monkeypatch.setattr(TaskTrainer, "_write_checkpoint", write)
    train(Recipe.of({**settings, "output_dir": str(tmp_path / "killed"), "resume_from_checkpoint": True}))

    one, other = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "killed"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("count", [1, 300])
def test_ontologies_of_one_and_of_three_hundred_types_train(settings, corpus, tmp_path, count):
    names = ["attack", "damage", *(f"kind{n}.of{n}" for n in range(298))][:count]
    write_ontology(Ontology.of(EventType(name, ()) for name in names), tmp_path / "ontology.yaml")
    documents = [
        document.with_events(event for event in document.events if event.type in names)
        for document in read_corpus(corpus / "train.jsonl")
    ]
    write_corpus(documents, tmp_path / "train.jsonl")
    files = {"train_file": str(tmp_path / "train.jsonl"), "dev_file": str(tmp_path / "train.jsonl")}
    own = {"ontology_file": str(tmp_path / "ontology.yaml"), "num_train_epochs": 2, "output_dir": str(tmp_path / "run")}
    train(Recipe.of({**settings, **files, **own}))

    held = json.loads((tmp_path / "run" / "extractor.json").read_text(encoding="utf-8"))
    assert held["type_reading"] == ("beside" if count == 1 else "vectors")
    assert len(Extractor.load(tmp_path / "run").extract_all(documents)) == len(documents)


@pytest.fixture
def partial_file(tmp_path):
    """A corpus that marks some events only."""
    sentences = [[f"w{n}" for n in range(15)] for _ in range(5)]
    documents = [Document.from_sentences(f"d{n}", sentences, events=[Event("attack", Span(3, 4))]) for n in range(60)]
    write_corpus(documents, tmp_path / "partial.jsonl")
    return str(tmp_path / "partial.jsonl")


def test_a_corpus_with_one_event_in_each_of_many_long_documents_is_refused(settings, partial_file, tmp_path):
    own = {"train_file": partial_file, "num_train_epochs": 1, "output_dir": str(tmp_path / "run")}
    with pytest.raises(EventuneError, match="events may be there that are not marked"):
        train(Recipe.of({**settings, **own}))
    assert not (tmp_path / "run").exists()

    train(Recipe.of({**settings, **own, "partial_annotation": True}))
    assert (tmp_path / "run" / "result.json").is_file()


def test_such_a_corpus_to_train_on_first_is_refused_and_is_no_source_of_negatives(settings, partial_file, tmp_path):
    own = {"pretrain_file": partial_file, "output_dir": str(tmp_path / "run")}
    own["pretrain_ontology_file"] = settings["ontology_file"]
    with pytest.raises(EventuneError, match="pretrain_file: every document has exactly one event"):
        task_of(Recipe.of({**settings, **own}))

    partial = task_of(Recipe.of({**settings, **own, "partial_annotation": True}))
    assert not any(all(example.known) for example in partial.pretraining.examples)
    own["pretrain_file"] = settings["train_file"]
    whole = task_of(Recipe.of({**settings, **own, "partial_annotation": True}))
    assert all(all(example.known) for example in whole.pretraining.examples)


def untriggered(documents):
    return [replace(d, events=tuple(replace(event, trigger=None) for event in d.events)) for d in documents]


@pytest.mark.parametrize("setting", ["train_file", "pretrain_file"])
@pytest.mark.parametrize("partial_annotation", [False, True])
def test_a_corpus_whose_events_have_no_triggers_is_refused(settings, tmp_path, setting, partial_annotation):
    write_corpus(untriggered(read_corpus(settings["train_file"])), tmp_path / "untriggered.jsonl")
    own = {"partial_annotation": partial_annotation, setting: str(tmp_path / "untriggered.jsonl")}
    recipe = Recipe.of({**settings, **own, "output_dir": str(tmp_path / "run")})

    with pytest.raises(EventuneError, match=f"^{setting}: expected triggers to learn from, found 5 events") as raised:
        task_of(recipe)
    assert "task: extraction" in raised.value.hint


def test_many_long_documents_without_triggers_are_not_said_to_be_partly_annotated(settings, partial_file, tmp_path):
    write_corpus(untriggered(read_corpus(partial_file)), tmp_path / "untriggered.jsonl")
    own = {"task": "events", "train_file": str(tmp_path / "untriggered.jsonl"), "output_dir": str(tmp_path / "run")}
    with pytest.raises(EventuneError, match="train_file: expected triggers to learn from, found 60 events without one"):
        train(Recipe.of({**settings, **own}))
    assert not (tmp_path / "run").exists()


def test_some_events_may_have_no_trigger_and_a_corpus_may_have_no_event(settings, tmp_path):
    first, *others = read_corpus(settings["train_file"])
    for name, documents in {"some": [first, *untriggered(others)], "none": [first.with_events(())]}.items():
        write_corpus(documents, tmp_path / f"{name}.jsonl")
        recipe = Recipe.of({**settings, "train_file": str(tmp_path / f"{name}.jsonl"), "output_dir": "run"})
        assert task_of(recipe).examples


def test_lines_of_a_negative_file_are_trained_on_as_texts_without_events(settings, tmp_path):
    (tmp_path / "negatives.txt").write_text("the army shelled the town\n\nnothing here\n", encoding="utf-8")
    own = {"negative_file": str(tmp_path / "negatives.txt"), "num_train_epochs": 1}
    recipe = Recipe.of({**settings, **own, "output_dir": str(tmp_path / "run")})

    task = task_of(recipe)
    assert len(task.examples) == len(SENTENCES) + 2
    assert [len(example.word_starts) for example in task.examples[-2:]] == [5, 2]
    assert not task.examples[-1].gold
    result = train(recipe)
    assert result.data["train"]["documents"] == len(SENTENCES)
    read = result.resources["documents_per_second"] * result.resources["seconds_per_epoch"]
    assert read == pytest.approx(len(SENTENCES) + 2)


def test_settings_of_arguments_are_refused(settings):
    with pytest.raises(EventuneError, match="max_span_length: expected 12 with task: detection, found 3"):
        Recipe.of({**settings, "output_dir": "run", "max_span_length": 3})


def test_an_empty_text_and_one_without_an_end_are_read(settings, tmp_path):
    train(Recipe.of({**settings, "num_train_epochs": 1, "output_dir": str(tmp_path / "run")}))
    extractor = Extractor.load(tmp_path / "run")
    empty = Document("empty", "", (), ())
    long = Document.from_sentences("long", [["word"] * 3000])
    found = extractor.extract_all([empty, long])
    assert found[0] == empty
    assert replace(found[1], events=()) == long
