"""Documents out of records: what is kept of those that were given out."""

import io
import sys
import tracemalloc
from types import SimpleNamespace

import numpy  # noqa: F401  # What its import takes is not measured.
import pytest

from eventune.corpora import identifiers, stream_corpus
from eventune.corpora.records import Record
from eventune.corpora.sources import documents_in
from eventune.errors import EventuneError

LINES = [f'{{"id": "d{number}", "text": "a"}}\n' for number in (0, 1, 2, 1, 3, 1)]


def test_little_is_kept_of_each_document(monkeypatch):
    monkeypatch.setattr(identifiers, "RECENT", 1000)
    count = 20_000

    def records():
        return (Record(f"corpora/train.jsonl:{number}", f"document-{number}") for number in range(count))

    source = SimpleNamespace(records=records, document=lambda name: SimpleNamespace(id=name))
    tracemalloc.start()
    try:
        assert sum(1 for _ in documents_in(source, "train.jsonl", nothing=EventuneError("nothing"))) == count
        assert tracemalloc.get_traced_memory()[1] / count < 50
    finally:
        tracemalloc.stop()


def test_each_repeated_identifier_names_the_first_place(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(LINES), encoding="utf-8")
    with pytest.raises(EventuneError) as caught:
        list(stream_corpus(path))
    assert [line.partition("found ")[2] for line in caught.value.message.splitlines()[1:]] == [
        f"'d1' again, as in {path}:2"
    ] * 2


def test_what_can_be_read_once_only_is_not_read_again_for_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("".join(LINES).encode())))
    with pytest.raises(EventuneError, match=r"4: id: expected an identifier of its own, found 'd1' again\n"):
        list(stream_corpus("-", "jsonl"))


def test_two_identifiers_that_are_taken_for_one_are_two(tmp_path, monkeypatch):
    monkeypatch.setattr(
        identifiers, "blake2b", lambda name, digest_size: SimpleNamespace(digest=lambda: bytes(digest_size))
    )
    path = tmp_path / "a.jsonl"
    path.write_text("".join(LINES[:3]), encoding="utf-8")
    assert [document.id for document in stream_corpus(path)] == ["d0", "d1", "d2"]
