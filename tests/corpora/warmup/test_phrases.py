import pytest

from eventune.corpora.warmup.assembling import assemble
from eventune.corpora.warmup.phrases import Filler, Mark, coordinate, parse_filler, unmark


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("the rebels@*", Filler("the", "rebels", "militia", plural=True, human=True)),
        ("a drug cartel", Filler("a", "drug cartel", "militia")),
        ("NATO", Filler("", "NATO", "militia")),
    ],
)
def test_an_entry_says_its_article_its_number_and_whether_it_is_human(entry, expected):
    assert parse_filler(entry, "militia") == expected


@pytest.mark.parametrize(
    ("phrases", "joined"), [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")]
)
def test_phrases_are_joined_as_english_does(phrases, joined):
    assert coordinate(phrases) == joined


def test_marks_are_taken_out_and_say_where_they_stood():
    text, marks = unmark("the ⟦0.attacker|rebels⟧, who fled,, ⟦0.!attack|fired⟧.")
    assert text == "The rebels, who fled, fired."
    assert [(text[mark.start : mark.end], mark.labels) for mark in marks] == [
        ("rebels", "0.attacker"),
        ("fired", "0.!attack"),
    ]
    assert isinstance(marks[0], Mark)


def test_marked_sentences_become_a_document_with_its_events():
    document = assemble("d", ["⟦0.attacker|Rebels⟧ ⟦0.!attack|fired⟧.", "⟦0.place|Mosul⟧ burned."])
    [event] = document.events
    assert (event.type, document.text_of(event.trigger)) == ("attack", "fired")
    assert {argument.role: document.text_of(argument.span) for argument in event.arguments} == {
        "attacker": "Rebels",
        "place": "Mosul",
    }


def test_a_sentence_that_is_cut_in_two_is_refused():
    with pytest.raises(ValueError, match="1 sentences were cut into 2"):
        assemble("d", ["⟦0.!attack|Fired⟧. It rained."])
