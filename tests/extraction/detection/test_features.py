"""From documents to the detector's windows and back."""

import pytest

from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Span
from eventune.extraction.detection.features import TextEncoder
from eventune.extraction.detection.marks import TypeMark
from eventune.extraction.subwords import SubwordTokenizer

TYPES = Ontology.of(EventType(name, ()) for name in ("attack", "life.death"))


@pytest.fixture
def encoder(tokenizer):
    def make(ontology=TYPES, **options):
        return TextEncoder(
            SubwordTokenizer.of(tokenizer), ontology, **{"max_length": 256, "max_trigger_length": 3, **options}
        )

    return make


def document(words, *events):
    return Document.from_sentences("d", [words[:5], words[5:]], events=events)


WORDS = ["the", "bomb", "blew", "up", "and", "they", "died", "at", "once", "there"]


def test_gold_triggers_may_have_several_words_two_types_and_overlap(encoder):
    events = [
        Event("attack", Span(2, 4)),
        Event("life.death", Span(2, 4)),
        Event("attack", Span(3, 4)),
        Event("attack", Span(3, 4)),
    ]
    [text], coverage = encoder().encode([document(WORDS, *events)])

    assert text.gold == [(0, 2, 1), (1, 2, 1), (0, 3, 0)]
    assert (coverage.gold, coverage.unreachable) == (3, {})


def test_what_no_prediction_can_match_is_counted_by_reason(encoder):
    events = [
        Event("attack", Span(0, 4)),
        Event("attack", Span(4, 6)),
        Event("sale", Span(0, 1)),
        Event("attack", None),
    ]
    _, coverage = encoder().encode([document(WORDS, *events)])

    assert dict(coverage.unreachable) == {
        "longer than max_trigger_length 3": 1,
        "crosses a sentence boundary": 1,
        "event type not in the ontology": 1,
        "without a trigger": 1,
    }


def test_few_types_are_read_beside_the_text_and_many_by_themselves(encoder):
    few, many = encoder(), encoder(Ontology.of(EventType(f"type{n}", ()) for n in range(300)))

    assert few.beside
    assert not many.beside
    first, last = few.type_tokens[1]
    [text], _ = few.encode([document(WORDS)])
    assert text.input_ids[first : last + 1] == few.tokenizer.all_subwords(["life", "death"])
    assert set(text.marks[first : last + 1]) == {TypeMark.TYPE}
    [text], _ = many.encode([document(WORDS)])
    assert len(text.input_ids) < 100
    assert len(many.types) == 300


def test_a_description_is_read_behind_the_name(encoder):
    described = encoder(Ontology.of([EventType("attack", (), "armed violence")]), type_reading="vectors")
    [kind] = described.types
    assert kind.input_ids[1:-1] == described.tokenizer.all_subwords(["attack", ":", "armed", "violence"])
    assert kind.name_tokens == len(described.tokenizer.subwords("attack"))


def test_types_that_leave_no_room_beside_the_text_are_refused(encoder):
    with pytest.raises(EventuneError, match="leave too little room"):
        encoder(Ontology.of(EventType(f"type{n}", ()) for n in range(300)), type_reading="beside")


def test_a_long_text_is_read_in_windows_that_find_every_trigger(encoder):
    words = [f"{n}" for n in range(200)]
    triggers = [Event("attack", Span(n, n + 2)) for n in range(0, 198)]
    long = Document.from_sentences("d", [words], events=triggers)
    texts, _ = encoder(max_length=80).encode([long])

    assert len(texts) > 3
    assert all(len(text.input_ids) <= 80 for text in texts)
    found = {text.first_word + word for text in texts for _, word, _ in text.gold}
    assert found == set(range(198))


def test_of_a_partial_annotation_triggers_and_arguments_alone_are_known(encoder):
    event = Event("attack", Span(2, 4), (Argument("instrument", Span(1, 2)),))
    [text], _ = encoder().encode([document(WORDS, event)], partial=True)
    assert text.known == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    [text], _ = encoder().encode([document(WORDS, event)])
    assert text.known == [1] * 10
