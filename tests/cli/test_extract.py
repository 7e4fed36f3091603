"""`eventune extract`."""

import io
import json

import pytest

from eventune.corpora import raw_text, read_corpus
from eventune.events import Mention
from eventune.inference.extractor import Extractor

TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."


@pytest.fixture
def source(small_corpus):
    return small_corpus / "dev.jsonl"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_corpus_is_written_with_its_arguments(run, tiny_run, source, folder):
    found = run("extract", tiny_run, source, "-o", "out.jsonl")

    assert found.code == 0
    documents = read_corpus(folder / "out.jsonl").documents
    assert list(documents) == Extractor.load(tiny_run).extract_all(read_corpus(source).documents)
    events = [event for document in documents for event in document.events]
    arguments = sum(len(event.arguments) for event in events)
    assert found.out == f"12 documents, {len(events)} events, {arguments} arguments → out.jsonl\n"
    assert found.err == ""


def test_json_of_a_corpus_is_one_object_with_the_counts(run, tiny_run, source):
    found = run("extract", tiny_run, source, "-o", "out.jsonl", "--json")
    result = json.loads(found.out)
    assert result.keys() == {
        "input",
        "output",
        "documents",
        "events",
        "arguments",
        "resumed",
        "unreadable",
        "without_events",
        "unknown_types",
    }
    assert (result["output"], result["documents"], result["resumed"]) == ("out.jsonl", 12, 0)


def test_rams_is_written_when_asked_for(run, tiny_run, source, folder):
    assert run("extract", tiny_run, source, "-o", "out.jsonlines", "--output_format", "rams").code == 0
    assert read_corpus(folder / "out.jsonlines").format == "rams"


