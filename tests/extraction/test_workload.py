"""What makes a training slow is said with its figures."""

import pytest

from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.kinds import VARIANTS
from eventune.extraction.subwords import SubwordTokenizer
from eventune.extraction.workload import workload_notices


@pytest.fixture
def notices(tiny_encoder):
    """Notices of a training on some documents."""
    from eventune.backbones.load import load_tokenizer

    tokenizer = SubwordTokenizer.of(load_tokenizer(tiny_encoder))
    ontology = Ontology.of([EventType("attack", (Role("attacker"), Role("target", multiplicity=2)))])

    def notices(documents, *, extractor="joint", padded_length=0, **windows):
        builder = VARIANTS[extractor].builder(tokenizer, ontology, max_length=128, max_span_length=4, **windows)
        part = EncodedPart(documents, *builder.encode(documents))
        return list(workload_notices(part, extractor=extractor, max_length=128, padded_length=padded_length))

    return notices


def document(*, events, sentences=1):
    words = [["Rebels", "shelled", "the", "town", "again", "."]] * sentences
    attack = Event("attack", Span(1, 2), (Argument("attacker", Span(0, 1)),))
    return Document.from_sentences(f"{events}-{sentences}", words, events=[attack] * events)


def test_a_training_that_is_quick_says_nothing(notices):
    assert notices([document(events=2)]) == []
    assert notices([]) == []


def test_many_events_in_long_documents_are_told_with_their_windows(notices):
    [notice] = notices([document(events=30, sentences=60), document(events=1)])
    assert notice == (
        "an epoch reads 181 windows: each of 31 events by itself, in 5.8 windows of up to 128 tokens (2 documents); "
        "trigger_window: 96 reads each once, around its trigger"
    )


def test_a_window_is_advised_where_there_is_a_trigger_to_read_around(notices):
    long = document(events=30, sentences=120)
    [notice] = notices([long.with_events([Event("attack", None)])])
    assert "trigger_window" not in notice
    [notice] = notices([long], trigger_window=64)
    assert "trigger_window" not in notice


def test_a_second_reading_near_the_trigger_is_not_taken_for_one_of_a_filler(notices):
    assert notices([document(events=1, sentences=14)], near_window=16) == []


def test_an_input_for_every_filler_is_told_with_what_one_for_all_would_read(notices):
    [notice] = notices([document(events=2)], extractor="question")
    assert notice == (
        "extractor question reads each of 2 windows once for every filler that it asks for, 6 times an epoch; "
        "extractor: joint reads it once"
    )


def test_padding_is_told_with_the_work_that_it_makes(notices):
    [notice] = notices([document(events=1)], padded_length=128)
    assert notice.startswith("pad_to_max_length pads 1 windows to 128 tokens, where they have ")
    assert notice.endswith(" times the work")
    assert notices([document(events=1, sentences=14)], padded_length=128) == []
