"""The page and what it asks for."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from eventune.corpora import read_corpus
from eventune.corpora.jsonl import read_document
from eventune.serving import annotations as annotations_module
from eventune.serving.annotations import FILE, Annotations, open_annotations
from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings
from eventune.storage.locks import LockedError

TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."


@pytest.fixture
def saving(served, small_corpus, tmp_path):
    """A client of a server that saves what is corrected, and the file."""
    from starlette.testclient import TestClient

    to_do = read_corpus(small_corpus / "dev.jsonl").documents[:3]
    with open_annotations(tmp_path / "saved", to_do) as annotations:
        app = make_app(served, ServeSettings(), annotations=annotations)
        with TestClient(app, base_url="http://localhost") as client:
            yield client, tmp_path / "saved" / FILE


def test_the_page_has_nothing_from_elsewhere_and_no_script_in_it(client):
    page = client.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert not re.search(r"https?://|<script>|<style|style=|\son\w+=", page.text)
    names = set(re.findall(r"static/([\w.]+)", page.text))
    assert names == {"page.css", "main.js"}
    while names:
        answer = client.get(f"/static/{names.pop()}")
        assert answer.status_code == 200
        assert not re.search(r"innerHTML|eval\(|https?://(?!www\.w3\.org)", answer.text)
        names |= set(re.findall(r'from "\./(\w+\.js)"', answer.text))


def test_every_word_of_the_page_is_there_in_both_languages(client):
    words = client.get("/static/words.js").text
    english, chinese = (set(re.findall(r"(?:^|[ {])(\w+): \"", part)) for part in words.partition("  zh: {")[::2])
    assert english == chinese
    used = set(re.findall(r'data-(?:text|label|hint)="(\w+)"', client.get("/").text))
    for name in ("api.js", "main.js", "panel.js", "beside.js"):
        used |= set(re.findall(r'say\("(\w+)"', client.get(f"/static/{name}").text))
    assert used <= english


@pytest.mark.parametrize("name", ["../page.py", "..%2Fpage.py", "page.css%00", "%2e%2e/app.py", "nothing.js"])
def test_no_other_file_is_given(client, name):
    assert client.get(f"/static/{name}").status_code == 404


def test_the_page_asks_for_the_token_itself(serve):
    client = serve(token="sesam")
    assert client.get("/").status_code == client.get("/static/main.js").status_code == 200
    assert client.get("/v1/annotations").status_code == 401


def test_a_text_is_cut_without_a_model(client):
    document = client.post("/v1/document", json={"text": TEXT}).json()["document"]
    assert (document["events"][0]["type"], document["events"][0]["text"]) == ("attack", "shot")
    assert len(document["tokens"]) == 9


@pytest.mark.parametrize(
    ("format", "names"),
    [
        ("jsonl", ["documents.jsonl"]),
        ("label_studio", ["documents.json"]),
        ("doccano", ["documents.jsonl"]),
        ("brat", ["___etc_passwd.ann", "___etc_passwd.txt", "text.ann", "text.txt"]),
    ],
)
def test_documents_are_exported_and_read_back(client, tmp_path, format, names):
    found = client.post("/v1/extract", json={"text": TEXT}).json()["documents"][0]
    other = {**found, "id": "../etc/passwd"}
    files = client.post("/v1/export", json={"documents": [found, other], "format": format}).json()["files"]
    assert [file["name"] for file in files] == names
    for file in files:
        (tmp_path / file["name"]).write_text(file["content"], encoding="utf-8")
    [first, _] = read_corpus(tmp_path if format == "brat" else tmp_path / names[0], format).documents
    if format == "brat":
        first = next(d for d in read_corpus(tmp_path, format).documents if d.id == "text")
    assert [event.type for event in first.events] == ["attack"]
    assert len(first.events[0].arguments) == len(found["events"][0]["arguments"]) > 0


def test_files_of_brat_have_names_of_their_own_whatever_the_documents_are_called(client):
    document = client.post("/v1/document", json={"text": TEXT}).json()["document"]
    # A file system may take names that differ in their letters' case alone for one.
    documents = [{**document, "id": id} for id in ("a-1", "a", "a-1", "A", "a/b", "a.b", "x" * 90, "x" * 91)]
    response = client.post("/v1/export", json={"documents": documents, "format": "brat"})
    assert response.status_code == 200, response.text
    names = [file["name"].casefold() for file in response.json()["files"]]
    assert len(set(names)) == len(names) == 2 * len(documents)


def test_what_is_corrected_is_saved_and_trained_on_as_it_is(saving):
    client, file = saving
    listed = client.get("/v1/annotations").json()
    assert listed["can_save"]
    assert [document["is_saved"] for document in listed["documents"]] == [False] * 3
    id = listed["documents"][1]["id"]
    document = client.get("/v1/annotations/document", params={"id": id}).json()["document"]
    document["events"] = document["events"][:1]
    # As the page makes one: where it stands is said by its tokens.
    document["events"][0]["arguments"] = [{"role": "attacker", "span": [0, 1]}]

    listed = client.put("/v1/annotations", json={"document": document}).json()

    assert [document["is_saved"] for document in listed["documents"]] == [False, True, False]
    [saved] = read_corpus(file).documents
    assert saved == read_document(document)
    assert client.get("/v1/annotations/document", params={"id": id}).json()["document"]["events"][0]["arguments"]
    client.put("/v1/annotations", json={"document": {**document, "id": "new"}})
    assert [document.id for document in read_corpus(file).documents] == [id, "new"]


def test_a_wrong_document_is_not_saved(saving):
    client, file = saving
    response = client.put("/v1/annotations", json={"document": {"id": "x", "text": "a", "tokens": [[0, 9]]}})
    assert response.status_code == 422
    assert not file.exists()
    assert client.get("/v1/annotations/document", params={"id": "x"}).status_code == 422


def test_without_a_folder_nothing_is_saved(client):
    assert client.get("/v1/annotations").json() == {"can_save": False, "documents": []}
    assert client.put("/v1/annotations", json={"document": {"id": "x", "text": "a"}}).status_code == 403


def test_saved_documents_are_there_after_a_new_start(tmp_path, small_corpus):
    first, second = read_corpus(small_corpus / "dev.jsonl").documents[:2]
    Annotations(tmp_path / FILE).save(first)
    again = Annotations(tmp_path / FILE, [second])
    assert again.listed() == [(second.id, False), (first.id, True)]
    again.save(second.with_events(()))
    assert list(read_corpus(tmp_path / FILE, "jsonl").documents) == [first, second.with_events(())]


def test_documents_are_read_while_others_are_written(tmp_path, small_corpus, monkeypatch):
    first, second = read_corpus(small_corpus / "dev.jsonl").documents[:2]
    kept = Annotations(tmp_path / FILE, [first])
    writing, may_end = threading.Event(), threading.Event()

    def write(*_):
        writing.set()
        assert may_end.wait(20)

    monkeypatch.setattr(annotations_module, "write_atomically", write)
    with ThreadPoolExecutor(2) as pool:
        saving = pool.submit(kept.save, second)
        assert writing.wait(20)
        try:
            assert pool.submit(kept.listed).result(5) == [(first.id, False)]
            assert pool.submit(kept.document, first.id).result(5) == first
        finally:
            may_end.set()
        saving.result(20)
    assert kept.listed() == [(first.id, False), (second.id, True)]


def test_a_folder_is_one_server_s(tmp_path):
    with open_annotations(tmp_path), pytest.raises(LockedError), open_annotations(tmp_path):
        pass


def test_what_was_saved_is_whole_whenever_the_process_is_killed(tmp_path, small_corpus, killed_before):
    first, second = read_corpus(small_corpus / "dev.jsonl").documents[:2]
    file = tmp_path / FILE
    Annotations(file).save(first)
    whole = file.read_bytes()
    number = 1
    while killed_before(number, lambda: Annotations(file).save(second)):
        assert file.read_bytes() == whole or len(read_corpus(file, "jsonl").documents) == 2
        number += 1
    assert number > 1
    assert len(read_corpus(file, "jsonl").documents) == 2


def test_text_that_looks_like_html_comes_back_as_text(client):
    text = "<script>alert(1)</script> & \u202egunmen [[shot|attack]] <b>them</b>."
    answer = client.post("/v1/extract", json={"text": text})
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["documents"][0]["text"] == text.replace("[[shot|attack]]", "shot")
