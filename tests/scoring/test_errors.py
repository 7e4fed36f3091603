"""What kind of error each prediction is."""

import pytest

from eventune.events import Argument, Document, Event, Span
from eventune.scoring import SCORERS, score
from eventune.scoring.errors import KINDS, SHOWN_DOCUMENTS, ErrorAnalysis, pair_arguments

SENTENCES = [[f"w{10 * number + word}" for word in range(10)] for number in range(5)]


def event(*arguments, trigger=20, type="attack"):
    """An event with arguments `(start, end, role)`."""
    return Event(
        type, Span(trigger, trigger + 1), tuple(Argument(role, Span(start, end)) for start, end, role in arguments)
    )


def document(*events, id="d1"):
    return Document.from_sentences(id, SENTENCES, events=events)


def kinds(gold, predicted):
    return [pair.kind for pair in pair_arguments(document(*gold), document(*predicted))]


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (event((2, 4, "x")), ["matched"]),
        (event((2, 4, "y")), ["wrong role"]),
        (event((2, 5, "x")), ["wrong boundary"]),
        (event((3, 6, "y")), ["wrong boundary and role"]),
        (event((2, 4, "x"), trigger=30), ["wrong event"]),
        (event((4, 6, "x")), ["missed", "spurious"]),
        (event(), ["missed"]),
    ],
)
def test_each_kind(predicted, expected):
    assert kinds([event((2, 4, "x"))], [predicted]) == expected


def test_a_prediction_is_used_once():
    assert kinds([event((2, 4, "x"), (2, 4, "x"))], [event((2, 4, "x"))]) == ["matched", "missed"]
    assert kinds([event((2, 4, "x"))], [event((2, 4, "x"), (2, 4, "x"))]) == ["matched", "spurious"]


def test_a_match_goes_before_a_near_miss_of_an_earlier_argument():
    assert kinds([event((2, 5, "x"), (2, 4, "x"))], [event((2, 4, "x"))]) == ["matched", "missed"]


def test_the_prediction_that_overlaps_most_is_taken():
    gold, predicted = document(event((2, 6, "x"))), document(event((1, 3, "x"), (2, 5, "x")))
    first = next(pair_arguments(gold, predicted))
    assert first.kind == "wrong boundary"
    assert first.predicted[1].span == Span(2, 5)


def test_tables_count_each_pair_once():
    analysis = ErrorAnalysis(training_counts={"x": 12, "y": 500})
    predicted = document(event((2, 4, "x"), (20, 23, "z"), (45, 46, "y")))
    analysis.add(document(event((2, 4, "x"), (20, 22, "y"), (40, 41, "x"))), predicted)
    result = analysis.to_dict()
    assert result["kinds"] == dict.fromkeys(KINDS, 0) | {
        "matched": 1,
        "wrong boundary and role": 1,
        "missed": 1,
        "spurious": 1,
    }
    for table in result["by"].values():
        assert sum(sum(row.values()) for row in table.values()) == 4
    assert list(result["by"]["distance"]) == ["-2", "0", "+2"]
    assert list(result["by"]["training"]) == ["10–49", "200+"]
    assert result["confusion"] == [{"gold": "y", "predicted": "z", "count": 1}]
    assert result["boundary_shifts"] == {"start": {"0": 1}, "end": {"1": 1}}


def test_only_the_first_documents_with_an_error_are_kept():
    analysis = ErrorAnalysis()
    analysis.add(document(event((2, 4, "x"))), document(event((2, 4, "x"))))
    for number in range(SHOWN_DOCUMENTS + 5):
        analysis.add(document(event((2, 4, "x")), id=f"d{number}"), document())
    assert [example.document.id for example in analysis.examples] == [f"d{n}" for n in range(SHOWN_DOCUMENTS)]
    assert analysis.to_dict()["documents_with_errors"] == SHOWN_DOCUMENTS + 5


def test_scores_that_count_other_matches_are_named_with_the_reason():
    gold, predicted = document(event((2, 4, "x"), type="attack")), document(event((2, 4, "x"), type="die"))
    analysis = ErrorAnalysis()
    analysis.add(gold, predicted)
    scores = [score([gold], [predicted], name).to_dict() for name in SCORERS]

    note = analysis.note_on(scores)

    # The RAMS scorer looks at triggers, not at types.
    assert analysis.to_dict()["kinds"]["matched"] == 0
    assert note.startswith("matched by the scorers' definitions: rams 1; here 0, where each argument is paired once")
    assert analysis.note_on(each for each in scores if each["scorer"] != "rams") == ""


def test_no_document_gives_empty_tables():
    result = ErrorAnalysis().to_dict()
    assert set(result.pop("events")["kinds"].values()) == {0}
    assert result == {
        "kinds": dict.fromkeys(KINDS, 0),
        "by": {},
        "confusion": [],
        "boundary_shifts": {"start": {}, "end": {}},
        "documents_with_errors": 0,
    }
