"""Parity with the official RAMS scorer: what it printed and computed for the same files."""

import json
from collections import Counter

import pytest

from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.events import Argument, Event, EventType, Ontology, Role, Span
from eventune.scoring import official_report, score
from eventune.scoring.rams_pairs import count_files


def read_multiplicities(text):
    """The official ontology file: `type role n role n …`."""
    types = []
    for line in text.splitlines():
        name, *rest = line.split()
        types.append(EventType(name, tuple(Role(role, int(n)) for role, n in zip(rest[::2], rest[1::2], strict=True))))
    return Ontology.of(types)


def assert_same_report(ours, official):
    """Equal but for the order of table rows with one gold count, which the official scorer leaves to the hash seed."""
    ours, official = ours.split("\n"), official.split("\n")
    first = next(number for number, line in enumerate(official) if line.startswith("ROLE ")) + 1
    last = next(number for number, line in enumerate(official) if line.startswith("TOTAL: "))
    assert ours[:first] == official[:first]
    assert ours[last:] == official[last:]
    assert Counter(ours[first:last]) == Counter(official[first:last])
    gold_counts = [sum(map(int, line[20:].split()[:2])) for line in ours[first:last]]
    assert gold_counts == sorted(gold_counts, reverse=True)


def assert_same_figures(found, expected):
    result = found.score()
    assert result.tables["official"] == expected["metrics"]["printed"]
    correct = expected["metrics"]["correct"]
    figures = {"precision": result.precision, "recall": result.recall, "f1": result.f1}
    assert {name: 100 * value for name, value in figures.items()} == pytest.approx(correct, abs=1e-11)
    assert (result.gold, result.predicted, result.matched) == tuple(
        expected["counts"][name] for name in ("gold", "pred", "matched")
    )
    assert tallies({role: found.roles[role] for role in found.table_roles}) == {
        role: (row["correct"], row["missing"], row["overpred"], row["printed"])
        for role, row in expected["role_table"].items()
    }
    assert [(distance, tally.gold, tally.predicted, printed(tally)) for distance, tally in found.distances.items()] == [
        (row["distance"], row["gold"], row["pred"], row["printed"]) for row in expected["distance"]
    ]
    confusion = [[role, [list(cell) for cell in row.items()]] for role, row in found.confusion.items()]
    assert confusion == expected["confusion"]


def tallies(roles):
    return {role: (tally.matched, tally.missed, tally.overpredicted, printed(tally)) for role, tally in roles.items()}


def printed(tally):
    return dict(zip(("precision", "recall", "f1"), tally.official(), strict=True))


@pytest.fixture(scope="module")
def rams_ontology(rams_folder):
    return read_multiplicities((rams_folder / "event_role_multiplicities.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("mode", ["nocd", "cd"])
@pytest.mark.parametrize("name", ["dev_low", "dev_mid", "dev_high"])
def test_parity_with_the_official_scorer(name, mode, rams_folder, rams_ontology, reference_folder):
    folder = reference_folder / "scorers" / "rams"

    found, _ = count_files(
        rams_folder / "dev.jsonlines",
        folder / f"{name}.pred.jsonl",
        ontology=rams_ontology,
        type_constrained=mode == "cd",
    )

    expected = json.loads((folder / f"{name}.rams.json").read_text(encoding="utf-8"))[mode]
    assert_same_figures(found, expected)
    assert_same_report(official_report(found), (folder / f"{name}.rams.{mode}.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("type_constrained", [False, True])
def test_documents_score_as_files_do(type_constrained, rams_folder, rams_ontology, reference_folder):
    predictions = reference_folder / "scorers" / "rams" / "dev_high.pred.jsonl"
    options = {"ontology": rams_ontology, "type_constrained": type_constrained}
    gold = read_corpus(rams_folder / "dev.jsonlines")
    by_id = {document.id: document for document in gold}
    lines = [json.loads(line) for line in predictions.read_text(encoding="utf-8").splitlines()]

    predicted = [with_predictions(by_id[line["doc_key"]], line) for line in lines if line["doc_key"] in by_id]

    expected = count_files(rams_folder / "dev.jsonlines", predictions, **options)[0].score().to_dict()
    found = score(gold, predicted, **options).to_dict()
    assert {**found, "documents": None} == {**expected, "documents": None}


def with_predictions(document, line):
    events = []
    for (start, end), *arguments in line["predictions"]:
        found = tuple(Argument(role, Span(first, last + 1), score) for first, last, role, score in arguments)
        events.append(Event("as.the.gold", Span(start, end + 1), found))
    return document.with_events(events)


@pytest.mark.parametrize("type_constrained", [False, True])
def test_parity_where_the_official_scorer_stops_at_a_sentence_boundary(
    type_constrained, rams_folder, rams_ontology, reference_folder
):
    with pytest.raises(EventuneError, match="cross a sentence boundary"):
        count_files(
            rams_folder / "dev.jsonlines",
            reference_folder / "scorers" / "rams" / "dev_cross.pred.jsonl",
            ontology=rams_ontology,
            type_constrained=type_constrained,
        )


EDGE_CASES = {
    "r01_dup_gold": {},
    "r03_dup_pred": {},
    "r04_same_span_two_roles": {},
    "r06_unseen_role": {},
    "r08_empty_empty": {},
    "r10_three_kinds_of_nothing": {},
    "r11_overmultiplicity_ties": {},
    "r13_cross_sentence_pred": {"nocd": "cross a sentence boundary", "cd": "cross a sentence boundary"},
    "r17_negative_index": {},
    "r19_wrong_trigger": {},
    "r20_dup_doc_in_pred": {},
    "r22_reuse_gold_format": {"cd": "expect a score for each predicted argument"},
    "r24_pred_role_not_normalised": {},
    "r25_blank_line": {"nocd": ":2: .* found a blank line", "cd": ":2: .* found a blank line"},
    "r26_swapped_labels": {},
    "r28_distance_beyond_two": {},
    "r31_missing_score": {
        "nocd": r"expected \[start, end, role, score\]",
        "cd": r"expected \[start, end, role, score\]",
    },
    "r33_gold_link_other_trigger": {"nocd": "the trigger of evt_triggers", "cd": "the trigger of evt_triggers"},
}
"""What our error says in each mode in which the official scorer raises an exception."""


def test_every_edge_case_of_the_reference_is_tested(reference_folder):
    assert {path.stem for path in (reference_folder / "scorers" / "edge").glob("r*.json")} == set(EDGE_CASES)


@pytest.mark.parametrize("mode", ["nocd", "cd"])
@pytest.mark.parametrize("name", EDGE_CASES)
def test_parity_in_edge_cases(name, mode, tmp_path, reference_folder):
    case = json.loads((reference_folder / "scorers" / "edge" / f"{name}.json").read_text(encoding="utf-8"))
    gold, predictions = tmp_path / "gold.jsonl", tmp_path / "predictions.jsonl"
    gold.write_text("".join(json.dumps(line) + "\n" for line in case["gold_lines"]), encoding="utf-8")
    predictions.write_text(case["pred_file_text"], encoding="utf-8")
    options = {
        "ontology": read_multiplicities(case["ontology_file_text"]),
        "type_constrained": mode == "cd",
    }
    expected = case["expected"][mode]

    if "exception" in expected:
        with pytest.raises(EventuneError, match=EDGE_CASES[name][mode]):
            count_files(gold, predictions, **options)
        return

    found, _ = count_files(gold, predictions, **options)
    assert mode not in EDGE_CASES[name]
    assert_same_figures(found, expected["result"])
    assert_same_report(official_report(found), expected["stdout"])
