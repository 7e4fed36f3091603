import csv
import io
import json
import math
import statistics

import pytest

from eventune.comparison.kinds import ExtractionKind
from eventune.comparison.pictures import draw
from eventune.comparison.result import compare, pareto
from eventune.comparison.table import comma_separated, markdown, rows_of
from eventune.comparison.writing import CSV, JSON, MARKDOWN, PAGE, PICTURES, write_comparison
from eventune.corpora import read_corpus
from eventune.results import RunResult
from eventune.scoring import score

PREDICTIONS = ExtractionKind.predictions


def arm(name, f1, cost):
    return {"name": name, "mean": {"f1": f1, "saved_bytes": cost}}


def test_the_pareto_front_holds_what_nothing_beats_in_both():
    arms = [
        arm("big", 0.9, 100),
        arm("good", 0.8, 10),
        arm("worse", 0.7, 20),
        arm("small", 0.5, 1),
        arm("same", 0.8, 10),
    ]

    assert pareto(arms, "saved_bytes", "f1") == ["small", "good", "same", "big"]
    assert pareto([*arms, {"name": "failed", "mean": {}}], "saved_bytes", "f1") == ["small", "good", "same", "big"]


def test_a_figure_that_is_not_finite_is_null_in_the_file(tmp_path):
    mean = {"f1": 0.5, "dev_loss": math.inf}
    result = {
        "first_arm": "full",
        "headline": {"name": "f1", "title": "F1"},
        "curve": {"name": "f1", "title": "F1"},
        "scorer": "rams",
        "unit": "documents",
        "part": "test",
        "test_documents": 1,
        "arms": [{"name": "full", "finished": 2, "mean": mean, "sd": {"f1": math.nan}, "runs": []}],
        "pareto": {},
        "roles": [],
    }
    write_comparison(result, tmp_path, title="two arms")

    (written,) = json.loads((tmp_path / JSON).read_text(encoding="utf-8"), parse_constant=pytest.fail)["arms"]
    assert (written["mean"], written["sd"]) == ({"f1": 0.5, "dev_loss": None}, {"f1": None})


def test_means_and_deviations_are_over_the_seeds(finished):
    folder, result = finished
    for found in result["arms"][:2]:
        runs = sorted((folder / "runs" / found["name"].replace(":", "_")).glob("seed-*/run/result.json"))
        scores = [RunResult.read(path).scores["test"]["metrics"]["f1"] for path in runs]
        assert found["mean"]["f1"] == pytest.approx(statistics.fmean(scores))
        assert found["sd"]["f1"] == pytest.approx(statistics.stdev(scores))
        saved = [RunResult.read(path).resources["saved_bytes"] for path in runs]
        assert found["mean"]["saved_bytes"] == statistics.fmean(saved)


def test_the_difference_is_that_of_all_seeds_counts_and_its_interval_holds_it(finished, base):
    folder, result = finished
    gold = read_corpus(base["test_file"]).documents
    f1 = []
    for found in result["arms"][:2]:
        gold_count = predicted = matched = 0
        for path in (folder / "runs").glob(f"{found['name'].replace(':', '_')}/seed-*/run/{PREDICTIONS}"):
            counted = score(gold, read_corpus(path).documents, strict=False)
            gold_count, predicted, matched = (
                gold_count + counted.gold,
                predicted + counted.predicted,
                matched + counted.matched,
            )
        f1.append(2 * matched / (gold_count + predicted))
    second = result["arms"][1]

    assert second["difference"]["difference"] == pytest.approx(f1[1] - f1[0])
    low, high = second["difference"]["interval"]
    assert low <= second["difference"]["difference"] <= high
    assert "difference" not in result["arms"][0]


def test_roles_add_up_to_the_whole(finished, base):
    _, result = finished
    gold = [
        argument for document in read_corpus(base["test_file"]) for e in document.events for argument in e.arguments
    ]

    assert sum(row["gold"] for row in result["roles"]) == 2 * len(gold)
    assert result["roles"][0]["gold"] == max(row["gold"] for row in result["roles"])
    assert all(0 <= f1 <= 1 for row in result["roles"] for f1 in row["f1"].values())


def test_predictions_of_a_run_give_its_own_score(finished, base):
    folder, _ = finished
    gold = read_corpus(base["test_file"]).documents
    for path in folder.rglob("run/result.json"):
        counts = RunResult.read(path).scores["test"]["counts"]
        assert score(gold, read_corpus(path.parent / PREDICTIONS).documents, strict=False).to_dict()["counts"] == counts


def test_every_file_is_written_and_says_the_same(finished):
    folder, result = finished
    assert {JSON, CSV, MARKDOWN, PAGE, PICTURES} <= {path.name for path in folder.iterdir()}

    assert json.loads((folder / JSON).read_text(encoding="utf-8")) == json.loads(json.dumps(result))
    rows = list(csv.DictReader(io.StringIO((folder / CSV).read_text(encoding="utf-8"))))
    assert [(row["arm"], row["seed"]) for row in rows][:2] == [("full", "0"), ("full", "1")]
    assert len(rows) == 6
    assert "'querry' matches none" in rows[-1]["error"]
    assert float(rows[0]["f1"]) == result["arms"][0]["runs"][0]["figures"]["f1"]
    heads, cells = rows_of(result)
    text = markdown(result)
    assert text.count("|") >= len(heads) * (len(cells) + 2)
    assert comma_separated(result) == (folder / CSV).read_text(encoding="utf-8")


def test_the_page_needs_no_network_and_shows_table_pictures_roles_and_recipes(finished):
    folder, _ = finished
    page = (folder / PAGE).read_text(encoding="utf-8")

    assert "<script" not in page
    assert not [word for word in ("src=", "href=", "url(") if word in page.replace('href="#', "").replace("url(#", "")]
    assert page.count("<svg") == len(list((folder / PICTURES).glob("*.svg"))) == 5
    for text in ("lora:r=2", "failed", "F1 by role", "method: full", "torch 2", "not finished"):
        assert text in page
    assert "lora_r: 2" in page


def test_pictures_are_the_same_for_the_same_figures_and_drawn_as_svg_and_png(finished):
    folder, result = finished
    first, second = draw(result), draw(result)

    assert first["curves"]["svg"] == second["curves"]["svg"]
    assert {path.suffix for path in (folder / PICTURES).iterdir()} == {".svg", ".png"}
    for files in first.values():
        assert files["png"].startswith(b"\x89PNG")
        assert b"<image" not in files["svg"]


def test_a_comparison_without_a_test_part_compares_the_dev_part(finished, base):
    from eventune.comparison.arms import parse_arms
    from eventune.comparison.plan import plan_runs

    folder, _ = finished
    runs = plan_runs(base, parse_arms("full,lora:r=2"), [0, 1], folder)
    result = compare(runs, [])

    assert "difference" not in result["arms"][1]
    assert result["roles"] == []
    assert "dev part" in markdown(result)


def test_what_cannot_be_told_apart_by_colour_is_by_mark_and_dash():
    from eventune.comparison import pictures

    assert len(set(pictures._MARKS)) == len(set(map(str, pictures._DASHES))) == len(set(pictures._COLOURS)) == 8
