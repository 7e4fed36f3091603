"""A causal LM that lists triggers, alone and as the first of two steps."""

import json
from dataclasses import replace

import pytest

from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus, write_corpus, write_ontology
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.generation.extracting.endpoint import Endpoint
from eventune.inference.endpoint import endpoint_extractor
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.splits import read_splits
from eventune.runs.training import train
from eventune.tasks.generative_detection import GenerativeDetection

ONTOLOGY = Ontology.of([EventType("attack", (Role("attacker"),)), EventType("damage", (Role("thing"),))])
SENTENCES = {
    "rebels shot soldiers": [("attack", 1, "attacker", 0)],
    "rebels burnt bridges": [("attack", 1, "attacker", 0), ("damage", 1, "thing", 2)],
    "they went home": [],
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("triggers")
    documents = [
        Document.from_sentences(
            f"d{number}",
            [text.split()],
            events=[
                Event(kind, Span(at, at + 1), (Argument(role, Span(word, word + 1)),))
                for kind, at, role, word in events
            ],
        )
        for number, (text, events) in enumerate(SENTENCES.items())
    ]
    again = [replace(document, id=f"{document.id}-{time}") for time in range(8) for document in documents]
    write_corpus(again, folder / "train.jsonl")
    write_corpus(documents, folder / "dev.jsonl")
    write_ontology(ONTOLOGY, folder / "ontology.yaml")
    return folder


@pytest.fixture(scope="module")
def settings(corpus, tiny_llm):
    return {
        "task": "generative-detection",
        "model_name_or_path": str(tiny_llm),
        "train_file": str(corpus / "train.jsonl"),
        "dev_file": str(corpus / "dev.jsonl"),
        "ontology_file": str(corpus / "ontology.yaml"),
        "method": "full",
        "learning_rate": 5e-3,
        "num_train_epochs": 12,
        "per_device_train_batch_size": 4,
        "load_best_model_at_end": False,
        "max_trigger_length": 2,
        "max_new_tokens": 64,
    }


@pytest.fixture(scope="module")
def run(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "detection"
    train(Recipe.of({**settings, "output_dir": str(folder)}))
    return folder


def triggers(documents):
    return [[(event.type, event.trigger) for event in document.events] for document in documents]


def test_it_learns_a_tiny_corpus_by_heart_and_finds_it_again_when_it_is_loaded(run, corpus):
    gold = read_corpus(corpus / "dev.jsonl").documents
    extractor = Extractor.load(run)

    found = extractor.extract_all([document.with_events(()) for document in gold])

    assert triggers(found) == triggers(gold)
    assert all(0 < event.attributes["score"] <= 1 for document in found for event in document.events)
    assert all(not event.arguments for document in found for event in document.events)
    result = json.loads((run / "result.json").read_text())
    assert (result["scores"]["dev"]["measure"], result["scores"]["dev"]["metrics"]["f1"]) == ("trigger_cls", 1.0)
    assert result["data"]["dev"]["events"] == 3


def test_the_run_keeps_the_roles_of_its_ontology(run):
    assert Extractor.load(run).ontology == ONTOLOGY


def test_a_text_longer_than_a_prompt_is_asked_about_in_parts(settings, corpus, tmp_path):
    words = "rebels shot soldiers and"
    longer = Document.from_sentences("long", [words.split()] * 6)
    events = [Event("attack", Span(at, at + 1)) for at in range(1, 24, 4)]
    write_corpus([longer.with_events(events)], tmp_path / "long.jsonl")
    changes = {"train_file": str(tmp_path / "long.jsonl"), "dev_file": "", "num_train_epochs": 1, "max_length": 340}

    result = train(Recipe.of({**settings, **changes, "output_dir": str(tmp_path / "run")}))

    assert result.data["train"] == {"documents": 1, "events": 6, "arguments": 0, "unreachable": {}}


def test_types_that_leave_no_room_for_a_word_are_refused(settings, tmp_path):
    recipe = Recipe.of({**settings, "max_length": 64, "output_dir": str(tmp_path / "run")})
    with pytest.raises(EventuneError, match="the event types alone are longer"):
        train(recipe)
    assert not (tmp_path / "run").exists()


def test_a_corpus_that_marks_some_events_only_is_refused(settings, tmp_path):
    sentence = ["word"] * 40
    documents = [
        Document.from_sentences(f"d{n}", [sentence, sentence], events=[Event("attack", Span(3, 4))]) for n in range(60)
    ]
    write_corpus(documents, tmp_path / "partial.jsonl")
    changes = {"train_file": str(tmp_path / "partial.jsonl"), "output_dir": str(tmp_path / "run")}
    with pytest.raises(EventuneError, match="events may be there that are not marked"):
        train(Recipe.of({**settings, **changes}))


def test_a_corpus_whose_events_have_no_triggers_is_refused(settings, corpus, tmp_path):
    documents = [
        replace(document, events=tuple(replace(event, trigger=None) for event in document.events))
        for document in read_corpus(corpus / "train.jsonl")
    ]
    write_corpus(documents, tmp_path / "untriggered.jsonl")
    changes = {"train_file": str(tmp_path / "untriggered.jsonl"), "output_dir": str(tmp_path / "run")}
    with pytest.raises(EventuneError, match="train_file: expected triggers to learn from, found 24 events without one"):
        train(Recipe.of({**settings, **changes}))


def test_texts_of_a_negative_file_are_trained_on_and_told_beside_the_corpus(settings, tmp_path):
    (tmp_path / "negatives.txt").write_text("they came\n\nthey left\n", encoding="utf-8")
    own = {"negative_file": str(tmp_path / "negatives.txt"), "output_dir": str(tmp_path / "run")}
    recipe = Recipe.of({**settings, **own})
    base = resolve(recipe.model.model_name_or_path)
    task = GenerativeDetection.from_recipe(recipe, read_splits(recipe.data, print), base, Placement.of("cpu"))

    assert len(task.examples) == 8 * len(SENTENCES) + 2
    assert task.data().keys() == {"train", "dev", "negative_file"}
    assert task.data()["train"]["documents"] == 8 * len(SENTENCES)
    assert task.data()["negative_file"] == {"documents": 2, "events": 0, "arguments": 0, "unreachable": {}}


def test_two_steps_of_one_causal_lm_write_whole_events(settings, corpus, tmp_path):
    shared = {name: value for name, value in settings.items() if name not in {"task", "max_new_tokens"}}
    del shared["max_trigger_length"]
    written = {"max_new_tokens": 64}
    steps = {
        "detection": {"task": "generative-detection", "max_trigger_length": 2, **written},
        "arguments": {"task": "generation", "num_train_epochs": 20, **written},
    }
    result = train(Recipe.of({**shared, **steps, "task": "events", "output_dir": str(tmp_path / "run")}))

    assert result.scores["dev"]["measures"]["argument_attached_cls"]["metrics"]["f1"] == 1.0
    gold = read_corpus(corpus / "dev.jsonl").documents
    found = Extractor.load(tmp_path / "run").extract_all([document.with_events(()) for document in gold])
    assert triggers(found) == triggers(gold)
    assert [[a.span for e in d.events for a in e.arguments] for d in found] == [
        [a.span for e in d.events for a in e.arguments] for d in gold
    ]


def test_a_server_is_not_asked_for_arguments_with_its_questions(run):
    with pytest.raises(EventuneError, match="found one with task: generative-detection"):
        endpoint_extractor(run, Endpoint("http://localhost:1/v1", "any"))


def test_a_model_is_tried_as_it_is_on_any_corpus(settings, tmp_path):
    sentence = ["word"] * 40
    documents = [
        Document.from_sentences(f"d{n}", [sentence, sentence], events=[Event("attack", Span(3, 4))]) for n in range(60)
    ]
    write_corpus(documents, tmp_path / "partial.jsonl")
    changes = {"train_file": str(tmp_path / "partial.jsonl"), "num_train_epochs": 0, "method": "lora"}
    result = train(Recipe.of({**settings, **changes, "output_dir": str(tmp_path / "run")}))
    assert result.scores["dev"]["measure"] == "trigger_cls"
