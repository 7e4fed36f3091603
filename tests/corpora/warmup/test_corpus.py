import hashlib
import json
from collections import Counter, defaultdict
from itertools import pairwise

import pytest
import yaml

from eventune.corpora import warmup
from eventune.corpora.jsonl import read_document
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.events.segmentation import segment

# The corpus of the grammar as it is; what is trained on another one is to be trained anew.
SHA256 = {
    "warmup": "17ce287392e176169110bea946cecf6e377bba399da02a96124b5bc01894bc45",
    "warmup_ontology": "79181ed4cf7b5e570f945536e81db73d0fa3020f82656b78cf3b41f28f611ab5",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The corpus as it is made now, whatever a cache holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield {name: sample_file(name) for name in warmup.FILES}


@pytest.fixture(scope="module")
def documents(files):
    with files["warmup"].open(encoding="utf-8") as file:
        return [read_document(json.loads(line)) for line in file]


@pytest.fixture(scope="module")
def ontology(files):
    return Ontology.from_dict(yaml.safe_load(files["warmup_ontology"].read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def told(documents):
    return [(document, event) for document in documents for event in document.events]


def test_corpus_is_always_the_same(files):
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()} == SHA256


def test_corpus_is_made_once_and_kept_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path))
    made = []
    monkeypatch.setattr(warmup, "make_documents", lambda: made.append("made") or iter(()))
    assert sample_file("warmup").parent == sample_file("warmup_ontology").parent
    assert sample_file("warmup").is_relative_to(tmp_path)
    assert made == ["made"]


def test_another_grammar_has_another_place_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path))
    monkeypatch.setattr(warmup, "make_documents", lambda: iter(()))
    before = sample_file("warmup")
    monkeypatch.setattr(warmup, "grammar_hash", lambda: "0" * 64)
    assert sample_file("warmup") != before


def test_a_cache_that_cannot_be_written_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    with pytest.raises(EventuneError, match=r"expected a folder to keep warmup-corpus-.*\n.*set EVENTUNE_CACHE"):
        sample_file("warmup")


def test_documents_are_all_different(documents):
    assert len(documents) == warmup.SIZE + warmup.UNEVENTFUL
    assert len({document.id for document in documents}) == len(documents)
    assert len({document.text for document in documents}) == len(documents)


def test_ontology_describes_many_types_and_roles(ontology):
    roles = [role for event_type in ontology.types.values() for role in event_type.roles]
    assert len(ontology) >= 170
    assert len({role.name for role in roles}) >= 350
    assert all(event_type.description for event_type in ontology.types.values())
    assert all(role.description for role in roles)


def test_every_argument_has_a_role_of_its_type_and_every_role_occurs(told, ontology):
    wanted = {(name, role.name) for name, event_type in ontology.types.items() for role in event_type.roles}
    assert {(event.type, argument.role) for _, event in told for argument in event.arguments} == wanted


def test_no_role_has_more_fillers_than_the_ontology_allows(told, ontology):
    for document, event in told:
        counts = Counter(argument.role for argument in event.arguments)
        for role in ontology[event.type].roles:
            assert counts[role.name] <= role.multiplicity, document.id


def test_documents_have_one_to_fourteen_sentences_and_up_to_nine_events(documents):
    for document in documents:
        assert 1 <= len(document.sentences) <= 14, document.id
        assert len(document.events) <= 9, document.id
        assert segment(document.text) == (document.tokens, document.sentences), document.id


def test_some_documents_tell_of_no_event(documents):
    assert sum(not document.events for document in documents) == warmup.UNEVENTFUL


def test_spans_are_mostly_short_and_leave_articles_and_prepositions_out(told):
    lengths = Counter()
    for document, event in told:
        assert event.arguments, document.id
        for argument in event.arguments:
            words = document.words[argument.span.start : argument.span.end]
            lengths[len(words)] += 1
            assert words[0] not in ("a", "an", "the", "of", "by", "to"), words
            assert words[-1] not in (",", "."), words
    assert max(lengths) <= 12
    assert 0.04 <= sum(count for length, count in lengths.items() if length > 4) / lengths.total() <= 0.1


def test_no_argument_overlaps_another_or_its_trigger(told):
    for document, event in told:
        spans = sorted([argument.span for argument in event.arguments] + [event.trigger])
        assert all(one.end <= other.start for one, other in pairwise(spans)), document.id


def test_no_mark_or_slot_is_left_in_a_text(documents):
    for document in documents:
        assert not set("⟦⟧{}<>|\0\1^*@~") & set(document.text), document.text
        assert "  " not in document.text
        assert ",," not in document.text
        assert " ," not in document.text


def test_every_type_has_many_triggers(told, ontology):
    triggers = defaultdict(set)
    for document, event in told:
        triggers[event.type].add(document.text_of(event.trigger).lower())
    assert min(len(triggers[name]) for name in ontology.types) >= 8


def test_enough_arguments_stand_in_other_sentences_and_enough_roles_are_empty_or_filled_twice(told, ontology):
    sides, slots = Counter(), Counter()
    for document, event in told:
        own = document.sentence_of(event.trigger.start)
        for argument in event.arguments:
            sentence = document.sentence_of(argument.span.start)
            sides["before" if sentence < own else "after" if sentence > own else "same"] += 1
        counts = Counter(argument.role for argument in event.arguments)
        slots.update(min(counts[role.name], 2) for role in ontology[event.type].roles)
    assert sides["before"] / sides.total() >= 0.02
    assert (sides["before"] + sides["after"]) / sides.total() >= 0.12
    assert 0.3 <= slots[0] / slots.total() <= 0.35
    assert slots[2] / (slots[1] + slots[2]) >= 0.06


def test_some_fillers_are_pronouns(told):
    fillers = [document.text_of(argument.span).lower() for document, event in told for argument in event.arguments]
    pronouns = {"i", "you", "he", "she", "we", "they", "me", "him", "her", "us", "them", "his", "their"}
    assert 0.025 <= sum(filler in pronouns for filler in fillers) / len(fillers) <= 0.08
