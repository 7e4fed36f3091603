import json

import pytest

from eventune.corpora import describe
from eventune.corpora.statistics import STRUCTURE
from eventune.events import Argument, Document, Entity, Event, EventType, Mention, Ontology, Role, Span


def two_documents():
    attack = Event(
        "attack",
        Span(1, 2),
        (Argument("target", Span(2, 3)), Argument("target", Span(3, 5)), Argument("attacker", Span(0, 1))),
    )
    untriggered = Event("die", None, (Argument("victim", Span(3, 4)),))
    sentences = [["Rebels", "shelled", "Homs"], ["Many", "fled"]]
    return [
        Document.from_sentences("a", sentences, events=[attack, untriggered]),
        Document.from_sentences("b", [["Nothing"]]),
    ]


def test_totals_are_counted():
    figures = describe(two_documents())
    assert [figures[name] for name in ("documents", "events", "arguments", "sentences")] == [2, 2, 4, 3]
    assert figures["tokens"] == {"total": 6, "mean": 3.0, "max": 5, "distribution": {"1": 1, "5": 1}}
    assert figures["types"] == {"attack": 1, "die": 1}
    assert figures["roles"] == {"target": 2, "attacker": 1, "victim": 1}


def test_distributions_are_in_the_order_of_their_numbers():
    figures = describe(two_documents())
    assert list(figures["argument_tokens"]["distribution"].items()) == [("1", 3), ("2", 1)]
    assert list(figures["events_per_document"]["distribution"].items()) == [("0", 1), ("2", 1)]


def test_distance_counts_only_events_with_a_trigger():
    distance = describe(two_documents())["sentence_distance"]
    assert distance["distribution"] == {"0": 2, "1": 1}
    assert distance["cross_sentence_share"] == pytest.approx(1 / 3)


def test_roles_with_several_fillers_in_one_event_are_counted():
    assert describe(two_documents())["repeated_roles"] == {"target": 1}


def test_empty_roles_are_counted_over_the_types_that_the_ontology_knows():
    ontology = Ontology.of([EventType("attack", (Role("attacker"), Role("place"), Role("time")))])
    assert describe(two_documents(), ontology=ontology)["empty_role_share"] == pytest.approx(2 / 3)
    assert describe(two_documents())["empty_role_share"] is None


def test_no_documents_are_described_without_a_division_by_zero():
    figures = describe([], ontology=Ontology.of([]))
    assert figures["tokens"] == {"total": 0, "mean": 0.0, "max": 0, "distribution": {}}
    assert figures["empty_role_share"] == 0.0


def test_figures_are_json_and_documents_may_be_streamed():
    assert json.loads(json.dumps(describe(iter(two_documents())))) == describe(two_documents())


def test_development_split_of_rams_has_the_published_figures(rams_dev):
    figures = describe(rams_dev)
    assert [figures[name] for name in ("documents", "events", "arguments")] == [924, 924, 2188]
    assert figures["sentence_distance"]["cross_sentence_share"] == pytest.approx(377 / 2188)


def test_what_not_every_corpus_has_is_counted():
    pieces = Argument("Treatment.Drug", Span(0, 3), fragments=(Span(0, 1), Span(2, 3)))
    entities = [Entity((Mention(Span(0, 1)), Mention(Span(2, 3)))), Entity((Mention(Span(1, 2)),))]
    events = [Event("a", None, (pieces,))]
    documents = [Document.from_sentences("a", [["Rebels", "shelled", "Homs"]], events=events, entities=entities)]
    figures = describe([*documents, Document.from_sentences("b", [["Nothing"]])])
    assert {name: figures[name] for name in STRUCTURE} == {
        "documents_without_events": 1,
        "events_without_trigger": 1,
        "discontinuous_arguments": 1,
        "nested_roles": 1,
        "entities": 2,
        "mentions": 3,
        "coreference_clusters": 1,
    }
