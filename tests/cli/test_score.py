"""`eventune score`."""

import gzip
import json
from pathlib import Path

import pytest

from eventune.cli import main
from eventune.scoring import SCORERS

SENTENCES = [["Rebels", "shelled", "Homs", "."], ["Three", "civilians", "died", "."]]
GOLD = {
    "doc_key": "d1",
    "sentences": SENTENCES,
    "evt_triggers": [[1, 1, [["attack", 1.0]]]],
    "gold_evt_links": [
        [[1, 1], [0, 0], "evt001arg01attacker"],
        [[1, 1], [2, 2], "evt001arg02place"],
        [[1, 1], [4, 5], "evt001arg03victim"],
    ],
}
PREDICTION = {"doc_key": "d1", "predictions": [[[1, 1], [0, 0, "attacker", 0.9], [2, 2, "attacker", 0.8]]]}
ARGUMENT = {"role": "attacker", "span": [0, 1], "score": 0.9}
OWN = {
    "id": "d1",
    "text": "Rebels shelled Homs .",
    "tokens": [[0, 6], [7, 14], [15, 19], [20, 21]],
    "sentences": [[0, 4]],
    "events": [{"type": "attack", "trigger": [1, 2], "arguments": [ARGUMENT]}],
}


@pytest.fixture
def files(tmp_path):
    def write(name, *records):
        path = tmp_path / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return str(path)

    return write