@pytest.mark.parametrize("columns", ["40", "80"])
def test_a_text_is_shown_with_its_trigger_and_where_it_stands(columns, run, tiny_run, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    found = run("extract", tiny_run, "--text", TEXT)
    assert found.code == 0
    assert max(len(line.rstrip()) for line in found.out.splitlines()) <= int(columns)
    assert "attack: shot  7–11" in found.out.splitlines()


def test_json_of_a_text_is_its_document(run, tiny_run):
    found = run("extract", tiny_run, "--text", TEXT, "--json")
    record = json.loads(found.out)
    assert record["text"] == "Gunmen shot three soldiers in Mosul on Monday."
    [event] = record["events"]
    assert (event["type"], event["trigger"]) == ("attack", [1, 2])
    assert all(0.0 <= argument["score"] <= 1.0 for argument in event["arguments"])


def test_chinese_text_is_taken(run, tiny_run):
    assert run("extract", tiny_run, "--text", "公司宣布[[袭击|attack]]500人。", "--json").code == 0


def test_a_text_with_a_broken_mark_is_refused_with_an_example(refused, tiny_run):
    message = refused("extract", tiny_run, "--text", "Gunmen [[shot|attack three soldiers.")
    assert message.startswith("error: expected a text with [[trigger|event type]] in it, found ")
    assert "[[shot|attack]]" in message


def test_a_text_without_a_trigger_is_refused_with_what_to_do(refused, tiny_run):
    message = refused("extract", tiny_run, "--text", "Gunmen shot three soldiers.")
    assert message.startswith("error: expected a document to have an event: this run finds arguments and no triggers")
    for way in ("[[shot|attack]]", "--type attack", "--detection"):
        assert way in message


def test_an_empty_text_is_refused(refused, tiny_run):
    assert refused("extract", tiny_run, "--text", " \n") == "error: --text: expected a text, found an empty one"


def test_a_text_takes_the_types_that_are_named_for_it(run, tiny_run):
    found = run(
        "extract", tiny_run, "--text", "Gunmen shot three soldiers.", "--type", "attack", "--type", "meet", "--json"
    )
    events = json.loads(found.out)["events"]
    assert [(event["type"], event["trigger"]) for event in events] == [("attack", None), ("meet", None)]


def test_an_unknown_type_is_refused_with_the_closest_one(refused, tiny_run):
    message = refused("extract", tiny_run, "--text", "Gunmen [[shot|atack]] three soldiers.")
    assert "--text: event type 'atack' is not in the ontology (10 types) (did you mean 'attack'?)" in message


def test_input_and_text_exclude_each_other(refused, tiny_run, source):
    assert "expected either INPUT or --text, found both" in refused("extract", tiny_run, source, "--text", TEXT)
    assert "expected either INPUT or --text, found neither" in refused("extract", tiny_run)


@pytest.mark.parametrize(("flag", "value"), [("--format", "rams"), ("--text_field", "body")])
def test_what_says_how_inputs_are_read_is_refused_beside_a_text(refused, tiny_run, flag, value):
    message = refused("extract", tiny_run, "--text", TEXT, flag, value)
    assert f"{flag}: expected INPUT beside it, found --text" in message


def test_json_is_printed_in_the_own_format_alone(refused, tiny_run, source):
    message = refused("extract", tiny_run, source, "--json", "--output_format", "rams")
    assert "--output_format: rams: expected -o beside it with --json" in message


def test_a_corpus_without_an_output_is_printed_as_lines(run, tiny_run, source, folder):
    run("extract", tiny_run, source, "-o", "out.jsonl")
    found = run("extract", tiny_run, source)
    assert found.code == 0
    assert found.out == (folder / "out.jsonl").read_text(encoding="utf-8")


def test_a_corpus_on_a_terminal_is_shown_to_people(run, tiny_run, source, monkeypatch):
    monkeypatch.setattr("eventune.cli.extract.is_terminal", lambda: True)
    lines = run("extract", tiny_run, source).out.splitlines()
    assert [line for line in lines if line.startswith("dev-0")] == [f"dev-{n:03}" for n in range(12)]


def test_json_of_a_corpus_without_an_output_holds_all_documents(run, tiny_run, source):
    result = json.loads(run("extract", tiny_run, source, "--json").out)
    assert (result["documents"], len(result["found"])) == (12, 12)


def test_brat_is_written_as_a_folder(run, tiny_run, source, folder):
    run("extract", tiny_run, source, "-o", "out.jsonl")
    assert run("extract", tiny_run, source, "-o", "out", "--output_format", "brat").code == 0
    expected = {document.id: places(document) for document in read_corpus(folder / "out.jsonl")}
    assert {document.id: places(document) for document in read_corpus(folder / "out")} == expected


def places(document):
    """What was found, by characters."""
    return [
        (e.type, document.exact_text_of(Mention(e.trigger)), [(a.role, document.pieces_of(a)) for a in e.arguments])
        for e in document.events
    ]


def test_a_folder_cannot_be_printed(refused, tiny_run, source):
    message = refused("extract", tiny_run, source, "--output_format", "brat")
    assert "--output_format: brat: expected -o beside it" in message


def test_documents_without_events_are_counted(run, tiny_run, folder):
    (folder / "in.jsonl").write_text(
        '{"text": "Gunmen [[shot|attack]] two."}\n{"text": "Nothing."}\n', encoding="utf-8"
    )
    found = run("extract", tiny_run, "in.jsonl", "-o", "out.jsonl")
    assert found.code == 0
    assert found.err.startswith("1 of 2 documents have no event: this run finds arguments and no triggers")


def test_a_corpus_without_any_event_is_refused_before_anything_is_written(refused, tiny_run, folder):
    (folder / "in.jsonl").write_text('{"id": "d", "text": "Gunmen shot two."}\n', encoding="utf-8")
    assert "this run finds arguments and no triggers" in refused("extract", tiny_run, "in.jsonl", "-o", "out.jsonl")
    assert [path.name for path in folder.iterdir()] == ["in.jsonl"]


def test_standard_input_is_one_text(run, tiny_run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    record = json.loads(run("extract", tiny_run, "-").out)
    assert (record["id"], record["text"]) == ("text", "Gunmen shot three soldiers in Mosul on Monday.")


def test_flags_may_stand_between_run_and_input(run, tiny_run, source):
    found = run("extract", tiny_run, "--per_device_eval_batch_size", "4", source, "--json")
    assert json.loads(found.out)["documents"] == 12


def test_several_inputs_are_read_one_after_the_other(run, detecting, folder):
    detecting()
    (folder / "a.txt").write_text("They shot.")
    (folder / "b.jsonl").write_text('{"text": "We shot."}\n')
    found = run("extract", "RUN", "a.txt", "--output_format", "jsonl", "b.jsonl")
    records = [json.loads(line) for line in found.out.splitlines()]
    assert [(record["id"], record["text"]) for record in records] == [("a", "They shot."), ("b.jsonl:1", "We shot.")]


def test_json_lines_come_from_standard_input_and_are_read_once(run, detecting, monkeypatch, folder):
    detecting()
    lines = b'{"body": "They shot."}\n{"body": "We shot."}\n'
    for words in (["-o", "out.jsonl"], []):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
        found = run("extract", "RUN", "-", "--text_field", "body", *words)
        assert found.code == 0
    assert found.out == (folder / "out.jsonl").read_text()


CORPUS = """{"id": "c", "text": "We shot.", "tokens": [[0, 2], [3, 8]], "events": [{"type": "x", "trigger": [1, 2]}]}"""


@pytest.mark.parametrize("names", [("a.txt", "b.jsonl"), ("b.jsonl", "a.txt")])
def test_what_is_printed_of_texts_beside_a_corpus_is_what_is_written(names, run, detecting, folder):
    detecting()
    (folder / "a.txt").write_text("They [[met|MEET]] and then left.")
    (folder / "b.jsonl").write_text(CORPUS)
    printed = run("extract", "RUN", *names, "--output_format", "jsonl")
    run("extract", "RUN", *names, "-o", "out.jsonl")
    assert printed.out == (folder / "out.jsonl").read_text()
    assert '"type": "meet"' in printed.out
    assert printed.err == "1 events have a type that the run's ontology lacks: no arguments\n"


def test_all_that_is_wrong_in_all_inputs_is_told_before_anything_is_extracted(refused, detecting, folder):
    asked = detecting().asked
    (folder / "a.txt").write_text("They [[met|mete]] and then left.")
    (folder / "b.jsonl").write_text("".join(f"{CORPUS}\n" for _ in range(20)))
    (folder / "c.jsonl").write_text('{"text": "We shot."}\n{"text": 5}\n')
    message = refused("extract", "RUN", "a.txt", "b.jsonl", "c.jsonl")
    lines = message.splitlines()
    assert lines[0] == "error: 3 inputs: 21 bad lines"
    assert "a.txt: event type 'mete' is not in the ontology" in lines[1]
    assert "b.jsonl:2: id: expected an identifier of its own, found 'c' again" in lines[2]
    assert asked == []


def test_a_text_is_cut_into_sentences_once(run, detecting, folder, monkeypatch):
    cut = []
    of_module = raw_text.segment_text
    monkeypatch.setattr(
        raw_text, "segment_text", lambda text, **options: cut.append(text) or of_module(text, **options)
    )
    detecting()
    (folder / "a.txt").write_text("They shot.")
    assert run("extract", "RUN", "a.txt").code == 0
    assert cut == ["They shot."]


def test_what_is_read_once_is_printed_up_to_what_is_wrong(run, detecting, monkeypatch):
    detecting()
    lines = [b'{"body": "They shot."}'] * 40
    lines[20], lines[39] = b'{"body": 5}', b"{"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(lines))))
    found = run("extract", "RUN", "-", "--text_field", "body")
    assert (found.code, len(found.out.splitlines())) == (2, 16)
    assert "2 bad lines" in found.err


