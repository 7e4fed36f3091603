"""`eventune extract`."""

import json

import pytest

from eventune.corpora import read_corpus
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
    assert result.keys() == {"input", "output", "documents", "events", "arguments", "resumed", "unknown_types"}
    assert (result["output"], result["documents"], result["resumed"]) == ("out.jsonl", 12, 0)


def test_an_interrupted_extraction_goes_on_and_says_so(run, tiny_run, source, folder):
    run("extract", tiny_run, source, "-o", "whole.jsonl")
    partial = folder / f"out.jsonl.{Extractor.load(tiny_run).fingerprint}.partial"
    partial.write_bytes((folder / "whole.jsonl").read_bytes())

    found = run("extract", tiny_run, source, "-o", "out.jsonl")

    assert found.code == 0
    assert found.err == "12 documents were there from an interrupted extraction\n"
    assert (folder / "out.jsonl").read_bytes() == (folder / "whole.jsonl").read_bytes()


def test_rams_is_written_when_asked_for(run, tiny_run, source, folder):
    assert run("extract", tiny_run, source, "-o", "out.jsonlines", "--output_format", "rams").code == 0
    assert read_corpus(folder / "out.jsonlines").format == "rams"


@pytest.mark.parametrize("columns", ["40", "80"])
def test_a_text_is_shown_with_its_trigger_marked(columns, run, tiny_run, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    found = run("extract", tiny_run, "--text", TEXT)
    assert found.code == 0
    assert max(len(line.rstrip()) for line in found.out.splitlines()) <= int(columns)
    assert "shot [attack" in " ".join(found.out.split())


def test_json_of_a_text_is_its_document(run, tiny_run):
    found = run("extract", tiny_run, "--text", TEXT, "--json")
    record = json.loads(found.out)
    assert record["text"] == "Gunmen shot three soldiers in Mosul on Monday."
    [event] = record["events"]
    assert (event["type"], event["trigger"]) == ("attack", [1, 2])
    assert all(0.0 <= argument["score"] <= 1.0 for argument in event["arguments"])


def test_chinese_text_is_taken(run, tiny_run):
    assert run("extract", tiny_run, "--text", "公司宣布[[袭击|attack]]500人。", "--json").code == 0


@pytest.mark.parametrize("text", ["Gunmen shot three soldiers.", "", "Gunmen [[shot|attack three soldiers."])
def test_a_text_without_complete_marks_is_refused_with_an_example(text, refused, tiny_run):
    message = refused("extract", tiny_run, "--text", text)
    assert message.startswith("error: expected a text with [[trigger|event type]] in it, found ")
    assert "[[shot|attack]]" in message


def test_an_unknown_type_is_refused_with_the_closest_one(refused, tiny_run):
    message = refused("extract", tiny_run, "--text", "Gunmen [[shot|atack]] three soldiers.")
    assert "event type 'atack' is not in the ontology (10 types)\nhint: did you mean 'attack'?" in message


def test_input_and_text_exclude_each_other(refused, tiny_run, source):
    assert "expected either INPUT or --text, found both" in refused("extract", tiny_run, source, "--text", TEXT)
    assert "expected either INPUT or --text, found neither" in refused("extract", tiny_run)


def test_a_corpus_needs_an_output_and_a_text_must_have_none(refused, tiny_run, source):
    assert "--output: expected a file" in refused("extract", tiny_run, source)
    assert "--output: expected none beside --text" in refused("extract", tiny_run, "--text", TEXT, "-o", "out.jsonl")


def test_a_file_that_exists_is_not_overwritten(refused, tiny_run, source, folder):
    (folder / "out.jsonl").write_text("precious")
    assert "out.jsonl: exists already" in refused("extract", tiny_run, source, "-o", "out.jsonl")
    assert (folder / "out.jsonl").read_text() == "precious"


def test_a_bad_corpus_is_refused_before_anything_is_written(refused, tiny_run, source, folder):
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[6] = lines[6][:40] + "\n"
    (folder / "bad.jsonl").write_text("".join(lines), encoding="utf-8")
    assert "bad.jsonl:7: line: expected one JSON object" in refused("extract", tiny_run, "bad.jsonl", "-o", "out.jsonl")
    assert [path.name for path in folder.iterdir()] == ["bad.jsonl"]


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
