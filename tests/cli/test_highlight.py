"""How a document is shown."""

import io

from rich.console import Console

from eventune.cli.highlight import print_document
from eventune.events import Argument, Document, Event, Span

WORDS = ["Rebels", "shelled", "the", "[old]", "bridge", "of", "Homs", "."]


def shown(*events, **options):
    stream = io.StringIO()
    document = Document.from_sentences("d", [WORDS], events=events)
    print_document(Console(file=stream, highlight=False, markup=False, width=200, **options), document)
    return stream.getvalue()


def test_trigger_and_arguments_are_labelled_behind_their_words():
    arguments = Argument("attacker", Span(0, 1), 0.914), Argument("target", Span(2, 5), 0.5)
    assert shown(Event("attack", Span(1, 2), arguments)) == (
        "Rebels [attacker 0.91] shelled [attack] the [old] bridge [target 0.50] of Homs .\n"
    )


def test_labels_of_spans_with_one_end_share_a_bracket():
    arguments = Argument("target", Span(4, 7), 0.5), Argument("place", Span(6, 7))
    assert "bridge of Homs [target 0.50, place] ." in shown(Event("attack", None, arguments))


def test_each_event_is_shown_on_a_line_of_its_own():
    argument = Argument("place", Span(6, 7), 1.0)
    lines = shown(Event("attack", Span(1, 2), (argument,)), Event("build", Span(4, 5), (argument,))).splitlines()
    assert [("[attack]" in line, "[build]" in line) for line in lines] == [(True, False), (False, True)]


def test_an_event_without_arguments_says_so():
    assert shown(Event("attack", Span(1, 2))).endswith("no argument of attack found\n")


def test_colours_change_no_character():
    event = Event("attack", Span(1, 2), (Argument("target", Span(2, 5), 0.5),))
    coloured = Document.from_sentences("d", [WORDS], events=[event])
    console = Console(record=True, file=io.StringIO(), force_terminal=True, width=200, markup=False)
    print_document(console, coloured)
    assert console.export_text() == shown(event)
