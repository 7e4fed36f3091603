"""Comparisons by other scorers than the official one of RAMS; runs are made here, in one process: faster."""

import pytest

from eventune.comparison.arms import Arm, parse_arms
from eventune.comparison.comparing import write_result
from eventune.comparison.plan import plan_runs
from eventune.comparison.table import markdown, rows_of
from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.runs.training import train
from eventune.scoring.definitions import model_scorer, score_model

TITLES = {"textee": "AC+ F1 by textee", "wikievents": "argument span F1 by wikievents"}


@pytest.fixture(scope="module", params=TITLES)
def compared(request, base, tmp_path_factory):
    """Two arms by one scorer: its name, its runs and the result."""
    folder = tmp_path_factory.mktemp(request.param)
    runs = plan_runs({**base, "scorer": request.param}, parse_arms("bitfit,lora:r=2"), [0], folder)
    for run in runs:
        train(run.recipe)
    return request.param, runs, write_result(runs, folder, tuned={}, title="")


def test_headline_table_and_curve_are_the_scorer_s(compared):
    scorer, runs, result = compared
    title = TITLES[scorer]
    assert result["headline"] == {"name": "f1", "title": title}
    assert result["curve"]["title"] == f"{title} on the dev part"
    assert result["scorer"] == scorer
    assert rows_of(result)[0][2:4] == [title, f"{title} − bitfit"]
    assert f"{title}: scorer {scorer}, test part" in markdown(result)
    assert title in (runs[0].folder.parents[2] / "comparison.html").read_text(encoding="utf-8")


def test_runs_are_scored_and_tuned_by_the_scorer_and_say_so(compared, base):
    scorer, runs, result = compared
    gold = read_corpus(base["test_file"]).documents
    for run, arm in zip(runs, result["arms"], strict=True):
        found = run.result()
        assert {score["scorer"] for score in found.scores.values()} == {scorer}
        # Dev and test part are the same here.
        expected = score_model(gold, read_corpus(run.predictions()).documents, scorer)
        assert found.scores["test"]["metrics"]["f1"] == pytest.approx(expected.f1)
        assert arm["mean"]["f1"] == arm["mean"]["dev_f1"] == found.scores["test"]["metrics"]["f1"]
        assert f"scorer: {scorer}\n" in (run.run_directory / "recipe.yaml").read_text(encoding="utf-8")
        assert max(epoch["f1"] for epoch in arm["runs"][0]["history"]) == pytest.approx(arm["mean"]["dev_f1"])


def test_intervals_and_differences_are_drawn_from_the_scorer_s_tallies(compared, base):
    scorer, runs, result = compared
    gold = read_corpus(base["test_file"]).documents
    f1 = [score_model(gold, read_corpus(run.predictions()).documents, scorer).f1 for run in runs]
    for value, arm in zip(f1, result["arms"], strict=True):
        low, high = arm["interval"]["f1"]
        assert low <= value <= high
        assert arm["interval"].keys() == {"precision", "recall", "f1", "level", "resamples"}
    difference = result["arms"][1]["difference"]
    assert difference["difference"] == pytest.approx(f1[1] - f1[0])
    assert difference["interval"][0] <= difference["difference"] <= difference["interval"][1]
    made = model_scorer(scorer)
    assert sum(row["gold"] for row in result["roles"]) == sum(made.add(d, d)[made.headline].gold for d in gold)


def test_arms_with_different_scorers_are_not_compared(base, tmp_path):
    arms = [Arm("one", {}), Arm("other", {"scorer": "paie"})]
    expected = r"arm other: expected F1 \(scorer: rams, .*\), which the first arm has, found Arg-C .*paie"
    with pytest.raises(EventuneError, match=expected):
        plan_runs(base, arms, [0], tmp_path)


@pytest.mark.parametrize(
    ("first", "other", "found"),
    [
        ({"task": "detection"}, {"task": "events"}, "TC F1 by textee .* found AC F1 by textee"),
        ({"task": "events"}, {"task": "events", "measure": "trigger_cls"}, "AC F1 .* found TC F1"),
        (
            {"scorer": "textee"},
            {"task": "events", "measure": "argument_attached_cls"},
            "triggers: gold.* found .*triggers: predicted",
        ),
    ],
)
def test_arms_of_one_scorer_that_are_counted_by_different_measures_are_not_compared(
    plain, tmp_path, first, other, found
):
    with pytest.raises(EventuneError, match=f"arm other: expected .*{found}"):
        plan_runs(plain, [Arm("one", first), Arm("other", other)], [0], tmp_path)


def test_tasks_that_are_counted_alike_are_compared(plain, tmp_path):
    arms = [Arm("one", {"task": "detection"}), Arm("other", {"task": "generative-detection"})]
    assert len(plan_runs(plain, arms, [0], tmp_path)) == 2
