import pytest

from eventune.comparison.tallies import tallies_of_documents
from eventune.corpora import read_corpus, write_corpus
from eventune.scoring.definitions import Scoring
from eventune.scoring.textee import ALONE, GOLD, PREDICTED


@pytest.fixture
def gold(small_corpus):
    return read_corpus(small_corpus / "dev.jsonl").documents


@pytest.mark.parametrize(
    ("scoring", "tells"),
    [
        (Scoring("textee", ALONE), False),
        (Scoring("textee", PREDICTED, "trigger_cls"), False),
        (Scoring("textee", PREDICTED, "argument_id"), False),
        (Scoring("textee", PREDICTED, "argument_cls"), True),
        (Scoring("textee", GOLD), True),
        (Scoring("rams"), True),
    ],
)
def test_there_are_roles_only_where_the_measure_tells_them_apart(gold, tmp_path, scoring, tells):
    file = tmp_path / "predicted.jsonl"
    write_corpus(gold, file)
    found = tallies_of_documents([[file]], gold, scoring)
    assert sum(tally.matched for tally in found.all) > 0
    assert bool(found.roles) == tells
