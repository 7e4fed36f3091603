import pytest

from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Mention, Span


def two_sentences(**options):
    return Document.from_sentences("d", [["Rebels", "shelled", "Homs"], ["Many", "fled"]], **options)


@pytest.mark.parametrize(("start", "end"), [(1, 1), (2, 1), (-1, 1), (0.0, 1), (False, 1), ("0", 1)])
def test_span_must_be_a_non_empty_range_of_integers(start, end):
    with pytest.raises(InvalidValueError, match=r"span: expected integers 0 <= start < end, found \["):
        Span(start, end)


def test_adjacent_spans_do_not_overlap():
    assert not Span(0, 2).overlaps(Span(2, 3))
    assert Span(0, 2).overlaps(Span(1, 3))


def test_span_contains_itself_but_not_a_longer_one():
    assert Span(1, 3).contains(Span(1, 3))
    assert not Span(1, 3).contains(Span(1, 4))
    assert len(Span(1, 3)) == 2


def test_document_from_sentences_keeps_words_and_sentence_bounds():
    document = two_sentences()
    assert document.text == "Rebels shelled Homs\nMany fled"
    assert document.words == ("Rebels", "shelled", "Homs", "Many", "fled")
    assert document.sentences == (Span(0, 3), Span(3, 5))


def test_empty_sentences_are_left_out():
    assert Document.from_sentences("d", [[], ["a"], []]).sentences == (Span(0, 1),)


def test_document_without_a_word_is_allowed():
    assert Document.from_sentences("d", []).words == ()


def test_empty_word_is_refused_with_its_place():
    with pytest.raises(InvalidValueError, match=r"sentences\[1\]\[0\]: expected a non-empty string, found ''"):
        Document.from_sentences("d", [["a"], [""]])


def test_text_of_a_span_crosses_sentences():
    document = two_sentences()
    assert document.text_of(Span(2, 4)) == "Homs\nMany"
    assert document.characters_of(Span(2, 3)) == Span(15, 19)


def test_sentence_of_finds_first_and_last_token_of_each_sentence():
    assert [two_sentences().sentence_of(token) for token in range(5)] == [0, 0, 0, 1, 1]


def test_argument_outside_the_document_names_its_field():
    event = Event("attack", Span(1, 2), (Argument("place", Span(2, 3)), Argument("place", Span(4, 6))))
    with pytest.raises(InvalidValueError, match=r"events\[0\]\.arguments\[1\]\.span: .* 5 tokens, found \[4, 6\)"):
        two_sentences(events=[event])


def test_trigger_outside_the_document_names_its_field():
    with pytest.raises(InvalidValueError, match=r"events\[0\]\.trigger"):
        two_sentences(events=[Event("attack", Span(5, 6))])


def test_overlapping_tokens_are_refused():
    with pytest.raises(InvalidValueError, match=r"tokens\[1\]: expected a start >= 2, found 1"):
        Document("d", "abc", (Span(0, 2), Span(1, 3)), (Span(0, 2),))


def test_token_outside_the_text_is_refused():
    with pytest.raises(InvalidValueError, match=r"tokens\[0\]: expected an end <= 3"):
        Document("d", "abc", (Span(0, 4),), (Span(0, 1),))


@pytest.mark.parametrize("sentences", [(), (Span(0, 1),), (Span(1, 2),), (Span(0, 1), Span(0, 2)), (Span(0, 3),)])
def test_sentences_must_cover_all_tokens_once(sentences):
    with pytest.raises(InvalidValueError, match="sentences"):
        Document("d", "ab", (Span(0, 1), Span(1, 2)), sentences)


def test_names_must_not_be_empty():
    with pytest.raises(InvalidValueError, match="role: expected a non-empty string"):
        Argument("", Span(0, 1))
    with pytest.raises(InvalidValueError, match="type: expected a non-empty string"):
        Event("", None)
    with pytest.raises(InvalidValueError, match="id: expected a non-empty string"):
        Document("", "", (), ())


def test_with_events_replaces_events_and_nothing_else():
    document = two_sentences(metadata={"source_url": "x"})
    changed = document.with_events([Event("attack", Span(1, 2))])
    assert changed.events == (Event("attack", Span(1, 2)),)
    assert changed.with_events([]) == document


def test_with_arguments_replaces_arguments_and_nothing_else():
    event = Event(
        "attack",
        Span(1, 2),
        (Argument("place", Span(2, 3)),),
        "e1",
        (Mention(Span(1, 2), "t1"), Mention(Span(4, 5), "t2")),
        {"tense": "past"},
    )
    changed = event.with_arguments([Argument("attacker", Span(0, 1))])
    assert changed.arguments == (Argument("attacker", Span(0, 1)),)
    assert changed.with_arguments(event.arguments) == event


def test_arguments_that_stand_nowhere_in_the_text_go_with_the_others():
    event = Event("attack", Span(1, 2), attributes={"unplaced": [{"role": "place", "argument": "Aleppo"}], "tense": 1})
    assert event.with_arguments([]).attributes == {"tense": 1}


def test_documents_can_be_hashed_and_duplicate_arguments_are_kept():
    argument = Argument("place", Span(2, 3))
    document = two_sentences(events=[Event("attack", None, (argument, argument))])
    assert len(document.events[0].arguments) == 2
    assert len({document, two_sentences()}) == 2
