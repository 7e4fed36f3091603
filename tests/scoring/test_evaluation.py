"""Several scorers fed with the same documents, and two systems compared on them."""

import pytest

from eventune.events import Argument, Document, Event, Span
from eventune.scoring import SCORERS, make_scorer
from eventune.scoring.evaluation import Evaluation, evaluate


def document(id, *roles):
    """A document of one event, whose n-th argument is its n-th word."""
    found = tuple(Argument(role, Span(place, place + 1)) for place, role in enumerate(roles))
    return Document.from_sentences(id, [["a", "b", "c", "d"]], events=[Event("e", Span(3, 4), found)])


GOLD = [document(f"d{number}", "x", "y") for number in range(6)]
HALF = [document(gold.id, "x", "x" if number % 2 else "y") for number, gold in enumerate(GOLD)]
NOTHING = [document(gold.id) for gold in GOLD]


def evaluation(predicted, names=tuple(SCORERS)):
    return evaluate({name: make_scorer(name) for name in names}, zip(GOLD, predicted, strict=True))


def test_each_scorer_gives_the_score_that_it_gives_alone():
    together = {name: score.to_dict() for name, score in evaluation(HALF).scores().items()}
    assert together == {name: evaluation(HALF, [name]).scores()[name].to_dict() for name in SCORERS}


def test_every_document_adds_one_tally_to_each_measure():
    tallies = evaluation(HALF).tallies
    assert tallies.keys() == SCORERS.keys()
    for measures in tallies.values():
        assert measures
        assert {len(added) for added in measures.values()} == {len(GOLD)}


def test_intervals_and_differences_are_those_of_the_reported_measures():
    found = evaluation(HALF, ["wikievents"])
    reported = found.scores()["wikievents"].tables["measures"].keys()
    assert reported == {"span_i", "span_c"}
    assert found.intervals(resamples=5)["wikievents"].keys() == reported
    assert found.against(evaluation(GOLD, ["wikievents"]), resamples=5)["wikievents"].keys() == reported


def test_intervals_hold_the_figure_and_a_seed_gives_them_again():
    found = evaluation(HALF, ["rams"])
    intervals = found.intervals(resamples=200, seed=1)
    (interval,) = intervals["rams"].values()
    low, high = interval["f1"]
    assert low <= found.scores()["rams"].to_dict()["metrics"]["f1"] <= high
    assert found.intervals(resamples=200, seed=1) == intervals


def test_a_system_against_itself_differs_in_nothing():
    for measures in evaluation(HALF).against(evaluation(HALF), resamples=20).values():
        assert all((values["difference"], values["p_value"]) == (0, 1) for values in measures.values())


def test_a_perfect_system_against_an_empty_one():
    (values,) = evaluation(GOLD, ["rams"]).against(evaluation(NOTHING, ["rams"]), resamples=500)["rams"].values()
    assert values["difference"] == 1
    # Of the 2^6 swaps only two, none and all, give a difference as large.
    assert values["p_value"] == pytest.approx(2 / 2**6, abs=0.03)


def test_no_documents_give_zeros():
    nothing = Evaluation({"rams": make_scorer("rams")})
    assert nothing.scores()["rams"].to_dict()["metrics"] == dict.fromkeys(("precision", "recall", "f1"), 0)
    assert nothing.intervals(resamples=10) == nothing.against(nothing, resamples=10) == {"rams": {}}
