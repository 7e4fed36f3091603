"""How documents are split: by lists, by groups, by texts; and what stands beside them."""

import gzip

import pytest

from eventune.corpora import write_corpus
from eventune.corpora.arguments import DataArguments
from eventune.errors import EventuneError
from eventune.events import Document, Event, Span
from eventune.runs.splits import read_splits

EVENTS = [Event("attack", Span(0, 1))]


@pytest.fixture
def corpus(tmp_path):
    documents = [
        Document.from_sentences(f"w{n}", [[f"word{n // 2}"]], events=EVENTS, metadata={"doc_id": f"d{n}"})
        for n in range(12)
    ]
    write_corpus(documents, tmp_path / "corpus.jsonl")
    return tmp_path / "corpus.jsonl"


@pytest.fixture
def lists(tmp_path):
    folder = tmp_path / "split1"
    folder.mkdir()
    for part, ids in (("train", ["d0", "d1", "w2"]), ("dev", ["d5"]), ("test", ["d7", "d6"])):
        (folder / f"{part}.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    return folder


def ids(documents):
    return [document.id for document in documents]


def test_lists_name_documents_by_their_id_or_their_doc_id(corpus, lists):
    data = DataArguments(train_file=str(corpus), splits_dir=str(lists))
    splits = read_splits(data, print)

    assert not list(data.problems())
    assert [ids(splits.train), ids(splits.dev), ids(splits.test)] == [["w0", "w1", "w2"], ["w5"], ["w6", "w7"]]
    assert data.has_part("dev")
    assert data.has_part("test")
    (lists / "dev.txt").unlink()
    assert not data.has_part("dev")
    assert not read_splits(data, print).dev


def test_a_list_has_an_identifier_a_line_spaces_included(tmp_path):
    documents = [Document.from_sentences(name, [["word"]], events=EVENTS) for name in ("my doc", "doc", "my")]
    write_corpus(documents, tmp_path / "corpus.jsonl")
    (tmp_path / "train.txt").write_bytes("\ufeffmy doc\r\n\r\n my \r\n".encode())
    data = DataArguments(train_file=str(tmp_path / "corpus.jsonl"), splits_dir=str(tmp_path))
    assert ids(read_splits(data, print).train) == ["my doc", "my"]

    (tmp_path / "train.txt").write_bytes("Müller\n".encode("latin-1"))
    with pytest.raises(EventuneError, match=r"train\.txt: expected UTF-8, found byte 0xfc at position 2"):
        read_splits(data, print)


def test_lists_that_name_what_is_not_there_or_twice_are_refused(corpus, lists):
    data = DataArguments(train_file=str(corpus), splits_dir=str(lists))
    (lists / "dev.txt").write_text("d5\nd99\n", encoding="utf-8")
    with pytest.raises(EventuneError, match=r"1 of 7 names in .* are no document's of train_file, such as d99"):
        read_splits(data, print)
    (lists / "dev.txt").write_text("d0\n", encoding="utf-8")
    with pytest.raises(EventuneError, match="expected each document in one list, found d0 in two"):
        read_splits(data, print)
    (lists / "train.txt").unlink()
    with pytest.raises(EventuneError, match=r"expected .*train\.txt, found no such file"):
        read_splits(data, print)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_train_list_that_names_nothing_is_refused(corpus, lists, content):
    data = DataArguments(train_file=str(corpus), splits_dir=str(lists))
    (lists / "train.txt").write_text(content, encoding="utf-8")
    with pytest.raises(EventuneError, match=r"splits_dir: expected documents in .*train\.txt, found none"):
        read_splits(data, print)


def test_lists_go_with_no_other_split(corpus, lists):
    [problem] = DataArguments(train_file=str(corpus), splits_dir=str(lists), dev_fraction=0.2).problems()
    assert problem.message == "dev_fraction: expected nothing beside splits_dir, found 0.2"


def test_a_text_that_stands_twice_is_on_one_side(corpus):
    data = DataArguments(train_file=str(corpus), dev_fraction=0.25, test_fraction=0.25, group_by="text")
    splits = read_splits(data, print)

    texts = [{document.text for document in part} for part in (splits.train, splits.dev, splits.test)]
    assert all(texts)
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_negative_file_is_a_document_a_line(corpus, tmp_path, pack):
    data = DataArguments(train_file=str(corpus), negative_file=str(tmp_path / "negatives.txt"))
    (tmp_path / "negatives.txt").write_bytes(pack("\ufeffOne line.\r\n\n 第二行。\n".encode()))
    negatives = read_splits(data, print).negatives
    assert [(document.id, document.text) for document in negatives] == [
        ("negatives.txt:1", "One line."),
        ("negatives.txt:3", "第二行。"),
    ]
    assert negatives[0].words == ("One", "line", ".")

    for content, message in ((b"\n", "expected text, found none"), (b"One.\n\xe9\n", "2: .* found byte 0xe9")):
        (tmp_path / "negatives.txt").write_bytes(pack(content))
        with pytest.raises(EventuneError, match=rf"negatives\.txt:.*{message}"):
            read_splits(data, print)
