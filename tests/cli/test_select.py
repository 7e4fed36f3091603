"""`eventune data select`: which documents to label next."""

import json

import pytest

from eventune.corpora import read_corpus, write_corpus
from eventune.events import Document, Event, Span


@pytest.fixture
def pool(tmp_path):
    texts = ["Rebels shelled the bridge", "Rebels shelled the bridge", "Gunmen stormed a bank", "It rained all day"]
    documents = [
        Document.from_sentences(f"d{number}", [text.split()], events=[Event("conflict.attack", Span(1, 2))])
        for number, text in enumerate(texts)
    ]
    write_corpus(documents, tmp_path / "pool.jsonl")
    return tmp_path / "pool.jsonl"


def test_documents_unlike_each_other_are_chosen_with_what_was_found_in_them(run, tiny_run, pool, tmp_path):
    chosen = tmp_path / "chosen.jsonl"
    result = json.loads(run("data", "select", tiny_run, pool, "-n", 2, "-o", chosen, "--json").out)

    documents = read_corpus(chosen).documents
    assert [row["id"] for row in result["selected"]] == [document.id for document in documents]
    assert len({document.text for document in documents}) == 2
    assert result["documents"] == 4
    assert [row["arguments"] for row in result["selected"]] == [len(d.events[0].arguments) for d in documents]


def test_chance_and_diversity_ask_the_run_about_the_chosen_ones_alone(run, tiny_run, pool, tmp_path, monkeypatch):
    from eventune.inference.extractor import Extractor

    asked = []
    extract_all = Extractor.extract_all

    def counted(self, documents, **options):
        asked.append(len(documents))
        return extract_all(self, documents, **options)

    monkeypatch.setattr(Extractor, "extract_all", counted)
    for number, strategy in enumerate(("random", "diverse")):
        words = ["data", "select", tiny_run, pool, "-n", 1, "--by", strategy, "-o", tmp_path / f"{number}.jsonl"]
        found = run(*words)
        assert found.code == 0, found.err
        assert "1 of 4 documents" in found.out
    assert asked == [1, 1]


def test_what_is_chosen_can_be_opened_where_it_is_labelled(run, tiny_run, pool, tmp_path):
    run("data", "select", tiny_run, pool, "-n", 2, "-o", tmp_path / "brat", "--output_format", "brat")
    assert len(read_corpus(tmp_path / "brat").documents) == 2


def test_wrong_words_are_refused_and_nothing_is_written(refused, tiny_run, pool, tmp_path):
    output = tmp_path / "chosen.jsonl"
    words = ["data", "select", tiny_run, pool, "-o", output]
    assert "--by: expected uncertain or diverse or random, found best" in refused(*words, "--by", "best")
    assert "-n: expected an integer >= 1, found 0" in refused(*words, "-n", 0)
    plain = tmp_path / "plain.txt"
    plain.write_text("It rained.\n", encoding="utf-8")
    assert "this run finds arguments and no triggers" in refused("data", "select", tiny_run, plain, "-o", output)
    assert not output.exists()
    output.write_text("mine", encoding="utf-8")
    assert "exists already" in refused(*words)
    assert output.read_text(encoding="utf-8") == "mine"


def test_marked_text_means_the_types_that_its_words_mean(run, tiny_run, tmp_path):
    marked = tmp_path / "marked.jsonl"
    marked.write_text(json.dumps({"text": "Rebels [[shelled|Attack]] Homs."}) + "\n", encoding="utf-8")
    found = run("data", "select", tiny_run, marked, "-o", tmp_path / "chosen.jsonl")
    assert found.code == 0, found.err
    [document] = read_corpus(tmp_path / "chosen.jsonl").documents
    assert document.events[0].type == "attack"
