"""What a corpus does not mark: events that may be there, and sentences without any."""

import pytest

from eventune.corpora import check_corpus, read_corpus
from eventune.corpora.partial import AnnotationShape
from eventune.events import Document, Event, Span


def documents(count, *, sentences, words, events):
    made = [Event("attack", Span(n, n + 1)) for n in range(events)]
    return [
        Document.from_sentences(f"d{n}", [["word"] * words for _ in range(sentences)], events=made)
        for n in range(count)
    ]


def kinds(corpus):
    return {finding.kind for finding in check_corpus(corpus)}


def test_many_long_documents_with_one_event_each_look_partially_annotated():
    corpus = documents(60, sentences=4, words=20, events=1)
    assert AnnotationShape.of(corpus).looks_partial
    assert "partial annotation" in kinds(corpus)


@pytest.mark.parametrize(
    "changes", [{"count": 40}, {"sentences": 1}, {"words": 10}, {"events": 2}, {"events": 0}], ids=str
)
def test_others_do_not(changes):
    corpus = documents(**{"count": 60, "sentences": 4, "words": 20, "events": 1, **changes})
    assert not AnnotationShape.of(corpus).looks_partial
    assert "partial annotation" not in kinds(corpus)


def test_one_document_without_an_event_is_enough():
    corpus = [*documents(60, sentences=4, words=20, events=1), *documents(1, sentences=1, words=3, events=0)]
    assert not AnnotationShape.of(corpus).looks_partial


def test_a_corpus_without_a_sentence_that_tells_of_nothing_is_named():
    corpus = documents(60, sentences=1, words=9, events=1)
    assert "hardly a sentence without events" in kinds(corpus)
    assert "hardly a sentence without events" not in kinds(documents(60, sentences=2, words=9, events=1))


def test_of_published_corpora_rams_is_partial_and_phee_has_no_negative_sentence(corpora_folder, rams_dev):
    assert AnnotationShape.of(rams_dev).looks_partial
    for name, partial, lacking in (("phee/textee/all.jsonl", False, True), ("wikievents/dev.jsonl", False, False)):
        if not (corpora_folder / name).exists():
            pytest.skip(f"needs {corpora_folder / name}")
        shape = AnnotationShape.of(read_corpus(corpora_folder / name))
        assert (shape.looks_partial, shape.lacks_negatives) == (partial, lacking), name