def score_as_json(capsys, gold, predictions, *options):
    assert main(["score", "--gold", gold, "--predictions", predictions, "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def counts(result):
    return tuple(result["counts"][name] for name in ("gold", "predicted", "matched"))


def test_json_is_one_object_with_metrics_and_counts(files, capsys):
    result = score_as_json(capsys, files("gold.jsonl", GOLD), files("pred.jsonl", PREDICTION))

    assert result["scorer"] == "rams"
    assert result["metrics"] == {"precision": 0.5, "recall": 1 / 3, "f1": 0.4}
    assert result["counts"] == {"gold": 3, "predicted": 2, "matched": 1}
    assert result["confusion"] == {"attacker": {"attacker": 1}, "place": {"attacker": 1}}
    assert result["distance"]["1"]["gold"] == 1


def test_type_constraints_apply_the_ontology(files, tmp_path, capsys):
    ontology = tmp_path / "ontology.txt"
    ontology.write_text("attack attacker 1 place 1 victim 1\n", encoding="utf-8")

    result = score_as_json(
        capsys,
        files("gold.jsonl", GOLD),
        files("pred.jsonl", PREDICTION),
        "--type_constrained",
        "--ontology_file",
        str(ontology),
    )

    assert counts(result) == (3, 1, 1)
    assert result["type_constrained"] is True


def test_type_constraints_without_an_ontology_are_an_error(files, capsys):
    arguments = ["--gold", files("gold.jsonl", GOLD), "--predictions", files("pred.jsonl", PREDICTION)]

    assert main(["score", *arguments, "--type_constrained"]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert "error: type constraints need an ontology" in output.err
    assert "--ontology_file" in output.err


def test_the_official_print_stands_alone_on_stdout(files, capsys):
    arguments = ["--gold", files("gold.jsonl", GOLD), "--predictions", files("pred.jsonl", PREDICTION)]

    assert main(["score", *arguments, "--official"]) == 0

    assert capsys.readouterr().out == (
        ",attacker,place\n"
        "attacker,100,0\n"
        "place,100,0\n"
        "ROLE                    CORRECT     MISSING     OVERPRED    F1\n"
        "attacker                1           0           1           66.67\n"
        "place                   0           1           0           0.00\n"
        "victim                  0           1           0           0.00\n"
        "TOTAL:                  1           2           1           40.00\n"
        " -2 & 0 & 0.0 & 0.0 & 0.0 \\\\ [p r f1 0 gold/0 pred. ]\n"
        " -1 & 0 & 0.0 & 0.0 & 0.0 \\\\ [p r f1 0 gold/0 pred. ]\n"
        " 0 & 2 & 50.0 & 50.0 & 50.0 \\\\ [p r f1 2 gold/2 pred. ]\n"
        " 1 & 0 & 0.0 & 0.0 & 0.0 \\\\ [p r f1 1 gold/0 pred. ]\n"
        " 2 & 0 & 0.0 & 0.0 & 0.0 \\\\ [p r f1 0 gold/0 pred. ]\n"
        "Precision: 33.3333 Recall: 50.0000 F1: 40.0000\n"
    )


def test_the_tables_show_percent(files, capsys):
    assert main(["score", "--gold", files("gold.jsonl", GOLD), "--predictions", files("pred.jsonl", PREDICTION)]) == 0

    lines = capsys.readouterr().out.splitlines()
    rows = {cells[0]: cells[1:] for line in lines if (cells := line.strip("│ ").replace("│", " ").split())}
    assert rows["all"] == ["3", "2", "1", "50.00", "33.33", "40.00"]
    assert rows["attacker"] == ["1", "2", "1", "50.00", "100.00", "66.67"]
    assert rows["1"] == ["1", "0", "0", "0.00", "0.00", "0.00"]


def test_predictions_may_have_the_gold_format(files, capsys):
    predicted = {**GOLD, "gold_evt_links": GOLD["gold_evt_links"][:2]}

    assert counts(score_as_json(capsys, files("gold.jsonl", GOLD), files("pred.jsonl", predicted))) == (3, 2, 2)


@pytest.mark.parametrize("predicted", [OWN, {"doc_key": "d1", "predictions": [[[1, 1], [0, 0, "attacker", 0.9]]]}])
def test_gold_may_have_the_projects_own_format(files, capsys, predicted):
    assert counts(score_as_json(capsys, files("gold.jsonl", OWN), files("pred.jsonl", predicted))) == (1, 1, 1)


def test_predictions_in_the_projects_own_format_fit_rams_gold(files, capsys):
    gold = {**GOLD, "sentences": SENTENCES[:1], "gold_evt_links": GOLD["gold_evt_links"][:2]}

    assert counts(score_as_json(capsys, files("gold.jsonl", gold), files("pred.jsonl", OWN))) == (2, 1, 1)


ODD = {
    "packed": gzip.compress,
    "mark": lambda line: b"\xef\xbb\xbf" + line,
    "array": lambda line: b"[" + line + b"]",
    "blank": lambda line: b"\n" + line + b"\n",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_rams_files_are_read_as_corpora_are_but_for_the_official_print(odd, tmp_path, capsys):
    paths = [tmp_path / "gold.jsonl", tmp_path / "predictions.jsonl"]
    for path, record in zip(paths, (GOLD, PREDICTION), strict=True):
        path.write_bytes(odd(json.dumps(record).encode()))
    gold, predictions = map(str, paths)

    for scorer in ("rams", "textee"):
        assert counts(score_as_json(capsys, gold, predictions, "--scorer", scorer)) == (3, 2, 1)
    assert counts(score_as_json(capsys, gold, gold)) == (3, 3, 3)
    assert main(["score", "--gold", gold, "--predictions", predictions, "--official"]) == 2


def test_a_rams_line_without_an_event_counts_but_for_the_official_print(files, tmp_path, capsys):
    gold = files("gold.jsonl", GOLD, {**GOLD, "doc_key": "d2", "evt_triggers": [], "gold_evt_links": []})
    predictions = files("predictions.jsonl", PREDICTION, {**PREDICTION, "doc_key": "d2"})
    (tmp_path / "ontology.txt").write_text("attack attacker 1 place 1 victim 1", encoding="utf-8")
    constrained = ("--type_constrained", "--ontology_file", str(tmp_path / "ontology.txt"))

    assert counts(score_as_json(capsys, gold, predictions)) == (3, 4, 1)
    assert counts(score_as_json(capsys, gold, predictions, *constrained)) == (3, 3, 1)
    assert counts(score_as_json(capsys, gold, gold)) == (3, 3, 3)
    assert main(["score", "--gold", gold, "--predictions", predictions, "--official"]) == 2
    assert "gold.jsonl:2: evt_triggers: expected exactly one" in capsys.readouterr().err


@pytest.mark.parametrize("scorer", ["rams", "textee"])
def test_predictions_whose_records_are_no_objects_are_a_corpus(scorer, tmp_path, capsys):
    arguments = [{"start": 0, "end": 6, "type": "attacker", "text": "Rebels"}]
    path = tmp_path / "docee.json"
    path.write_text(json.dumps([["Title", "Rebels shelled Homs.", "attack", arguments]]), encoding="utf-8")

    assert counts(score_as_json(capsys, str(path), str(path), "--scorer", scorer)) == (1, 1, 1)


def test_predictions_behind_a_broken_line_are_known_by_the_next(files, tmp_path, capsys):
    predictions = Path(files("predictions.jsonl", PREDICTION))
    predictions.write_text("{\n" + predictions.read_text(encoding="utf-8"), encoding="utf-8")

    assert main(["score", "--gold", files("gold.jsonl", GOLD), "--predictions", str(predictions)]) == 2
    assert "predictions.jsonl:1: line: expected one JSON object, found broken JSON" in capsys.readouterr().err


def test_predictions_on_other_tokens_are_an_error(files, capsys):
    assert main(["score", "--gold", files("gold.jsonl", GOLD), "--predictions", files("pred.jsonl", OWN)]) == 2
    assert "d1: expected the gold's 8 tokens, found 4" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_prediction_file_predicts_nothing_and_says_so(content, files, tmp_path, capsys):
    (tmp_path / "pred.jsonl").write_text(content, encoding="utf-8")
    arguments = ["--gold", files("gold.jsonl", GOLD), "--predictions", str(tmp_path / "pred.jsonl"), "--json"]

    assert main(["score", *arguments]) == 0

    output = capsys.readouterr()
    assert counts(json.loads(output.out)) == (3, 0, 0)
    assert "1 of 1 gold documents have no prediction" in output.err


def test_unknown_documents_are_ignored_and_reported(files, capsys):
    predictions = files("pred.jsonl", PREDICTION, {**PREDICTION, "doc_key": "elsewhere"})

    assert main(["score", "--gold", files("gold.jsonl", GOLD), "--predictions", predictions]) == 0

    assert "1 predicted documents are not in the gold file" in capsys.readouterr().err


def test_a_span_over_a_sentence_boundary_is_an_error_unless_allowed(files, capsys):
    crossing = {"doc_key": "d1", "predictions": [[[1, 1], [3, 4, "place", 0.9]]]}
    gold, predictions = files("gold.jsonl", GOLD), files("pred.jsonl", crossing)

    assert main(["score", "--gold", gold, "--predictions", predictions]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "d1: predicted argument: expected a span inside one sentence" in output.err

    assert counts(score_as_json(capsys, gold, predictions, "--allow_crossing")) == (3, 1, 0)


@pytest.mark.parametrize("missing", ["gold", "predictions", "ontology_file"])
def test_a_missing_file_is_one_clear_message(files, capsys, missing):
    given = {"gold": files("gold.jsonl", GOLD), "predictions": files("pred.jsonl", PREDICTION), missing: "absent.jsonl"}

    assert main(["score", *(word for name, path in given.items() for word in (f"--{name}", path))]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: absent.jsonl: no such file")


@pytest.mark.parametrize("broken", ["gold", "predictions"])
@pytest.mark.parametrize("content", ['{"doc_key": "d1", "pred', "\n{\n", "not JSON", "[1, 2]\n"])
def test_a_broken_file_is_one_clear_message(files, tmp_path, capsys, broken, content):
    path = tmp_path / "broken.jsonl"
    path.write_text(content, encoding="utf-8")
    given = {"gold": files("gold.jsonl", GOLD), "predictions": files("pred.jsonl", PREDICTION), broken: str(path)}

    assert main(["score", "--gold", given["gold"], "--predictions", given["predictions"]]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"error: {path}:")


def test_json_and_official_exclude_each_other(files, capsys):
    arguments = ["--gold", files("gold.jsonl", GOLD), "--predictions", files("pred.jsonl", PREDICTION)]

    assert main(["score", *arguments, "--json", "--official"]) == 2
    assert "expected one of them" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["nocd", "cd"])
def test_parity_of_the_official_print(mode, rams_folder, reference_folder, capsys):
    folder = reference_folder / "scorers" / "rams"
    constraints = ["--type_constrained"] if mode == "cd" else []

    code = main(
        [
            "score",
            *("--gold", str(rams_folder / "dev.jsonlines")),
            *("--predictions", str(folder / "dev_high.pred.jsonl")),
            *("--ontology_file", str(rams_folder / "event_role_multiplicities.txt")),
            "--official",
            *constraints,
        ]
    )

    assert code == 0
    # The order of roles with equal gold counts is the official scorer's hash seed.
    expected = (folder / f"dev_high.rams.{mode}.txt").read_text(encoding="utf-8")
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(expected.splitlines())


def test_every_scorer_counts_files_and_names_itself_in_the_result(files, capsys):
    for scorer in SCORERS:
        result = score_as_json(capsys, files("gold.jsonl", GOLD), files("pred.jsonl", PREDICTION), "--scorer", scorer)
        assert result["scorer"] == scorer


def test_an_unknown_scorer_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["score", "--gold", "g", "--predictions", "p", "--scorer", "ace"])
    assert "rams" in capsys.readouterr().err


def documents(files):
    gold = files("gold.jsonl", {**OWN, "events": [{**OWN["events"][0], "arguments": [ARGUMENT, ARGUMENT]}]})
    predicted = files("pred.jsonl", {**OWN, "events": [{**OWN["events"][0], "arguments": [ARGUMENT]}]})
    return gold, predicted


def test_all_scorers_stand_side_by_side_and_say_where_they_differ(files, capsys):
    result = score_as_json(capsys, *documents(files), "--all")

    assert result["scores"].keys() == SCORERS.keys()
    assert result["scores"]["rams"]["counts"] == {"gold": 2, "predicted": 1, "matched": 1}
    assert result["scores"]["textee"]["counts"]["gold"] == 1
    assert result["differences"]["notes"][0].startswith("1 gold arguments repeat another of their event")
    assert result["intervals"]["textee"]["argument_cls"]["f1"] == [1.0, 1.0]
    assert result["documents_per_second"] > 0


def test_all_scorers_fit_a_narrow_terminal(files, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    gold, predicted = documents(files)
    assert main(["score", "--gold", gold, "--predictions", predicted, "--all"]) == 0
    printed = capsys.readouterr().out
    assert "textee argument_cls" in printed
    assert max(map(len, printed.splitlines())) <= 60


def test_two_systems_are_compared_on_the_same_documents(files, capsys):
    gold, predicted = documents(files)
    other = files("other.jsonl", {**OWN, "events": []})
    result = score_as_json(capsys, gold, predicted, "--compare_with", other, "--scorer", "textee")
    difference = result["against"]["differences"]["textee"]["argument_cls"]
    assert difference["difference"] == 1.0
    assert 0 < difference["p_value"] <= 1


def test_errors_are_told_and_written_as_a_page(files, capsys, tmp_path):
    gold, predicted = documents(files)
    page = tmp_path / "errors.html"
    result = score_as_json(capsys, gold, predicted, "--errors", "--html", str(page), "--training_file", gold)
    assert result["errors"]["kinds"] == {**dict.fromkeys(result["errors"]["kinds"], 0), "matched": 1, "missed": 1}
    assert result["errors"]["by"]["training"].keys() == {"1–9"}
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main(["score", "--gold", gold, "--predictions", predicted, "--html", str(page)]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.fixture
def found(files):
    """A gold event, and predictions of it with another trigger, another type, and one too many."""
    event = OWN["events"][0]
    gold = files("gold.jsonl", {**OWN, "events": [{**event, "arguments": [ARGUMENT]}]})
    others = [{**event, "id": "p1", "type": "meet"}, {**event, "id": "p2", "type": "meet", "trigger": None}]
    return gold, files("found.jsonl", {**OWN, "events": [{**item, "arguments": [ARGUMENT]} for item in others]})


def test_predicted_triggers_have_scores_intervals_and_tests(found, capsys):
    gold, predicted = found
    options = ("--scorer", "textee", "--triggers", "predicted", "--compare_with", gold)
    result = score_as_json(capsys, gold, predicted, *options)
    assert (result["triggers"], result["measure"]) == ("predicted", "argument_attached_cls")
    assert result["measures"]["trigger_id"]["counts"] == {"gold": 1, "predicted": 2, "matched": 1}
    assert result["measures"]["trigger_cls"]["counts"] == {"gold": 1, "predicted": 2, "matched": 0}
    assert result["intervals"]["trigger_cls"]["f1"] == [0.0, 0.0]
    assert result["against"]["differences"]["textee"]["trigger_cls"]["difference"] == -1.0


def test_other_triggers_than_the_gold_ones_are_noticed(found, run):
    gold, predicted = found
    words = ("score", "--gold", gold, "--predictions", predicted, "--scorer", "textee")
    assert run(*words).err.startswith("2 predicted events have a trigger or type that the gold lacks: --triggers")
    assert run(*words, "--triggers", "predicted").err == ""


@pytest.mark.parametrize(("mode", "counts"), [("strict", (1, 2)), ("loose", (1, 1))])
def test_the_ways_of_omnievent_say_which_they_are(mode, counts, found, run):
    gold, predicted = found
    words = ("score", "--gold", gold, "--predictions", predicted, "--scorer", "omnievent", "--mode", mode)
    assert tuple(json.loads(run(*words, "--json").out)["counts"].values())[:2] == counts
    assert run(*words).out.splitlines()[0].endswith(f"in percent), {mode}")


def test_events_by_kind_of_error_are_told_where_there_are_any(found, run, tmp_path):
    gold, predicted = found
    words = ("score", "--gold", gold, "--predictions", predicted, "--scorer", "textee", "--errors")
    page = tmp_path / "errors.html"
    lines = [line.split() for line in run(*words, "--html", page).out.splitlines()]
    assert ["wrong", "type", "1"] in lines
    assert ["spurious", "event", "1"] in lines
    html = page.read_text(encoding="utf-8")
    assert "types taken for others" in html
    assert 'class="trigger wrong-type"' in html
    assert "spurious event" not in run(*words[:4], gold, *words[5:]).out


def test_filled_templates_of_genarg_are_scored_by_their_strings(files, tmp_path, capsys):
    gold = files("gold.jsonl", OWN)
    filled = files("filled.jsonl", {"doc_key": "d1", "predicted": "Rebels attacked <arg>", "gold": ""})
    ontology = tmp_path / "kairos.json"
    types = {"attack": {"template": "<arg1> attacked <arg2>", "roles": ["attacker", "target"]}}
    ontology.write_text(json.dumps(types), encoding="utf-8")
    options = ("--scorer", "wikievents", "--ontology_file", str(ontology))

    assert counts(score_as_json(capsys, gold, filled, *options)) == (1, 1, 1)
    assert main(["score", "--gold", gold, "--predictions", filled, *options, "--official"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "Role: P: 100.00, R: 100.00, F: 100.00"
    assert main(["score", "--gold", gold, "--predictions", filled, "--scorer", "wikievents"]) == 2
    assert "templates" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [
        ["--official", "--all"],
        ["--official", "--scorer", "paie"],
        ["--official", "--json"],
        ["--resamples", "-1"],
        ["--window", "250"],
        ["--type_constrained", "--scorer", "textee"],
        ["--heads_file", "absent.jsonl", "--scorer", "paie"],
        ["--html", "no/such/folder/page.html"],
        ["--training_file", "train.jsonl"],
        ["--coreference_file", "clusters.jsonlines"],
        ["--coreference_file", "clusters.jsonlines", "--errors"],
        ["--format", "ramz"],
    ],
)
def test_flags_that_do_not_go_together_are_one_message(files, refused, flags):
    gold, predicted = documents(files)
    assert refused("score", "--gold", gold, "--predictions", predicted, *flags).startswith("error: ")


def test_resamples_may_be_left_out(files, capsys):
    assert "intervals" not in score_as_json(capsys, *documents(files), "--resamples", "0")


def test_systems_are_compared_without_resamples_by_their_difference_alone(files, capsys):
    gold, predicted = documents(files)
    words = ["--compare_with", files("other.jsonl", {**OWN, "events": []}), "--scorer", "textee", "--resamples", "0"]
    differences = score_as_json(capsys, gold, predicted, *words)["against"]["differences"]["textee"]
    assert differences["argument_cls"] == {"difference": 1.0}
    assert main(["score", "--gold", gold, "--predictions", predicted, *words]) == 0
    printed = capsys.readouterr().out
    assert "+100.00" in printed
    assert "95 %" not in printed


def test_the_official_print_of_genarg_needs_its_lines(files, refused):
    gold, predicted = documents(files)
    words = ("score", "--gold", gold, "--predictions", predicted, "--scorer", "wikievents", "--official")
    assert "expected gen-arg's prediction lines" in refused(*words)


@pytest.mark.parametrize("flags", [["--errors"], ["--html", "page.html"], ["--compare_with", "other.jsonl"]])
def test_filled_templates_have_no_spans_to_analyse(files, refused, flags):
    filled = files("filled.jsonl", {"doc_key": "d1", "predicted": "Rebels attacked <arg>", "gold": ""})
    words = ("score", "--gold", files("gold.jsonl", OWN), "--predictions", filled, "--scorer", "wikievents")
    assert "not for gen-arg's prediction lines" in refused(*words, *flags)


def test_all_scorers_fit_a_very_narrow_terminal(files, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    gold, predicted = documents(files)
    printed = run("score", "--gold", gold, "--predictions", predicted, "--all").out
    assert max(map(len, printed.splitlines())) <= 40
