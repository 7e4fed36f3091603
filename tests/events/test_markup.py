"""Raw text whose triggers are marked by hand."""

import pytest

from eventune.errors import EventuneError
from eventune.events import Span, parse_marked_text


def triggers(document):
    return [(event.type, document.text_of(event.trigger)) for event in document.events]


def test_mark_becomes_the_trigger_of_an_event_and_leaves_the_text():
    document = parse_marked_text("Gunmen [[shot|attack]] three soldiers in Mosul.", id="news")
    assert document.id == "news"
    assert document.text == "Gunmen shot three soldiers in Mosul."
    assert document.words == ("Gunmen", "shot", "three", "soldiers", "in", "Mosul", ".")
    assert [(event.type, event.trigger) for event in document.events] == [("attack", Span(1, 2))]


def test_each_mark_is_an_event_in_the_order_of_the_text():
    document = parse_marked_text(
        "Rebels [[shelled|conflict.attack]] Homs. Two people [[died|life.die]] in the [[blasts|conflict.attack]]."
    )
    assert triggers(document) == [("conflict.attack", "shelled"), ("life.die", "died"), ("conflict.attack", "blasts")]
    assert len(document.sentences) == 2
    assert document.events[1].trigger == Span(6, 7)


def test_offsets_lead_back_to_the_text_without_marks():
    document = parse_marked_text("  [[Arrested|arrest]]\n\n[[ on Monday |time]]")
    assert document.text == "  Arrested\n\non Monday"
    assert triggers(document) == [("arrest", "Arrested"), ("time", "on Monday")]
    for event in document.events:
        characters = document.characters_of(event.trigger)
        assert document.text[characters.start : characters.end] == document.text_of(event.trigger)


def test_trigger_may_have_several_words():
    document = parse_marked_text("They [[set fire to|attack]] a car.")
    assert document.events[0].trigger == Span(1, 4)


def test_trigger_that_is_part_of_a_word_takes_the_whole_word():
    document = parse_marked_text("An un[[expect|hope]]ed turn")
    assert document.text == "An unexpected turn"
    assert triggers(document) == [("hope", "unexpected")]


def test_chinese_trigger_is_marked_by_its_characters():
    document = parse_marked_text("公司宣布[[裁员|组织关系-裁员]]500人。")
    assert document.text == "公司宣布裁员500人。"
    assert triggers(document) == [("组织关系-裁员", "裁员")]


def test_single_brackets_and_bars_are_text():
    document = parse_marked_text("He [sic] said a|b and [[left|move]].")
    assert document.text == "He [sic] said a|b and left."
    assert triggers(document) == [("move", "left")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Gunmen shot three soldiers.",
        "Gunmen [[shot]] three soldiers.",
        "Gunmen [[shot|attack] three soldiers.",
        "Gunmen [[shot|attack three soldiers.",
        "Gunmen shot|attack]] three soldiers.",
        "Gunmen [[shot|attack]] three [[soldiers.",
        "Gunmen [[|attack]] three soldiers.",
        "Gunmen [[ |attack]] three soldiers.",
        "Gunmen [[shot| ]] three soldiers.",
        "Gunmen [[shot|attack|kill]] three soldiers.",
        "Gunmen [[[[shot|attack]]|kill]] three soldiers.",
    ],
)
def test_text_without_complete_marks_is_refused_with_an_example(text):
    with pytest.raises(EventuneError, match=r"expected .*\[\[trigger\|event type\]\].*, found") as raised:
        parse_marked_text(text)
    assert "[[shot|attack]]" in raised.value.hint


def test_the_error_shows_where_the_text_is_wrong():
    text = "A long and harmless beginning of a text, " * 5 + "and then [[a broken|mark."
    with pytest.raises(EventuneError, match=r"a broken\|mark"):
        parse_marked_text(text)