def test_what_is_read_once_without_any_event_is_refused_as_a_file_is(run, tiny_run, monkeypatch, folder):
    for words in (["-o", "out.jsonl"], ["--json"], []):
        lines = io.BytesIO(b'{"body": "Gunmen shot two."}\n{"body": "Nothing."}\n')
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(lines))
        found = run("extract", tiny_run, "-", "--text_field", "body", *words)
        assert found.code == 2
        assert "expected a document to have an event: this run finds arguments and no triggers" in found.err
    assert len(found.out.splitlines()) == 2
    assert not [*folder.iterdir()]


def test_nothing_of_a_document_speaks_to_the_terminal(run, detecting, folder, monkeypatch):
    detecting()
    monkeypatch.setattr("eventune.cli.extract.is_terminal", lambda: True)
    text = "\x1b]52;c;aGk=\x07 They\x1b[2J shot."
    records = [{"id": "a\x1b[2J", "text": text}, {"id": "b", "text": "Nothing."}]
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    found = run("extract", "RUN", "in.jsonl")
    assert "attack: shot" in found.out
    assert "\x1b" not in found.out
    (folder / "in.jsonl").write_text(json.dumps(records[0] | {"id": "\x1b[2J"}) * 2)
    assert "\x1b" not in run("extract", "RUN", "in.jsonl").err


def test_a_missing_input_is_named_before_the_output(refused, tiny_run):
    assert refused("extract", tiny_run, "absent.jsonl").startswith("error: absent.jsonl: no such file")


def test_a_file_that_exists_is_not_overwritten(refused, tiny_run, source, folder):
    (folder / "out.jsonl").write_text("precious")
    assert "out.jsonl: exists already" in refused("extract", tiny_run, source, "-o", "out.jsonl")
    assert (folder / "out.jsonl").read_text() == "precious"


