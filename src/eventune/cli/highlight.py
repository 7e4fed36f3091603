"""Shows a document with its events: the text once, then each event with its trigger and its arguments.

A line an argument tells where a span begins and ends whatever the spans of the others are; in the text itself, where
spans may overlap, they are only coloured.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from eventune.cli.output import plain_table
from eventune.cli.terminal import printable
from eventune.events import Document, Event, Mention, Place

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red")
SHOWN_CHARACTERS = 2000
"""A longer text is not shown, only what was found in it."""


def print_document(console: Console, document: Document, *, with_arguments: bool = True) -> None:
    """Print a document: its text, and of each event type, trigger, and roles with their spans and probabilities.

    Args:
        console: Where to print.
        document: The document with what was found.
        with_arguments: Whether arguments were looked for, so that it is worth a word if there are none.
    """
    if len(document.text) <= SHOWN_CHARACTERS:
        console.print(_coloured(document))
    if not document.events:
        console.print("no event found", style="dim")
    for event in document.events:
        console.print()
        console.print(_head(document, event))
        table = plain_table("", "", "")
        table.show_header = False
        for column, justify in zip(table.columns, ("left", "left", "right"), strict=True):
            column.justify, column.no_wrap = justify, False  # type: ignore[assignment]
        for argument in event.arguments:
            score = "" if argument.score is None else f"{argument.score:.2f}"
            table.add_row(
                Text(f"  {printable(argument.role)}", style=_colour(event, argument.role)),
                _place(document, argument),
                score,
            )
        if event.arguments:
            console.print(table)
        elif with_arguments:
            console.print("  no argument found", style="dim")


def _head(document: Document, event: Event) -> Text:
    head = Text(printable(event.type), style="bold")
    if event.trigger is not None:
        trigger = event.mentions[0] if event.mentions else Mention(event.trigger)
        head.append(": ").append_text(_place(document, trigger))
    return head


def _place(document: Document, place: Place) -> Text:
    """Return the words of a place on one line, and where in the text they stand."""
    pieces = document.pieces_of(place)
    offsets = ", ".join(f"{piece.start}–{piece.end}" for piece in pieces)
    return Text(printable(" ".join(document.exact_text_of(place).split()))).append(f"  {offsets}", style="dim")


def _coloured(document: Document) -> Text:
    # rich takes some control characters out, and what follows them would be coloured in the wrong places.
    text = Text(printable(document.text))
    for style, place in _styles(document):
        for piece in document.pieces_of(place):
            text.stylize(style, piece.start, piece.end)
    return text


def _styles(document: Document) -> Iterator[tuple[str, Place]]:
    for event in document.events:
        for argument in event.arguments:
            yield f"bold {_colour(event, argument.role)}", argument
    for event in document.events:
        if event.trigger is not None:
            yield "reverse", event.mentions[0] if event.mentions else Mention(event.trigger)


def _colour(event: Event, role: str) -> str:
    roles = list(dict.fromkeys(argument.role for argument in event.arguments))
    return _COLOURS[roles.index(role) % len(_COLOURS)]
