"""The official RAMS scorer's rules, on small examples; `test_rams_parity.py` compares with the official program."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.scoring import official_report, score
from eventune.scoring.rams import links_of, predicted_events
from eventune.scoring.rams_files import official_records, read_gold, read_predictions
from eventune.scoring.rams_links import LinkCounter, count_links

SENTENCES = [[f"w{4 * number + word}" for word in range(4)] for number in range(5)]
ONTOLOGY = Ontology.of(
    [EventType("type.a", (Role("x"), Role("y"), Role("place", 2))), EventType("type.b", (Role("z"),))]
)


def event(*arguments, trigger=8, type="type.a"):
    """An event with arguments `(start, end, role[, score])`."""
    return Event(
        type,
        Span(trigger, trigger + 1),
        tuple(Argument(role, Span(start, end), *rest) for start, end, role, *rest in arguments),
    )


def document(*events, id="d1"):
    return Document.from_sentences(id, SENTENCES, events=events)


def counts(score):
    return score.gold, score.predicted, score.matched


# Rules, on documents


def test_duplicate_gold_needs_duplicate_predictions():
    gold = document(event((2, 4, "x"), (2, 4, "x"), (9, 10, "y")))

    assert counts(score([gold], [document(event((2, 4, "x"), (9, 10, "y")))])) == (3, 2, 2)
    assert counts(score([gold], [gold])) == (3, 3, 3)


def test_duplicate_predictions_are_overpredictions():
    predicted = document(event((2, 4, "x"), (2, 4, "x"), (2, 4, "x")))

    assert counts(score([document(event((2, 4, "x")))], [predicted])) == (1, 3, 1)


def test_precision_and_recall_have_their_right_names_and_the_official_ones_are_swapped():
    gold = document(event((2, 4, "x"), (9, 10, "y"), (1, 2, "place"), (6, 7, "place")))

    result = score([gold], [document(event((2, 4, "x")))])

    assert (result.precision, result.recall, result.f1) == (1.0, 0.25, 0.4)
    assert result.tables["official"] == {"precision": 25.0, "recall": 100.0, "f1": 40.0}


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [([], []), ([event()], []), ([event((2, 4, "x"))], []), ([], [event((2, 4, "x"))])],
)
def test_figures_are_zero_where_their_denominator_is(gold, predicted):
    result = score([document(*gold)], [document(*predicted)])

    assert (result.precision, result.recall, result.f1) == (0.0, 0.0, 0.0)
    assert result.tables["official"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_a_missing_document_is_an_empty_prediction_and_an_unknown_one_is_ignored():
    gold = [document(event((2, 4, "x"))), document(event((2, 4, "x")), id="d2")]

    result = score(gold, [gold[0], document(event((2, 4, "x")), id="elsewhere")])

    assert counts(result) == (2, 1, 1)
    assert result.tables["documents"] == {"gold": 2, "predicted": 2, "ignored": 1, "absent": 1}


def test_of_documents_with_one_id_the_last_counts():
    gold = document(event((2, 4, "x")))

    assert counts(score([gold], [gold, document()])) == (1, 0, 0)


def test_a_wrong_trigger_matches_nothing_and_moves_the_prediction_to_its_own_distance():
    result = score([document(event((2, 4, "x")))], [document(event((2, 4, "x"), trigger=4))])

    assert counts(result) == (1, 1, 0)
    assert {name: (row["gold"], row["predicted"]) for name, row in result.tables["distance"].items()} == {
        "-2": (1, 0),
        "-1": (0, 1),
        "0": (0, 0),
        "1": (0, 0),
        "2": (0, 0),
    }


def test_several_events_of_a_document_are_told_apart_by_their_triggers():
    gold = document(event((2, 4, "x")), event((2, 4, "z"), trigger=12, type="type.b"))
    swapped = document(event((2, 4, "z")), event((2, 4, "x"), trigger=12, type="type.b"))

    assert counts(score([gold], [gold])) == (2, 2, 2)
    assert counts(score([gold], [swapped])) == (2, 2, 0)


def test_the_role_table_adds_up_to_the_total_with_roles_that_are_not_in_the_gold():
    gold = document(event((2, 4, "x"), (9, 10, "y"), (6, 7, "y")))

    result = score([gold], [document(event((2, 4, "x"), (9, 10, "nosuchrole")))])

    rows = result.tables["roles"]
    assert [(row["role"], row["gold"], row["predicted"], row["matched"]) for row in rows] == [
        ("y", 2, 0, 0),
        ("x", 1, 1, 1),
        ("nosuchrole", 0, 1, 0),
    ]
    assert rows[1]["precision"] == rows[1]["recall"] == rows[1]["f1"] == 1.0


def test_the_score_is_json():
    gold = document(event((2, 4, "x")))

    value = score([gold], [gold]).to_dict()

    assert json.loads(json.dumps(value)) == value
    assert value["scorer"] == "rams"
    assert value["metrics"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert value["counts"] == {"gold": 1, "predicted": 1, "matched": 1}


@pytest.mark.parametrize("side", ["gold", "predicted"])
def test_a_span_over_a_sentence_boundary_is_refused_unless_allowed(side):
    crossing, proper = document(event((3, 5, "x"))), document(event((2, 4, "x")))
    pair = ([crossing], [proper]) if side == "gold" else ([proper], [crossing])

    with pytest.raises(
        EventuneError, match=rf"d1: {side} argument: expected a span inside one sentence, found tokens 3"
    ):
        score(*pair)

    allowed = score(*pair, strict=False)
    assert counts(allowed) == (1, 1, 0)
    assert sum(row["gold"] + row["predicted"] for row in allowed.tables["distance"].values()) == 1


def test_a_document_with_other_tokens_is_refused():
    other = Document.from_sentences("d1", SENTENCES[:3])

    with pytest.raises(EventuneError, match="d1: expected the gold's 20 tokens, found 12"):
        score([document()], [other])


def test_events_without_triggers_count_without_distance():
    gold = document(Event("type.a", None, (Argument("x", Span(2, 4)),)))

    result = score([gold], [gold])

    assert counts(result) == (1, 1, 1)
    assert not any(row["gold"] for row in result.tables["distance"].values())


# Type constraints


def test_type_constraints_keep_the_best_up_to_multiplicity_and_the_first_of_equals():
    gold = document(event((2, 4, "x"), (0, 1, "place")))
    predicted = document(
        event((1, 2, "x", 0.1), (2, 4, "x", 0.9), (0, 1, "place", 0.5), (4, 5, "place", 0.5), (6, 7, "place", 0.5))
    )

    assert counts(score([gold], [predicted])) == (2, 5, 2)
    assert counts(score([gold], [predicted], ontology=ONTOLOGY, type_constrained=True)) == (2, 3, 2)


def test_type_constraints_use_the_gold_type_of_the_only_event_whatever_was_predicted():
    gold = document(event((2, 4, "x")))
    predicted = document(event((2, 4, "x", 0.9), (4, 5, "z", 0.9), type="type.b", trigger=16))

    result = score([gold], [predicted], ontology=ONTOLOGY, type_constrained=True)

    assert counts(result) == (1, 1, 0)


def test_type_constraints_apply_to_each_of_several_events_by_itself():
    gold = document(event((2, 4, "x")), event((2, 4, "z"), trigger=12, type="type.b"))
    predicted = document(
        event((2, 4, "x", 0.9), (1, 2, "z", 0.9)),
        event((2, 4, "z", 0.9), (1, 2, "x", 0.9), trigger=12, type="type.b"),
    )

    assert counts(score([gold], [predicted], ontology=ONTOLOGY, type_constrained=True)) == (2, 2, 2)


def test_an_unknown_type_is_left_unfiltered_and_reported_first():
    gold = document(event((2, 4, "x"), type="type.c"))
    predicted = document(event((2, 4, "x", 0.9), (1, 2, "q", 0.9)))

    counter = LinkCounter(ontology=ONTOLOGY, type_constrained=True)
    counter.add("d1", links_of(gold), predicted_events(predicted))

    assert counts(counter.counts.score()) == (1, 2, 1)
    assert official_report(counter.counts).startswith("not found: type.c\n,x\n")


def test_type_constraints_need_an_ontology():
    with pytest.raises(EventuneError, match="need an ontology"):
        score([document()], [document()], type_constrained=True)


def test_type_constraints_need_scores():
    gold = document(event((2, 4, "x")))

    with pytest.raises(EventuneError, match="expect a score for each predicted argument, found None for 'x'"):
        score([gold], [gold], ontology=ONTOLOGY, type_constrained=True)


# Files


def gold_line(*links, trigger=8, types=("type.a",), key="d1"):
    return json.dumps(
        {
            "doc_key": key,
            "sentences": SENTENCES,
            "evt_triggers": [[trigger, trigger, [[type, 1.0] for type in types]]],
            "gold_evt_links": [[[trigger, trigger], list(span), f"evt001arg01{role}"] for *span, role in links],
        }
    )


def prediction_line(*arguments, trigger=8, key="d1"):
    return json.dumps({"doc_key": key, "predictions": [[[trigger, trigger], *map(list, arguments)]]})


def records(lines, name="lines.jsonl"):
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        yield from official_records(path)


def count_lines(gold, predicted, **options):
    gold_file, prediction_file = read_gold(records(gold)), read_predictions(records(predicted))
    counter = LinkCounter(**options)
    count_links(counter, gold_file.documents, prediction_file.documents, more_roles=gold_file.roles)
    return counter.counts


def test_lines_and_documents_count_alike():
    lines = count_lines([gold_line((2, 3, "x"))], [prediction_line((2, 3, "x", 0.9), (9, 9, "y", 0.8))])

    same = score([document(event((2, 4, "x")))], [document(event((2, 4, "x", 0.9), (9, 10, "y", 0.8)))])
    assert lines.score() == same


def test_of_gold_lines_with_one_key_the_last_counts():
    found = count_lines([gold_line((2, 3, "x")), gold_line((9, 9, "y"))], [prediction_line((9, 9, "y", 0.5))])

    assert counts(found.score()) == (1, 1, 1)
    # The overwritten line's role keeps its row in the official table.
    assert "x                       0           0           0           0.00\n" in official_report(found)


def test_long_role_names_are_cut_in_the_official_table():
    report = official_report(count_lines([gold_line((2, 3, "averyveryverylongrolename"))], []))

    assert "averyveryverylongrol    0           1           0           0.00\n" in report


def test_an_index_outside_the_document_is_refused_only_where_it_counts():
    outside = prediction_line((20, 20, "x", 0.9))

    with pytest.raises(EventuneError, match="d1: predicted argument: expected a span inside the document's 20 tokens"):
        count_lines([gold_line()], [outside])
    assert counts(count_lines([gold_line(key="d2")], [outside]).score()) == (0, 0, 0)


def test_a_gold_line_with_two_types_is_refused_by_type_constraints_alone():
    lines = [gold_line((2, 3, "x"), types=("type.a", "type.b"))], [prediction_line((2, 3, "x", 0.9))]

    assert counts(count_lines(*lines).score()) == (1, 1, 1)
    with pytest.raises(EventuneError, match=r"d1: type constraints expect one gold event type, found type\.a, type\.b"):
        count_lines(*lines, ontology=ONTOLOGY, type_constrained=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "p.jsonl:1: expected a JSON object, found a blank line"),
        ("{", "p.jsonl:1: expected a JSON object, found: Expecting"),
        ("[]", r"p.jsonl:1: expected a JSON object, found \[\]"),
        ('{"predictions": []}', "p.jsonl:1: doc_key: expected a string, found null"),
        ('{"doc_key": "d1"}', "p.jsonl:1: predictions: expected a list, found null"),
        ('{"doc_key": "d1", "predictions": [[[8, 8]], [[9, 9]]]}', "predictions: expected at most one event"),
        ('{"doc_key": "d1", "predictions": [[[8]]]}', r"predictions\[0\]\[0\]: expected \[first token, last token\]"),
        ('{"doc_key": "d1", "predictions": [[]]}', r"predictions\[0\]: expected a list of at least 1"),
        (
            '{"doc_key": "d1", "predictions": [[[8, 8], [2, 3, "x"]]]}',
            r'predictions\[0\]\[1\]: expected \[start, end, role, score\], found \[2, 3, "x"\]',
        ),
        ('{"doc_key": "d1", "predictions": [[[8, 8], [2, 3, 5, 0.9]]]}', "expected a string, found 5"),
    ],
)
def test_a_broken_prediction_line_is_named_with_what_was_expected(line, message):
    with pytest.raises(EventuneError, match=message):
        read_predictions(records([line], "p.jsonl"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evt_triggers": []}, "evt_triggers: expected exactly one"),
        ({"gold_evt_links": [[[9, 9], [2, 3], "evt001arg01x"]]}, r"gold_evt_links\[0\]\[0\]: expected the trigger"),
        ({"sentences": None}, "sentences: expected a list, found null"),
    ],
)
def test_a_broken_gold_line_is_named_with_what_was_expected(change, message):
    line = json.dumps({**json.loads(gold_line((2, 3, "x"))), **change})

    with pytest.raises(EventuneError, match=f"g.jsonl:2: {message}"):
        read_gold(records([gold_line(), line], "g.jsonl"))


def test_lines_are_split_at_line_feeds_only(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a": "x\u2028y"}\r\n{"b": 1}\n', encoding="utf-8")

    assert [record.value for record in official_records(path)] == [{"a": "x\u2028y"}, {"b": 1}]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "latin.jsonl").write_bytes(b"\xe9\n")

    with pytest.raises(EventuneError, match=r"absent\.jsonl: no such file"):
        list(official_records(tmp_path / "absent.jsonl"))
    with pytest.raises(EventuneError, match="cannot be read"):
        list(official_records(tmp_path))
    with pytest.raises(EventuneError, match="expected text in UTF-8"):
        list(official_records(tmp_path / "latin.jsonl"))


# The facade


def test_score_finds_the_scorer_by_name():
    gold = document(event((2, 4, "x")))

    assert score([gold], [gold]) == score([gold], [gold], scorer="rams")


def test_an_unknown_scorer_is_refused_with_the_nearest_name():
    with pytest.raises(EventuneError, match=r"expected one of rams, wikievents, .* found 'ram'\ndid you mean 'rams'"):
        score([], [], scorer="ram")
