import json
from collections import Counter, defaultdict
from itertools import pairwise

import pytest
import yaml

from eventune.corpora.jsonl import read_document
from eventune.corpora.sample import sample_file
from eventune.events import Ontology
from eventune.events.segmentation import segment

# That the shipped files are what the script makes is tested with the sample's, by the script's --check.


@pytest.fixture(scope="module")
def documents():
    with sample_file("warmup").open(encoding="utf-8") as file:
        return [read_document(json.loads(line)) for line in file]


@pytest.fixture(scope="module")
def ontology():
    return Ontology.from_dict(yaml.safe_load(sample_file("warmup_ontology").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def told(documents):
    return [(document, event) for document in documents for event in document.events]


def test_files_have_the_promised_sizes(documents):
    assert len(documents) == 2500
    assert sum(sample_file(name).stat().st_size for name in ("warmup", "warmup_ontology")) < 4_100_000
    assert len({document.id for document in documents}) == len(documents)
    assert len({document.text for document in documents}) == len(documents)


def test_ontology_describes_many_types_and_roles(ontology):
    roles = [role for event_type in ontology.types.values() for role in event_type.roles]
    assert len(ontology) >= 70
    assert len({role.name for role in roles}) >= 70
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


def test_documents_have_one_to_six_sentences_and_up_to_five_events(documents):
    for document in documents:
        assert 1 <= len(document.sentences) <= 6, document.id
        assert len(document.events) <= 5, document.id
        assert segment(document.text) == (document.tokens, document.sentences), document.id


def test_some_documents_tell_of_no_event(documents):
    assert sum(not document.events for document in documents) == 300


def test_spans_are_short_and_leave_articles_and_prepositions_out(told):
    for document, event in told:
        assert event.arguments, document.id
        for argument in event.arguments:
            words = document.words[argument.span.start : argument.span.end]
            assert 1 <= len(words) <= 6, words
            assert words[0].lower() not in ("a", "an", "the", "of", "by", "to"), words
            assert words[-1] not in (",", "."), words


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
    assert sides["before"] / sides.total() >= 0.03
    assert (sides["before"] + sides["after"]) / sides.total() >= 0.12
    assert slots[0] / slots.total() >= 0.2
    assert slots[2] / (slots[1] + slots[2]) >= 0.08


def test_some_fillers_are_pronouns(told):
    fillers = [document.text_of(argument.span).lower() for document, event in told for argument in event.arguments]
    pronouns = {"i", "you", "he", "she", "we", "they", "me", "him", "her", "us", "them", "his", "their"}
    assert 0.04 <= sum(filler in pronouns for filler in fillers) / len(fillers) <= 0.08
