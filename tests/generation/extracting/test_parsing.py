"""Free answers: read where they can be, and counted by what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from eventune.events import Document, Span
from eventune.generation.extracting.parsing import KINDS, read_answer
from eventune.generation.extracting.prompts import Question


@pytest.fixture
def read(prompt_encoder_with: Any, document: Document) -> Any:
    def read_text(text: str, *events: int) -> tuple[list[tuple[int, str, Span]], dict[str, int]]:
        question = Question(document, events or (0,), Span(0, len(document.tokens)))
        script = prompt_encoder_with().grammar(question).script
        found, counts = read_answer(text, script, question)
        assert set(counts) <= set(KINDS)
        return [(item.event, item.argument.role, item.argument.span) for item in found], dict(counts)

    return read_text


def test_a_clean_answer_is_read_without_complaint(read: Any) -> None:
    text = '{"attacker": ["Gunmen"], "target": ["two  men"], "place": []}'
    assert read(text) == ([(0, "attacker", Span(0, 1)), (0, "target", Span(2, 4))], {"ambiguous": 1})


@pytest.mark.parametrize(
    ("text", "kind", "spans"),
    [
        ('Sure! {"place": ["Kabul ."]}\n```', "repaired", [Span(5, 7)]),
        ('{"target": ["two men"], "place": ["Kab', "repaired", [Span(2, 4)]),
        ('{"target": ["two men"', "repaired", [Span(2, 4)]),
        ("I do not know.", "malformed", []),
        ('["two men"]', "malformed", []),
        ('{"victim": ["two men"]}', "unknown_role", []),
        ('{"target": ["soldiers"]}', "hallucinated", []),
        ('{"target": [["two men"], 3]}', "not_a_text", []),
        ('{"target": "TWO MEN"}', "respelled", [Span(2, 4)]),
        ('{"attacker": ["Gunmen", "two men"]}', "too_many", [Span(0, 1)]),
        ('{"target": ["two men", "two men"]}', "repeated", [Span(2, 4)]),
    ],
)
def test_each_kind_of_mistake_is_counted(read: Any, text: str, kind: str, spans: list[Span]) -> None:
    found, counts = read(text)
    assert counts[kind] >= 1
    assert [span for _, _, span in found] == spans


def test_escaped_values_and_several_events_are_read(read: Any) -> None:
    found, counts = read('{"1": {"place": ["Kabul"]}, "2": {"participant": ["Gunmen of \\"Al\\\\Q\\""]}}', 0, 1)
    assert found == [(0, "place", Span(5, 6)), (1, "participant", Span(10, 13))]
    assert counts == {"ambiguous": 1, "missing_role": 2}


def test_one_event_may_stand_below_its_number(read: Any) -> None:
    assert read('{"1": {"place": []}}') == ([], {"missing_role": 2})


def test_null_and_empty_values_mean_none(read: Any) -> None:
    assert read('{"place": null, "target": [""], "attacker": []}') == ([], {})


@pytest.mark.parametrize(
    ("text", "events", "counts"),
    [
        ('{"attacker": ["Kabul"]}', (0, 1), {"unknown_event": 1, "missing_role": 4}),
        ('{"1": ["Gunmen"], "3": {"x": ["y"]}}', (0, 1), {"unknown_event": 2, "missing_role": 4}),
        ("{}", (0,), {"missing_role": 3}),
        ('{"place": [], "place": [], "target": [], "attacker": []}', (0,), {"repeated_key": 1}),
        ('{"place": "Kabul", "target": [], "attacker": []}', (0,), {"not_a_list": 1, "ambiguous": 1}),
        ('{"place": [] "target": []}', (0,), {"malformed": 1}),
        ('For {event}: {"place": [], "target": [], "attacker": []}', (0,), {"repaired": 1}),
        ('{"place": ' + "[" * 9000, (0,), {"malformed": 1}),
        ('{"place": ' + "9" * 5000 + "}", (0,), {"malformed": 1}),
    ],
)
def test_nothing_that_is_wrong_goes_uncounted(
    read: Any, text: str, events: tuple[int, ...], counts: dict[str, int]
) -> None:
    assert read(text, *events)[1] == counts
