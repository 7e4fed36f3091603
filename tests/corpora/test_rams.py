import json
from collections import Counter

import pytest

from eventune.corpora import Losses, read_corpus, stream_corpus, write_corpus
from eventune.corpora.rams import read_document, recognises, role_of, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Span


def record(**changes):
    value = {
        "rel_triggers": [],
        "gold_rel_links": [],
        "doc_key": "d1",
        "ent_spans": [[6, 7, [["evt007arg02place", 1.0]]], [0, 0, [["evt007arg01attacker", 1.0]]]],
        "language_id": "eng",
        "source_url": "http://a.example/1",
        "evt_triggers": [[5, 5, [["conflict.attack.n/a", 1.0]]]],
        "split": "dev",
        "sentences": [["Rebels", "moved", "in", "."], ["They", "shelled", "East", "Homs", "."]],
        "gold_evt_links": [[[5, 5], [0, 0], "evt007arg01attacker"], [[5, 5], [6, 7], "evt007arg02place"]],
    }
    return {**value, **changes}


@pytest.mark.parametrize(
    ("label", "role"),
    [
        ("evt043arg01communicator", "communicator"),
        ("evt089arg02place", "place"),
        ("communicator", "communicator"),
        ("evt1arg2arg3victim", "victim"),
    ],
)
def test_role_is_what_follows_the_last_run_of_digits(label, role):
    assert role_of(label) == role


def test_indices_are_document_level_and_inclusive():
    document = read_document(record())
    [event] = document.events
    assert event.trigger == Span(5, 6)
    assert document.text_of(event.trigger) == "shelled"
    assert [(a.role, document.text_of(a.span)) for a in event.arguments] == [
        ("attacker", "Rebels"),
        ("place", "East Homs"),
    ]


def test_metadata_has_source_split_and_language_at_its_top():
    metadata = read_document(record(extra=1)).metadata
    assert metadata["source_url"] == "http://a.example/1"
    assert (metadata["split"], metadata["language_id"], metadata["extra"]) == ("dev", "eng", 1)
    assert metadata["rams"]["ent_spans"] == record()["ent_spans"]


def test_record_is_written_back_unchanged():
    value = record(extra={"kept": True})
    assert list(write_document(read_document(value))) == [value]


def test_links_that_differ_in_their_number_alone_are_both_kept():
    links = [[[5, 5], [0, 0], "evt007arg01participant"], [[5, 5], [0, 0], "evt007arg02participant"]]
    value = record(gold_evt_links=links)
    document = read_document(value)
    assert document.events[0].arguments == (Argument("participant", Span(0, 1)),) * 2
    assert list(write_document(document)) == [value]


def test_line_without_an_event_is_a_document_without_events():
    value = record(evt_triggers=[], gold_evt_links=[], ent_spans=[])
    document = read_document(value)
    assert document.events == ()
    assert list(write_document(document)) == [value]


def test_changed_events_are_written_and_not_the_raw_ones():
    document = read_document(record())
    predicted = Event("conflict.attack.n/a", Span(5, 6), (Argument("place", Span(7, 8), 0.5),))
    [written] = write_document(document.with_events([predicted]))
    assert written["gold_evt_links"] == [[[5, 5], [7, 7], "evt001arg01place"]]
    assert written["ent_spans"] == [[7, 7, [["evt001arg01place", 0.5]]]]
    assert written["source_url"] == "http://a.example/1"
    assert "rams" not in written


def test_foreign_document_with_two_events_becomes_two_lines_that_read_back(tmp_path):
    events = [
        Event("attack", Span(1, 2), (Argument("attacker", Span(0, 1)), Argument("place", Span(2, 4)))),
        Event("flight", Span(5, 6), (Argument("agent", Span(4, 5)),)),
    ]
    document = Document.from_sentences("d", [["Rebels", "shelled", "East", "Homs"], ["All", "fled"]], events=events)
    path = tmp_path / "foreign.jsonlines"
    write_corpus([document], path, "rams")
    again = read_corpus(path)
    assert [part.id for part in again] == ["d.1", "d.2"]
    assert [part.events for part in again] == [(events[0],), (events[1],)]
    assert {part.text for part in again} == {document.text}


def test_foreign_document_has_every_field_of_the_format():
    document = Document.from_sentences("d", [["a"]], events=[Event("attack", Span(0, 1))])
    [written] = write_document(document)
    assert written.keys() == record().keys()
    assert written["doc_key"] == "d"