def test_what_cannot_be_read_is_counted_and_said_where_it_is_listed(run, tiny_run, source, folder):
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[6] = lines[6][:40] + "\n"
    (folder / "bad.jsonl").write_text("".join(lines), encoding="utf-8")
    found = run("extract", tiny_run, "bad.jsonl", "-o", "out.jsonl")
    assert found.code == 0
    assert found.err == "1 of 12 records could not be read: out.jsonl.unreadable.jsonl says why\n"


def test_a_bad_corpus_is_refused_before_anything_is_printed(refused, tiny_run, source, folder):
    (folder / "bad.jsonl").write_text(source.read_text(encoding="utf-8") + '{"id": "x"\n', encoding="utf-8")
    assert "bad.jsonl:13: line: expected one JSON object" in refused("extract", tiny_run, "bad.jsonl")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent", "INPUT", "-o", "out"], "absent: no such run directory"),
        (["absent", "--text", TEXT], "absent: no such run directory"),
        (["RUN", "absent.jsonl", "-o", "out"], "absent.jsonl: no such file"),
        (["RUN", "INPUT", "-o", "absent/out"], "absent/out: cannot be written: No such file or directory"),
        (
            ["RUN", "INPUT", "-o", "out", "--per_device_eval_batch_size", "0"],
            "per_device_eval_batch_size: expected an integer >= 1, found 0",
        ),
    ],
)
def test_what_does_not_exist_is_named(words, message, refused, tiny_run, source, folder):
    given = {"RUN": tiny_run, "INPUT": source}
    assert f"error: {message}" in refused("extract", *(given.get(word, word) for word in words))
    assert list(folder.iterdir()) == []


SHOOTING = "Gunmen shot three soldiers.\r\nThey 👩🏽 shot again."


def test_events_are_found_in_raw_text(run, detecting):
    detecting()
    assert run("extract", "RUN", "--text", "Gunmen shot three soldiers.").out.splitlines() == [
        "Gunmen shot three soldiers.",
        "",
        "attack: shot  7–11",
        "  attacker  Gunmen  0–6  0.75",
    ]


def test_text_files_give_lines_with_the_characters_of_the_text_as_it_came(run, detecting, folder):
    detecting()
    (folder / "in").mkdir()
    (folder / "in" / "a.txt").write_bytes(SHOOTING.encode())
    (folder / "in" / "b.txt").write_text("Nothing was said.")
    found = run("extract", "RUN", "in")
    first, second = map(json.loads, found.out.splitlines())
    assert (first["id"], first["text"]) == ("a", SHOOTING)
    places = [place for event in first["events"] for place in (event, *event["arguments"])]
    assert [place["text"] for place in places] == ["shot", "Gunmen", "shot", "👩🏽"]
    assert all(SHOOTING[place["start"] : place["end"]] == place["text"] for place in places)
    assert second["events"] == []
    assert found.err == ""


def test_marked_triggers_win_over_detection(run, detecting):
    detecting()
    record = json.loads(run("extract", "RUN", "--text", "They shot and then [[met|meet]].", "--json").out)
    assert [(event["type"], event["text"]) for event in record["events"]] == [("meet", "met")]


def test_types_that_are_named_win_over_detection(run, detecting):
    detecting()
    record = json.loads(run("extract", "RUN", "--text", "They shot.", "--type", "meet", "--json").out)
    assert [(event["type"], event["trigger"]) for event in record["events"]] == [("meet", None)]


def test_an_interrupted_detection_goes_on_and_says_so(run, detecting, folder, monkeypatch):
    def stop(kept):
        raise RuntimeError("stopped")

    detecting()
    (folder / "in.jsonl").write_text('{"body": "They shot."}\n{"body": "Nothing."}\n', encoding="utf-8")
    words = ("extract", "RUN", "in.jsonl", "--text_field", "body", "-o")
    run(*words, "whole.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr("eventune.inference.partial_files.Kept.complete", stop)
        with pytest.raises(RuntimeError, match="stopped"):
            run(*words, "out.jsonl")
    assert run(*words, "out.jsonl").err == "2 documents were there from an interrupted extraction\n"
    assert (folder / "out.jsonl").read_bytes() == (folder / "whole.jsonl").read_bytes()


def test_detected_events_are_written_in_a_format_with_an_event_a_line(run, detecting, folder):
    detecting()
    (folder / "in.txt").write_text("They shot him. We shot her.")
    assert run("extract", "RUN", "in.txt", "-o", "out.jsonlines", "--output_format", "rams").code == 0
    assert len((folder / "out.jsonlines").read_text().splitlines()) == 2


def test_a_language_that_is_none_is_refused(refused, detecting):
    detecting()
    message = refused("extract", "RUN", "--text", "They shot.", "--language", "English")
    assert "language: expected an ISO 639 code" in message
