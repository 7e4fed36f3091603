"""Shows a document with its triggers and arguments marked."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from eventune.events import Document

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red")


def print_document(console: Console, document: Document) -> None:
    """Print a document once for each of its events: the trigger bold, each argument with its role and probability.

    Args:
        console: Where to print.
        document: The document with the arguments found.
    """
    for event in document.events:
        opening: dict[int, list[tuple[str, str]]] = {}
        text = Text()
        marks = [] if event.trigger is None else [(document.characters_of(event.trigger), event.type, "bold reverse")]
        colours = {
            role: _COLOURS[n % len(_COLOURS)] for n, role in enumerate(dict.fromkeys(a.role for a in event.arguments))
        }
        for argument in event.arguments:
            score = "" if argument.score is None else f" {argument.score:.2f}"
            marks.append(
                (document.characters_of(argument.span), f"{argument.role}{score}", f"bold {colours[argument.role]}")
            )
        text = Text(document.text)
        for characters, _, style in marks:
            text.stylize(style, characters.start, characters.end)
        for characters, label, style in marks:
            opening.setdefault(characters.end, []).append((label, style.replace("bold ", "")))
        console.print(_with_labels(text, opening))
        if not event.arguments:
            console.print(f"no argument of {event.type} found", style="dim")


def _with_labels(text: Text, labels: dict[int, list[tuple[str, str]]]) -> Text:
    """Insert a bracketed label behind each marked span."""
    result = Text()
    position = 0
    for offset in sorted(labels):
        result.append_text(text[position:offset])
        result.append(
            f" [{', '.join(label for label, _ in labels[offset])}]",
            style=labels[offset][0][1].replace("reverse", "bold"),
        )
        position = offset
    result.append_text(text[position:])
    return result
