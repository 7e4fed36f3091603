"""How a document is shown."""

import io
import re

import pytest
from rich.console import Console

from eventune.cli.highlight import SHOWN_CHARACTERS, print_document
from eventune.corpora.raw_text import document_of
from eventune.events import Argument, Document, Event, Span

WORDS = ["Rebels", "shelled", "the", "[old]", "bridge", "of", "Homs", "."]
TEXT = "Rebels shelled the [old] bridge of Homs ."


def shown(*events, words=WORDS, width=200, with_arguments=True, **options):
    stream = io.StringIO()
    document = Document.from_sentences("d", [words], events=events)
    print_document(
        Console(file=stream, highlight=False, markup=False, width=width, **options),
        document,
        with_arguments=with_arguments,
    )
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_spans_are_told_by_their_words_and_where_they_begin_and_end():
    arguments = Argument("attacker", Span(0, 1), 0.914), Argument("target", Span(2, 5), 0.5)
    assert shown(Event("attack", Span(1, 2), arguments)) == [
        TEXT,
        "",
        "attack: shelled  7–14",
        "  attacker  Rebels  0–6              0.91",
        "  target    the [old] bridge  15–31  0.50",
    ]


def test_spans_that_overlap_have_a_line_each():
    arguments = Argument("target", Span(4, 7), 0.5), Argument("place", Span(5, 7))
    assert shown(Event("attack", None, arguments))[2:] == [
        "attack",
        "  target  bridge of Homs  25–39  0.50",
        "  place   of Homs  32–39",
    ]


def test_pieces_are_told_apart():
    argument = Argument("target", Span(2, 5), fragments=(Span(2, 3), Span(4, 5)))
    assert "  target  the bridge  15–18, 25–31" in shown(Event("attack", None, (argument,)))


def test_the_text_is_shown_once_for_all_events():
    argument = Argument("place", Span(6, 7), 1.0)
    lines = shown(Event("attack", Span(1, 2), (argument,)), Event("build", Span(4, 5), (argument,)))
    assert lines.count(TEXT) == 1
    assert [line for line in lines if ": " in line] == ["attack: shelled  7–14", "build: bridge  25–31"]


def test_what_is_missing_is_said():
    assert shown(Event("attack", Span(1, 2)))[-1] == "  no argument found"
    assert shown(Event("attack", Span(1, 2)), with_arguments=False)[-1] == "attack: shelled  7–14"
    assert shown() == [TEXT, "no event found"]


def test_a_long_text_is_not_shown():
    lines = shown(Event("attack", Span(1, 2)), words=WORDS * SHOWN_CHARACTERS)
    assert lines == ["", "attack: shelled  7–14", "  no argument found"]


@pytest.mark.parametrize("width", [24, 40])
def test_a_narrow_terminal_loses_nothing(width):
    argument = Argument("target", Span(0, 8), 0.5)
    lines = shown(Event("attack", Span(1, 2), (argument,)), width=width)
    assert max(map(len, lines)) <= width
    assert "0.50" in " ".join(lines)
    assert "Homs" in " ".join(lines[3:])


@pytest.mark.parametrize("before", ["One.\r\n\r\n", "One.\f\b\a ", "One\t\ttwo.\r\n"])
def test_control_characters_shift_no_colour(before):
    document = document_of(f"{before}They [[shot|attack]] him.")
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system="standard", width=200, markup=False)
    print_document(console, document)
    assert re.findall(r"\x1b\[7m(.*?)\x1b\[0m", stream.getvalue()) == ["shot"]


def test_colours_change_no_character():
    event = Event("attack", Span(1, 2), (Argument("target", Span(2, 5), 0.5),))
    document = Document.from_sentences("d", [WORDS], events=[event])
    console = Console(record=True, file=io.StringIO(), force_terminal=True, width=200, markup=False)
    print_document(console, document)
    assert [line.rstrip() for line in console.export_text().splitlines()] == shown(event)
