"""Published corpora come through whole: counts, round trips, and the raw records where they are kept to the letter."""

import json
from functools import lru_cache

import pytest

from eventune.corpora import Losses, jsonl, read_corpus, write_corpus
from eventune.corpora.registry import format_named

PARTS = [
    # file, format, documents, events, arguments (None: its publisher gives no count)
    ("rams/dev.jsonlines", "rams", 924, 924, 2188),
    ("wikievents/dev.jsonl", "wikievents", 20, 345, 428),
    ("wikievents/train_exact60.jsonl", "wikievents", 60, 220, 359),
    ("phee/train.json", "phee", 2898, 3004, None),
    ("phee/dev.json", "phee", 961, 1003, None),
    ("fewfc/train_base.json", "fewfc", 2732, 4682, 15607),
    ("fewfc/train_trans.json", "fewfc", 820, 895, 2564),
    ("wlp_brat", "brat", 40, 1266, None),
]


read_once = lru_cache(maxsize=2)(read_corpus)


@pytest.fixture(scope="module", params=PARTS, ids=lambda part: part[0])
def part(request, corpora_folder):
    path = corpora_folder / request.param[0]
    if not path.exists():
        pytest.skip(f"needs {request.param[0]} in {corpora_folder}; set EVENTUNE_CORPORA to the folder")
    return (path, *request.param[1:])


def test_counts_are_the_publishers_and_the_format_is_guessed(part):
    path, name, documents, events, arguments = part
    corpus = read_once(path)
    assert (corpus.format, len(corpus)) == (name, documents)
    assert sum(len(document.events) for document in corpus) == events
    if arguments is not None:
        assert sum(len(event.arguments) for document in corpus for event in document.events) == arguments


def test_own_json_lines_lose_nothing(part):
    for document in read_once(part[0]):
        (record,) = jsonl.write_document(document)
        assert jsonl.read_document(json.loads(json.dumps(record))) == document


def test_written_in_its_own_format_it_is_the_same(part, tmp_path):
    path, name, *_ = part
    corpus = read_once(path)
    losses = Losses()
    write_corpus(corpus, tmp_path / "again", name, losses=losses)
    assert not losses, str(losses)
    assert read_corpus(tmp_path / "again", name).documents == corpus.documents


@pytest.mark.parametrize("file", ["phee/train.json", "phee/dev.json", "fewfc/train_base.json", "rams/dev.jsonlines"])
def test_records_come_back_to_the_letter(corpora_folder, file):
    path = corpora_folder / file
    if not path.is_file():
        pytest.skip(f"needs {file} in {corpora_folder}")
    with path.open(encoding="utf-8") as lines:
        for line, document in zip(lines, read_corpus(path), strict=True):
            written = list(format_named(file.split("/")[0]).write(document))
            assert written == [json.loads(line)]


@pytest.mark.parametrize(
    "target", ["wikievents", "textee", "maven_arg", "phee", "duee", "brat", "label_studio", "rams"]
)
def test_what_another_format_loses_is_named(part, target, tmp_path):
    corpus = read_once(part[0])[:8]
    losses = Losses()
    write_corpus(corpus, tmp_path / "other", target, losses=losses)
    kept = {"events", "arguments", "documents", "texts"} - set(losses.counts)
    again = read_corpus(tmp_path / "other", target)
    count = sum(len(document.events) for document in corpus)
    if "events" in kept and "events without a trigger" not in losses.counts:
        assert sum(len(document.events) for document in again) >= count
    assert "documents" in kept
    assert "texts" in kept
