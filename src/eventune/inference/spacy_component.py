"""A run as a component of a spaCy pipeline: `nlp.add_pipe("eventune", config={"run": "warmup"})` fills `doc._.events`.

spaCy finds the component by the entry point `spacy_factories`, with nothing imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from eventune.corpora.spacy_docs import with_document
from eventune.corpora.text_segmentation import segment_text
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Event, Span
from eventune.inference.extractor import Extractor, no_event_error

NAME = "eventune"
_INSTALLED = 'nlp.add_pipe("eventune", config={"run": "warmup"})'


class EventComponent:
    """Finds the events of documents, or the arguments of those whose triggers are marked.

    Attributes:
        extractor: The run.
    """

    def __init__(self, extractor: Extractor, *, language: str, triggers: str) -> None:
        """Set up the component.

        Args:
            extractor: The run.
            language: Code of the pipeline's language.
            triggers: Name of the span group that has the triggers, labelled with their types; empty where the run finds
                them itself.
        """
        self.extractor, self._language, self._triggers = extractor, language, triggers

    def __call__(self, doc: Doc) -> Doc:
        """Fill one document's events."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Fill the events of many documents, in batches.

        Args:
            stream: The documents.
            batch_size: How many are read together.

        Yields:
            The documents, in their order.

        Raises:
            EventuneError: If a trigger's type is none that the run knows.
        """
        for docs in minibatch(stream, batch_size):
            found = self.extractor.extract_all([self.extractor.named(self._asked(doc)) for doc in docs])
            for doc, document in zip(docs, found, strict=True):
                yield with_document(doc, document)

    def _asked(self, doc: Doc) -> Document:
        """Return spaCy's document as the run reads documents: in tokens as it knows them, with its triggers."""
        tokens, sentences = segment_text(doc.text, self._language)
        marked = doc.spans.get(self._triggers, ()) if self._triggers else ()
        events = [Event(span.label_, _tokens(tokens, span.start_char, span.end_char)) for span in marked]
        return Document("doc", doc.text, tokens, sentences, tuple(events))


def _tokens(tokens: tuple[Span, ...], start: int, end: int) -> Span:
    inside = [number for number, token in enumerate(tokens) if token.start < end and start < token.end]
    if not inside:
        raise EventuneError(f"triggers: expected words, found white space in characters {start}–{end}")
    return Span(inside[0], inside[-1] + 1)


@Language.factory(
    NAME, default_config={"run": "", "ontology_file": None, "triggers": "", "device": "auto"}, assigns=["doc._.events"]
)
def make_component(
    nlp: Language, name: str, run: str, ontology_file: str | None, triggers: str, device: str
) -> EventComponent:
    """Load a run as a component.

    Args:
        nlp: The pipeline.
        name: What it calls the component.
        run: A run directory, an export of one, or `warmup`.
        ontology_file: Types and roles to find in place of the run's own.
        triggers: Name of the span group that has the triggers, for runs that find none.
        device: Where the model lies.

    Returns:
        The component.

    Raises:
        EventuneError: If none is given, it cannot be loaded, or it needs triggers and no group is named.
    """
    if not run:
        raise InvalidValueError(f"{name}.run", "a run directory", "none", _INSTALLED)
    extractor = Extractor.load(run, ontology=ontology_file, device=device)
    if not extractor.detects and not triggers:
        raise EventuneError(
            no_event_error("a document").message,
            f"name the span group that has them: add_pipe({name!r}, config={{'run': …, 'triggers': 'sc'}})",
        )
    return EventComponent(extractor, language=nlp.lang, triggers=triggers)
