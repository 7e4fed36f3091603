import pytest

from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, Span
from eventune.scoring.differences import Differences
from eventune.scoring.pairs import Pairing, Predictions
from eventune.scoring.prediction_files import predictions_of

WORDS = [["The", "army", "shelled", "Homs"], ["It", "fell"]]


def document(name, *arguments, trigger=2):
    event = Event("attack", Span(trigger, trigger + 1), tuple(Argument(role, Span(s, e)) for s, e, role in arguments))
    return Document.from_sentences(name, WORDS, events=[event])


def test_documents_without_a_partner_are_counted():
    pairing = Pairing([document("a"), document("b")], Predictions.of([document("b", (3, 4, "place")), document("c")]))
    pairs = list(pairing)
    assert pairs[0][1].events == ()
    assert pairs[1][1].events[0].arguments[0].role == "place"
    assert pairing.to_dict() == {"gold": 2, "predicted": 2, "ignored": 1, "absent": 1}


def test_of_predictions_with_one_id_the_last_counts():
    predictions = Predictions.of([document("a", (3, 4, "place")), document("a")])
    assert predictions.for_document(document("a")).events[0].arguments == ()


def test_predictions_on_other_tokens_are_refused():
    other = Document.from_sentences("a", [["x"]])
    with pytest.raises(EventuneError, match="a: expected the gold's 6 tokens, found 1"):
        Predictions.of([other]).for_document(document("a"))


def test_untyped_predictions_take_the_type_of_the_only_gold_event():
    predictions = Predictions({"a": (None, (Event("?", Span(2, 3)),))}, typed=False)
    assert predictions.for_document(document("a")).events[0].type == "attack"


def test_untyped_predictions_outside_the_document_are_refused():
    predictions = Predictions({"a": (None, (Event("?", Span(2, 9)),))}, typed=False)
    with pytest.raises(EventuneError, match=r"a: events\[0\]\.trigger: .* 6 tokens"):
        predictions.for_document(document("a"))


def test_a_score_too_large_for_a_float_is_refused(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_text(f'{{"doc_key": "a", "predictions": [[[2, 2], [3, 3, "place", {10**400}]]]}}')
    with pytest.raises(EventuneError, match=r"predictions\.jsonl: score: expected a number that a float can hold"):
        predictions_of(path)


def test_differences_are_counted_and_explained():
    gold = document("a", (0, 2, "attacker"), (0, 2, "attacker"), (3, 4, "place"))
    predicted = document("a", (3, 4, "place"), (3, 4, "target"), (3, 6, "place"), trigger=1)
    found = Differences()
    found.add(gold, predicted)
    counts = {name: count for name, count in found.counts.items() if count}
    assert counts == {
        "repeated_gold": 1,
        "shared_spans": 1,
        "leading_articles": 2,
        "long_gold": 2,
        "crossing_spans": 1,
        "other_triggers": 1,
    }
    assert len(found.notes()) == len(counts)
    assert found.notes()[0].startswith("1 gold arguments repeat another")


def test_gold_outside_the_window_of_paie_is_explained():
    words = [f"w{number}" for number in range(400)]
    event = Event("attack", Span(10, 11), (Argument("place", Span(300, 301)),))
    gold = Document.from_sentences("d", [words], events=[event])
    found = Differences()
    found.add(gold, gold)
    assert found.counts["outside_window"] == 1
    assert any("--window 250" in note for note in found.notes())
