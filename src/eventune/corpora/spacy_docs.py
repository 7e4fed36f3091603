"""Documents as spaCy has them, with their events as `doc._.events`.

What is known of a document is kept in `doc.user_data` as a line of the project's own format, so that it survives
`Doc.to_bytes`, `DocBin(store_user_data=True)` and the processes of `nlp.pipe`; spaCy's spans are made when they are
asked for. Importing this module declares the extension `events`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc
from spacy.tokens import Span as SpacySpan
from spacy.vocab import Vocab

from eventune.corpora.jsonl import read_document, write_document
from eventune.corpora.records import json_text
from eventune.errors import EventuneError
from eventune.events import Document, Place, Span

_RECORD = "eventune"


@dataclass(frozen=True, slots=True)
class SpacyArgument:
    """A piece of a document that fills a role.

    Attributes:
        role: The role.
        span: The tokens, with the role as their label; those that the argument shares only a part of are whole.
        score: Probability that it is right; None for annotations.
    """

    role: str
    span: SpacySpan
    score: float | None


@dataclass(frozen=True, slots=True)
class SpacyEvent:
    """An event in a spaCy document.

    Attributes:
        type: Its type.
        trigger: The tokens that name it, with the type as their label; None where none do.
        arguments: What takes part in it.
        doc: The document.
    """

    type: str
    trigger: SpacySpan | None
    arguments: tuple[SpacyArgument, ...]
    doc: Doc

    def displacy(self) -> dict[str, Any]:
        """Return what `spacy.displacy.render(…, style="span", manual=True)` draws the event from."""
        spans = [*([] if self.trigger is None else [self.trigger]), *(argument.span for argument in self.arguments)]
        return {
            "text": self.doc.text,
            "tokens": [token.text for token in self.doc],
            "spans": [{"start_token": span.start, "end_token": span.end, "label": span.label_} for span in spans],
        }


def doc_of(document: Document, vocab: Vocab) -> Doc:
    """Return a document as spaCy has it, with the same text, tokens, sentences and events.

    Args:
        document: The document.
        vocab: Vocabulary of the pipeline that goes on with it, `nlp.vocab`.

    Returns:
        spaCy's document. White space that is more than one space between two tokens is a token of its own, as in
        spaCy's own tokenizers.
    """
    words: list[str] = []
    spaces: list[bool] = []
    starts: list[bool] = []
    firsts = {sentence.start for sentence in document.sentences}
    behind = 0
    for number, token in enumerate([*document.tokens, Span(len(document.text), len(document.text) + 1)]):
        gap = document.text[behind : token.start]
        if words and gap.startswith(" "):
            spaces[-1], gap = True, gap[1:]
        word = document.text[token.start : token.end]
        for text, starts_one in ((gap, False), (word, number in firsts)):
            if text:
                words.append(text)
                spaces.append(False)
                starts.append(starts_one)
        behind = token.end
    return with_document(Doc(vocab, words, spaces, sent_starts=starts), document)


def with_document(doc: Doc, document: Document) -> Doc:
    """Put what a document knows into spaCy's document of the same text.

    Raises:
        EventuneError: If their texts differ.
    """
    if doc.text != document.text:
        raise EventuneError(f"document {document.id!r}: expected the text of spaCy's document, found another")
    doc.user_data[_RECORD] = json_text(next(write_document(document)))
    return doc


def document_of(doc: Doc) -> Document | None:
    """Return the document that was put into spaCy's; None where none was."""
    record = doc.user_data.get(_RECORD)
    return None if record is None else read_document(json.loads(record))


def events_of(doc: Doc) -> list[SpacyEvent]:
    """Return the events of spaCy's document, the value of `doc._.events`."""
    document = document_of(doc)
    return [] if document is None else list(_events(doc, document))


def _events(doc: Doc, document: Document) -> Iterator[SpacyEvent]:
    for event in document.events:
        arguments = tuple(
            SpacyArgument(argument.role, _span(doc, document, argument, argument.role), argument.score)
            for argument in event.arguments
        )
        trigger = None
        if event.trigger is not None:
            trigger = _labelled(doc, document.characters_of(event.trigger), event.type)
        yield SpacyEvent(event.type, trigger, arguments, doc)


def _span(doc: Doc, document: Document, place: Place, label: str) -> SpacySpan:
    pieces = document.pieces_of(place)
    return _labelled(doc, Span(min(piece.start for piece in pieces), max(piece.end for piece in pieces)), label)


def _labelled(doc: Doc, characters: Span, label: str) -> SpacySpan:
    span = doc.char_span(characters.start, characters.end, label=label, alignment_mode="expand")
    assert span is not None, "expanded spans of a text's characters are never empty"
    return span


Doc.set_extension("events", getter=events_of)
