from dataclasses import replace

import pytest

from eventune.corpora import Losses
from eventune.events import Argument, Document, Entity, Event, Mention, Span

ARGUMENT = Argument("place", Span(2, 3), 0.5, filler="m1", attributes={"certain": True})
EVENT = Event("attack", Span(1, 2), (ARGUMENT,), "e1", (Mention(Span(1, 2), "t1"), Mention(Span(0, 1))), {"n": 1})
ENTITY = Entity((Mention(Span(2, 3), "m1", "GPE"), Mention(Span(0, 1))), "c1", "place")
DOCUMENT = Document.from_sentences(
    "d", [["Rebels", "shelled", "Homs"], ["Again"]], events=[EVENT], metadata={"a": [1]}, entities=[ENTITY]
)


def losses(*after):
    found = Losses()
    found.add(DOCUMENT, after)
    return dict(found.counts)


def with_event(**changes):
    return DOCUMENT.with_events([replace(EVENT, **changes)])


def test_nothing_is_lost_of_the_same_document():
    assert losses(DOCUMENT) == {}
    assert not Losses()


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        (replace(DOCUMENT, metadata={}), {"metadata 'a'"}),
        (with_event(id=""), {"identifiers of events"}),
        (with_event(attributes={}), {"attribute 'n' of events"}),
        (with_event(mentions=()), {"triggers", "identifiers of triggers"}),
        (with_event(arguments=(replace(ARGUMENT, score=None),)), {"scores of arguments"}),
        (with_event(arguments=(replace(ARGUMENT, filler=""),)), {"identifiers of fillers"}),
        (with_event(arguments=(replace(ARGUMENT, attributes={}),)), {"attribute 'certain' of arguments"}),
    ],
)
def test_each_loss_is_named(after, kinds):
    assert set(losses(after)) == kinds


def test_coreference_is_lost_where_clusters_fall_apart():
    singles = tuple(Entity((mention,)) for mention in ENTITY.mentions)
    found = losses(replace(DOCUMENT, entities=singles))
    assert found["coreference between mentions"] == 1
    assert "mentions of entities" not in found


def test_a_document_without_records_is_lost_whole():
    assert losses()["documents"] == 1


def test_white_space_and_tokens_do_not_move_annotations():
    text = "Rebels  shelled\tHoms\nAgain"
    tokens = (Span(0, 6), Span(8, 15), Span(16, 20), Span(21, 26))
    after = Document("d", text, tokens, DOCUMENT.sentences, DOCUMENT.events, DOCUMENT.metadata, DOCUMENT.entities)
    assert set(losses(after)) == {"white space of texts"}


def test_parts_of_a_split_document_keep_what_they_have_together():
    other = replace(EVENT, type="die")
    found = Losses()
    found.add(DOCUMENT.with_events([EVENT, other]), [DOCUMENT, DOCUMENT.with_events([other])])
    assert dict(found.counts) == {}


def test_records_of_a_split_document_have_their_events_counted_together():
    twice = DOCUMENT.with_events([EVENT, EVENT])
    found = Losses()
    found.add(twice, [DOCUMENT, DOCUMENT])
    assert not found
    found.add(twice, [DOCUMENT])
    assert found.counts["events"] == 1
