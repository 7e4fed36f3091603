"""Documents as an extractor is asked about them."""

import pytest

from eventune.corpora.raw_text import document_of
from eventune.errors import EventuneError
from eventune.inference.questions import questions

MARKED, PLAIN = document_of("They [[shot|ATTACK]] him."), document_of("They shot him.")


def types_of(documents):
    return [[event.type for event in document.events] for document in documents]


def test_a_word_in_raw_text_means_a_type_and_a_corpus_has_names(idle):
    assert types_of(questions(idle, [MARKED], are_raw=True)) == [["conflict.attack"]]
    assert types_of(questions(idle, [MARKED], are_raw=False)) == [["ATTACK"]]


def test_documents_without_events_get_those_that_are_named(idle):
    found = list(questions(idle, [PLAIN, MARKED], ["meet"], are_raw=True))
    assert types_of(found) == [["meet"], ["conflict.attack"]]
    assert found[0].events[0].trigger is None


def test_a_type_that_is_named_must_be_known_and_so_must_one_in_raw_text(idle):
    with pytest.raises(EventuneError, match="event type 'atack' is not in the ontology"):
        list(questions(idle, [PLAIN], ["atack"], are_raw=False))
    with pytest.raises(EventuneError, match="event type 'atack' is not in the ontology"):
        list(questions(idle, [document_of("They [[shot|atack]] him.")], are_raw=True))
