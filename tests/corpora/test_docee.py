import json

import pytest

from eventune.corpora import Losses, jsonl, read_corpus, write_corpus
from eventune.corpora.docee import read_document, recognises, write_document
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Argument, Document, Event, Span

ARGUMENTS = [
    {"start": 15, "end": 19, "type": "Place", "text": "Homs"},
    {"start": 0, "end": 6, "type": "Attacker", "text": "x"},
]
RECORD = ["Title", "Rebels shelled Homs.", "Armed conflict", json.dumps(ARGUMENTS)]


def test_record_is_one_event_without_a_trigger():
    document = read_document(RECORD)
    (event,) = document.events
    assert (event.type, event.trigger) == ("Armed conflict", None)
    assert event.arguments == (
        Argument("Place", Span(2, 3)),
        Argument("Attacker", Span(0, 1), attributes={"text": "x"}),
    )
    assert document.metadata == {"title": "Title"}


def test_identifier_depends_on_title_and_text_alone():
    assert len(read_document(RECORD).id) == 16
    assert read_document([*RECORD[:2], "Other", "[]"]).id == read_document(RECORD).id
    assert read_document(["x", *RECORD[1:]]).id != read_document(RECORD).id


@pytest.mark.parametrize("value", [RECORD, [*RECORD[:3], ARGUMENTS], ["", "Nothing.", "", "[]"]])
def test_record_comes_back(value):
    document = read_document(value)
    (again,) = write_document(document)
    assert read_document(again) == document
    assert again[:3] == value[:3]
    (own,) = jsonl.write_document(document)
    assert jsonl.read_document(json.loads(json.dumps(own))) == document


def test_foreign_document_loses_its_triggers(tmp_path):
    event = Event("attack", Span(1, 2), (Argument("place", Span(2, 3)),))
    document = Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=[event])
    losses = Losses()
    write_corpus([document], tmp_path / "out.json", "docee", losses=losses)
    assert losses.counts["events"] == 1
    assert read_corpus(tmp_path / "out.json").format == "docee"
    assert read_corpus(tmp_path / "out.json")[0].events[0].arguments[0].role == "place"


@pytest.mark.parametrize("text", ["Rebels shelled Homs.", "x" * 70_000])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("between", ["\n", "\r\n\r\n"])
def test_a_record_a_line_is_read_as_one_array_is(tmp_path, text, count, between):
    values = [[f"Title {number}", text, "Armed conflict", "[]"] for number in range(count)]
    lines = map(json.dumps, values)
    (tmp_path / "lines.json").write_bytes(f"\ufeff{between}{between.join(lines)}{between}".encode())
    expected = [read_document(value) for value in values]
    assert list(read_corpus(tmp_path / "lines.json")) == expected
    for indent in (None, 1):
        (tmp_path / "array.json").write_text(json.dumps(values, indent=indent))
        assert list(read_corpus(tmp_path / "array.json", "docee")) == expected


def test_the_line_of_a_broken_record_is_named(tmp_path):
    (tmp_path / "lines.json").write_text(f"{json.dumps(RECORD)}\n[1\n{json.dumps(RECORD[:3])}\n")
    with pytest.raises(
        EventuneError, match=r"(?s)json:2: line: expected one JSON object, found broken.*json:3: record"
    ):
        read_corpus(tmp_path / "lines.json")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "record: expected a list of title, text, event type, arguments"),
        (RECORD[:3], "record: expected a list"),
        ([1, *RECORD[1:]], "title: expected a string, found 1"),
        ([*RECORD[:3], "["], "arguments: expected JSON inside the string"),
        ([*RECORD[:3], "{}"], "arguments: expected a list"),
        ([*RECORD[:3], [3]], r"arguments\[0\]: expected an object"),
        ([*RECORD[:3], [{"start": 0, "end": 99, "type": "x"}]], r"arguments\[0\]\.start, end: .* 20 characters"),
        ([*RECORD[:3], [{"start": 0, "end": 3}]], r"arguments\[0\]\.type: expected a string"),
        ([*RECORD[:2], "", ARGUMENTS], "event type: expected a name"),
    ],
)
def test_wrong_record_names_the_field(value, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(value)


def test_only_lists_of_four_are_recognised():
    assert recognises(RECORD)
    assert not recognises(RECORD[:3])
    assert not recognises({"title": "x"})
