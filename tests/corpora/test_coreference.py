import json
import logging

import pytest

from eventune.corpora import read_corpus
from eventune.corpora.coreference import INFORMATIVE, with_coreference, write_coreference
from eventune.errors import EventuneError
from eventune.events import Document, Entity, Mention, Span


def document(id="d1"):
    entities = [Entity((Mention(Span(n, n + 1), f"T{n}"),), attributes={"n": n}) for n in range(4)]
    return Document.from_sentences(id, [["Rebels", "they", "Homs", "it"]], entities=entities)


def line(**changes):
    return {"doc_key": "d1", "clusters": [["T3", "T2"]], "informative_mentions": ["Homs"], **changes}


@pytest.fixture
def coreference_file(tmp_path):
    def write(*lines):
        path = tmp_path / "coref.jsonlines"
        path.write_text("".join(json.dumps(value) + "\n" for value in lines), encoding="utf-8")
        return path

    return write


def names(document):
    return [[mention.id for mention in entity.mentions] for entity in document.entities]


def test_a_cluster_becomes_one_entity_and_comes_first(coreference_file):
    [merged] = with_coreference([document()], coreference_file(line()))
    assert names(merged) == [["T3", "T2"], ["T0"], ["T1"]]
    assert merged.entities[0].attributes == {"n": 3, INFORMATIVE: "Homs"}


def test_the_later_cluster_has_a_mention_that_two_name(coreference_file):
    clusters = [["T0", "T1", "T0"], ["T1", "T2"], ["T2"]]
    path = coreference_file(line(clusters=clusters, informative_mentions=["a", "b", "c"]))
    [merged] = with_coreference([document()], path)
    assert names(merged) == [["T0"], ["T1"], ["T2"], ["T3"]]
    assert [entity.attributes.get(INFORMATIVE) for entity in merged.entities] == ["a", "b", "c", None]


def test_clusters_come_back_from_a_file(coreference_file, tmp_path):
    path = coreference_file(
        line(), line(doc_key="d2", clusters=[["T1"], ["T0", "T3"]], informative_mentions=["x", "y"])
    )
    merged = list(with_coreference([document(), document("d2")], path))
    again = tmp_path / "again.jsonlines"
    write_coreference(merged, again)
    assert again.read_bytes() == path.read_bytes()
    assert list(with_coreference([document(), document("d2")], again)) == merged
    assert list(with_coreference(merged, again)) == merged


def test_an_entity_without_an_informative_mention_gets_its_longest_text(tmp_path):
    entities = [Entity((Mention(Span(1, 2), "a"), Mention(Span(0, 1), "b"))), Entity((Mention(Span(2, 3)),))]
    path = tmp_path / "coref.jsonlines"
    write_coreference([Document.from_sentences("d", [["Rebels", "they", "x"]], entities=entities)], path)
    assert json.loads(path.read_text()) == {
        "doc_key": "d",
        "clusters": [["a", "b"]],
        "informative_mentions": ["Rebels"],
    }


def test_documents_stream_and_those_without_a_line_stay_as_they_are(coreference_file):
    def documents():
        yield document("other")
        raise AssertionError("taken too early")

    assert next(with_coreference(documents(), coreference_file(line()))) == document("other")


def test_lines_without_a_document_are_counted(coreference_file, caplog):
    path = coreference_file(line(), line(doc_key="d2"))
    with caplog.at_level(logging.WARNING):
        list(with_coreference([document()], path))
    assert "1 of 2 lines belong to none of the documents" in caplog.text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, r":1: record: expected an object, found null"),
        ({"doc_key": 1}, r":1: doc_key: expected a string, found 1"),
        (line(clusters={}), r":1: clusters: expected a list"),
        (line(clusters=[["T1", 2]]), r":1: clusters\[0\]: expected a list of mentions' identifiers"),
        (line(informative_mentions=[]), r":1: informative_mentions: expected one for each of the 1 clusters, found 0"),
        (line(informative_mentions=[3]), r":1: informative_mentions\[0\]: expected a string, found 3"),
        (line(clusters=[["T0", "T9"]]), r':1: clusters\[0\]\[1\]: expected a mention of document \'d1\', found "T9"'),
    ],
)
def test_wrong_line_is_named_by_file_line_and_field(value, message, coreference_file):
    with pytest.raises(EventuneError, match=r"coref\.jsonlines" + message):
        list(with_coreference([document()], coreference_file(value)))


def test_a_document_with_two_lines_and_broken_json_are_reported_together(coreference_file):
    path = coreference_file(line(), line())
    path.write_text(path.read_text() + "{\n", encoding="utf-8")
    with pytest.raises(EventuneError, match=r'2 bad lines(.|\n)*jsonlines:2: doc_key: .*"d1"(.|\n)*jsonlines:3: line'):
        list(with_coreference([document()], path))


def test_the_published_file_comes_back(corpora_folder, tmp_path):
    folder = corpora_folder / "wikievents"
    if not (folder / "coref_dev.jsonlines").is_file():
        pytest.skip(f"needs WikiEvents in {folder}; set EVENTUNE_CORPORA to the folder that holds wikievents")
    path = tmp_path / "coref.jsonlines"
    corpus = read_corpus(folder / "dev.jsonl", "wikievents")
    merged = list(with_coreference(corpus, folder / "coref_dev.jsonlines"))
    write_coreference(merged, path)
    lines = [
        [json.loads(line) for line in file.read_text().splitlines()] for file in (path, folder / "coref_dev.jsonlines")
    ]
    assert lines[0] == lines[1]
    assert list(with_coreference(corpus, path)) == merged
    assert sum(len(entity.mentions) > 1 for document in merged for entity in document.entities) == 402
    assert sum(len(document.entities) for document in merged) == 402 + 608
