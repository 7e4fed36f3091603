import pytest

from eventune.corpora import read_corpus, records, stream_corpus, write_corpus
from eventune.errors import EventuneError
from eventune.events import Document


def documents():
    return [Document.from_sentences(f"d{n}", [["Rebels", str(n)]]) for n in range(3)]


def test_stream_gives_what_reading_gives_and_may_be_read_again(tmp_path):
    write_corpus(documents(), tmp_path / "a.jsonl")
    stream = stream_corpus(tmp_path / "a.jsonl")
    assert list(stream) == list(stream) == list(read_corpus(tmp_path / "a.jsonl"))
    assert (stream.format, stream.guessed, stream.path) == ("jsonl", True, tmp_path / "a.jsonl")
    assert not stream_corpus(tmp_path / "a.jsonl", "jsonl").guessed


def test_no_document_is_given_out_behind_a_bad_line_and_all_bad_lines_are_named(tmp_path):
    path = tmp_path / "a.jsonl"
    write_corpus(documents(), path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "{", lines[2], "null"]))
    stream = iter(stream_corpus(path))
    assert [next(stream).id for _ in range(2)] == ["d0", "d1"]
    with pytest.raises(EventuneError, match=r"2 bad lines\n\S+:3: .*\n\S+:5: "):
        next(stream)


def test_file_is_read_once_but_for_the_record_that_tells_its_format(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    write_corpus(documents(), path)
    parsed = []
    parse = records.value_at
    monkeypatch.setattr(records, "value_at", lambda *args: parsed.append(args[0]) or parse(*args))
    assert len(list(stream_corpus(path))) == 3
    lines = path.read_text().splitlines()
    assert parsed == [lines[0], *lines]


def test_empty_file_and_unknown_format_are_errors(tmp_path):
    (tmp_path / "a.jsonl").write_text("\n")
    with pytest.raises(EventuneError, match="holds no document"):
        list(stream_corpus(tmp_path / "a.jsonl"))
    with pytest.raises(EventuneError, match="unknown corpus format 'x'"):
        stream_corpus(tmp_path / "a.jsonl", "x")
    with pytest.raises(EventuneError, match="no such file"):
        stream_corpus(tmp_path / "b.jsonl")
