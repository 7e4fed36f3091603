import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventune import EventuneError
from eventune.corpora.raw_text import document_of
from eventune.corpora.text_segmentation import segment_text
from eventune.events import Argument, Document, Event, Span

spacy = pytest.importorskip("spacy")
from spacy import displacy  # noqa: E402
from spacy.tokens import DocBin  # noqa: E402

from eventune.corpora import spacy_docs  # noqa: E402

VOCAB = spacy.blank("en").vocab
EVENT = Event(
    "attack",
    Span(1, 2),
    (Argument("attacker", Span(0, 1), 0.5), Argument("instrument", Span(2, 6), fragments=(Span(2, 3), Span(5, 6)))),
)


@pytest.fixture
def document():
    return document_of("Gunmen fired guns and old tanks. It rained.\n\nNobody saw it.").with_events([EVENT])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_text_tokens_and_sentences_are_those_of_the_document(text):
    document = Document("d", text, *segment_text(text))
    doc = spacy_docs.doc_of(document, VOCAB)
    assert doc.text == text
    words = [(token.idx, token.idx + len(token)) for token in doc if not token.is_space]
    assert [(token.start, token.end) for token in document.tokens] == words
    if document.sentences:
        starts = [token.idx for token in doc if token.is_sent_start and not token.is_space]
        assert starts == [document.tokens[sentence.start].start for sentence in document.sentences]


def test_events_are_spans_with_labels(document):
    (event,) = spacy_docs.doc_of(document, VOCAB)._.events
    assert (event.type, event.trigger.text, event.trigger.label_) == ("attack", "fired", "attack")
    assert [(each.role, each.span.text, each.span.label_, each.score) for each in event.arguments] == [
        ("attacker", "Gunmen", "attacker", 0.5),
        ("instrument", "guns and old tanks", "instrument", None),
    ]


def test_a_document_comes_back_as_it_went(document):
    doc = spacy_docs.doc_of(document, VOCAB)
    again = spacy.tokens.Doc(VOCAB).from_bytes(doc.to_bytes())
    (stored,) = DocBin(docs=[doc], store_user_data=True).get_docs(VOCAB)
    assert spacy_docs.document_of(again) == spacy_docs.document_of(stored) == document


def test_tokens_of_another_tokenizer_are_taken_whole():
    text = "State-owned guns fired."
    document = document_of(text).with_events([Event("attack", Span(4, 5), (Argument("instrument", Span(2, 4)),))])
    doc = spacy.tokens.Doc(VOCAB, ["State-owned", "guns", "fired."], [True, True, False])
    (event,) = spacy_docs.with_document(doc, document)._.events
    assert (event.trigger.text, event.arguments[0].span.text) == ("fired.", "State-owned guns")


def test_a_document_without_events_has_none():
    assert spacy.blank("en")("Nothing.")._.events == []
    assert spacy_docs.document_of(spacy.blank("en")("Nothing.")) is None


def test_displacy_draws_triggers_and_arguments(document):
    (event,) = spacy_docs.doc_of(document, VOCAB)._.events
    html = displacy.render(event.displacy(), style="span", manual=True, jupyter=False)
    assert all(label in html for label in ("attack", "attacker", "instrument"))
    labels = {tuple(span.values()) for span in event.displacy()["spans"]}
    assert labels == {(1, 2, "attack"), (0, 1, "attacker"), (2, 6, "instrument")}


def test_documents_of_other_texts_are_refused(document):
    with pytest.raises(EventuneError, match="expected the text of spaCy's document, found another"):
        spacy_docs.with_document(spacy.blank("en")("Another."), document)
