"""Gold documents with their predictions, in pairs, from files of any size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from eventune.errors import EventuneError
from eventune.events import Document, Event


@dataclass(slots=True)
class Predictions:
    """Predicted events by document, without the documents' texts: those of the gold are the same.

    Attributes:
        documents: For each document the number of its tokens (None where the format does not say) and its events.
        typed: Whether the events have a type; official RAMS predictions have none and take the gold's.
    """

    documents: dict[str, tuple[int | None, tuple[Event, ...]]] = field(default_factory=dict)
    typed: bool = True

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Predictions:
        """Keep the events of documents; of documents with one id, the last counts.

        Args:
            documents: The documents with the predicted events, taken one by one.

        Returns:
            The predictions.
        """
        return cls({document.id: (len(document.tokens), document.events) for document in documents})

    def for_document(self, gold: Document) -> Document:
        """Return a gold document with the predicted events in place of its own; with none if it was not predicted.

        Args:
            gold: The annotated document.

        Returns:
            The document.

        Raises:
            EventuneError: If the prediction was made on other tokens.
        """
        size, events = self.documents.get(gold.id, (None, ()))
        if size is not None:
            check_tokens(gold.id, len(gold.tokens), size)
        if not self.typed and len(gold.events) == 1:
            events = tuple(replace(event, type=gold.events[0].type) for event in events)
        try:
            return gold.with_events(events)
        except EventuneError as error:
            raise EventuneError(f"{gold.id}: {error.message}", error.hint) from None


def check_tokens(name: str, gold: int, predicted: int) -> None:
    """Make sure that a prediction was made on the gold's tokens.

    Args:
        name: The document, for the message.
        gold: Its number of tokens in the gold.
        predicted: That in the prediction.

    Raises:
        EventuneError: If they differ.
    """
    if gold != predicted:
        raise EventuneError(
            f"{name}: expected the gold's {gold} tokens, found {predicted} in the prediction",
            "spans can only be compared on the same tokens: predict from the gold file",
        )


class Pairing:
    """Pairs gold documents with their predictions, and counts what has no partner.

    Attributes:
        gold: How many gold documents were paired so far.
        absent: How many of them had no prediction.
    """

    def __init__(self, gold: Iterable[Document], predictions: Predictions) -> None:
        self._documents = gold
        self._predictions = predictions
        self.gold = 0
        self.absent = 0

    def __iter__(self) -> Iterator[tuple[Document, Document]]:
        for document in self._documents:
            self.gold += 1
            self.absent += document.id not in self._predictions.documents
            yield document, self._predictions.for_document(document)

    def to_dict(self) -> dict[str, int]:
        """Return numbers of documents, once all are paired.

        Returns:
            `gold`, `predicted`, gold ones `absent` from the predictions, and predicted ones that were `ignored`.
        """
        predicted = len(self._predictions.documents)
        ignored = predicted - (self.gold - self.absent)
        return {"gold": self.gold, "predicted": predicted, "ignored": ignored, "absent": self.absent}
