"""What is refused before a model is scored: an F1 of 0 would say that nothing was found."""

from __future__ import annotations

from collections.abc import Sequence

from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document
from eventune.scoring.definitions import SCORERS


def check_scorer(name: object, where: str, *, finds_arguments: bool) -> str:
    """Return the name of a scorer that can judge what a model finds.

    Args:
        name: What is asked for, or stands in a recipe, which may be a stranger's.
        where: Where it stands, for the error.
        finds_arguments: Whether the model finds arguments; else triggers alone.

    Raises:
        InvalidValueError: If there is none of that name, or it counts arguments alone and the model finds none.
    """
    if not isinstance(name, str) or name not in SCORERS:
        raise InvalidValueError(where, " or ".join(SCORERS), repr(name))
    if not finds_arguments and not counts_triggers(name):
        raise InvalidValueError(where, "textee for a run that finds triggers alone", name)
    return name


def counts_triggers(name: str) -> bool:
    """Tell whether a scorer counts triggers, too."""
    return "triggers" in SCORERS[name].options


def check_gold(gold: Sequence[Document], where: str, *, with_arguments: bool, to_find: str) -> None:
    """Refuse documents without what is scored.

    Args:
        gold: The annotated documents.
        where: Where they come from, for the error.
        with_arguments: Whether arguments are scored; else events.
        to_find: What finds them in documents without.

    Raises:
        EventuneError: If none has an argument, or an event.
    """
    events = [event for document in gold for event in document.events]
    if with_arguments and not any(event.arguments for event in events):
        what = "argument"
    elif not events:
        what = "event"
    else:
        return
    raise EventuneError(
        f"{where}: expected annotated {what}s to score against, found no gold {what} in {len(gold)} documents with "
        f"{len(events)} events",
        f"to find {what}s: {to_find}",
    )