def test_what_rams_has_no_place_for_is_left_out_and_counted(tmp_path):
    event = Event("attack", Span(0, 1), (Argument("arg0", Span(0, 1)), Argument("place", Span(0, 1), 0.5)))
    losses = Losses()
    document = Document.from_sentences("d", [["a"]], events=[event, Event("attack", None)])
    write_corpus([document], tmp_path / "out", "rams", losses=losses)
    assert losses.counts == {"events without a trigger": 1, "arguments": 1, "scores of arguments": 1}
    assert losses.first["arguments"] == "d"


def test_losses_are_logged_where_nobody_takes_them(tmp_path, caplog):
    document = Document.from_sentences("d", [["a"]], events=[Event("attack", None)])
    write_corpus([document], tmp_path / "out", "rams")
    assert "rams has no place for all, left out: events without a trigger: 1" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"doc_key": ""}, "doc_key: expected a non-empty string"),
        ({"sentences": "a b"}, "sentences: expected a list"),
        ({"sentences": ["a b"]}, r"sentences\[0\]: expected a list of words"),
        ({"sentences": [["a", None]], "evt_triggers": [], "gold_evt_links": []}, r"sentences\[0\]\[1\]: .* None"),
        ({"evt_triggers": [[9, 9, [["a", 1.0]]]]}, r"evt_triggers\[0\]: .* inclusive, .* 9 tokens, found \[9, 9\]"),
        ({"evt_triggers": [[5, 4, [["a", 1.0]]]]}, r"evt_triggers\[0\]: expected a non-empty span"),
        ({"evt_triggers": [[5, 5]]}, r"evt_triggers\[0\]: expected \[start, end, \[\[type, probability\]\]\]"),
        ({"evt_triggers": [[5, 5, [["a", 0.6], ["b", 0.4]]]]}, r"evt_triggers\[0\]\[2\]: expected one event type"),
        ({"evt_triggers": []}, "evt_triggers: expected the trigger of the links, found an empty list"),
        ({"evt_triggers": record()["evt_triggers"] * 2}, "evt_triggers: expected at most one event a line, found 2"),
        ({"gold_evt_links": [[[5, 5], [0, 9], "evt1arg1a"]]}, r"gold_evt_links\[0\]\[1\]: .* 9 tokens, found \[0, 9\]"),
        ({"gold_evt_links": [[[4, 4], [0, 0], "evt1arg1a"]]}, r"gold_evt_links\[0\]\[0\]: .* trigger \[5, 5\]"),
        ({"gold_evt_links": [[[5, 5], [0, 0], "evt001arg01"]]}, r"gold_evt_links\[0\]\[2\]: expected a label"),
        ({"gold_evt_links": [[[5, 5], [0, 0]]]}, r"gold_evt_links\[0\]: expected \[\[trigger\], \[argument\], label\]"),
    ],
)
def test_wrong_field_is_named(changes, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(record(**changes))


@pytest.mark.parametrize("name", ["doc_key", "sentences", "evt_triggers", "gold_evt_links"])
def test_missing_field_is_named(name):
    value = record()
    del value[name]
    with pytest.raises(InvalidValueError, match=f"{name}: expected a .*, found no such field"):
        read_document(value)


def test_broken_raw_fields_in_metadata_do_not_stop_writing():
    document = Document.from_sentences("d", [["a"]], metadata={"rams": {"evt_triggers": 3}})
    assert next(write_document(document))["evt_triggers"] == []


def test_records_are_recognised():
    assert recognises(record())
    assert not recognises({"id": "d", "text": "a"})


def test_whole_development_split_is_written_back_equal(rams_folder, rams_dev, tmp_path):
    def records(path):
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert write_corpus(rams_dev, tmp_path / "again.jsonlines", "rams") == 924
    assert records(tmp_path / "again.jsonlines") == records(rams_folder / "dev.jsonlines")


def test_development_split_survives_the_projects_own_format(rams_dev, tmp_path):
    write_corpus(rams_dev, tmp_path / "own.jsonl")
    assert tuple(stream_corpus(tmp_path / "own.jsonl")) == rams_dev.documents


def test_development_split_has_the_published_counts(rams_dev):
    arguments = [
        Counter((argument.role, argument.span) for argument in document.events[0].arguments) for document in rams_dev
    ]
    assert len(rams_dev) == 924
    assert sum(counts.total() for counts in arguments) == 2188
    assert sum(counts.total() - len(counts) for counts in arguments) == 6
