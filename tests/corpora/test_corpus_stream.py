import pytest

from eventune.corpora import read_corpus, stream_corpus, write_corpus
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


def test_bad_lines_are_raised_behind_the_good_documents(tmp_path):
    write_corpus(documents(), tmp_path / "a.jsonl")
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write("{\nnull\n")
    stream = iter(stream_corpus(tmp_path / "a.jsonl"))
    assert [next(stream).id for _ in range(3)] == ["d0", "d1", "d2"]
    with pytest.raises(EventuneError, match="2 bad lines"):
        next(stream)


def test_empty_file_and_unknown_format_are_errors(tmp_path):
    (tmp_path / "a.jsonl").write_text("\n")
    with pytest.raises(EventuneError, match="holds no document"):
        list(stream_corpus(tmp_path / "a.jsonl"))
    with pytest.raises(EventuneError, match="unknown corpus format 'x'"):
        stream_corpus(tmp_path / "a.jsonl", "x")
    with pytest.raises(EventuneError, match="no such file"):
        stream_corpus(tmp_path / "b.jsonl")
