"""`POST /v1/extract`: what is found is what the command line finds, whatever else is asked at the same time."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from eventune.cli import main
from eventune.corpora import lines_of, read_corpus
from eventune.events import Event, Span
from eventune.serving.app import make_app
from eventune.serving.runs import ServedRun

TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."
LINES = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def records(small_corpus):
    lines = (small_corpus / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def refusal(response, status):
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error.keys() == {"message", "hint"}
    return error["message"]


def test_a_corpus_is_extracted_as_the_command_line_does_byte_for_byte(
    client, generous_run, small_corpus, records, tmp_path
):
    output = tmp_path / "out.jsonl"
    assert main(["extract", str(generous_run), str(small_corpus / "dev.jsonl"), "-o", str(output)]) == 0

    response = client.post("/v1/extract", json={"documents": records}, headers=LINES)

    assert response.content == output.read_bytes()
    assert any(event["arguments"] for line in response.text.splitlines() for event in json.loads(line)["events"])


@pytest.mark.parametrize("batch_tokens", [1, 60, 100_000])
def test_answers_are_the_same_bytes_whoever_asks_at_the_same_time(serve, served, records, batch_tokens):
    client = serve(batch_tokens=batch_tokens)
    [run] = served.values()
    alone = [lines_of(run.extractor.extract(document))[0] for document in map(document_of, records)]

    def ask(number):
        response = client.post("/v1/extract", json={"documents": [records[number]]}, headers=LINES)
        return number, response.text

    with ThreadPoolExecutor(8) as pool:
        for number, found in pool.map(ask, [*range(len(records))] * 2):
            assert found == alone[number] + "\n"


def document_of(record):
    from eventune.corpora.jsonl import read_document

    return read_document(record)


def test_a_text_is_extracted_as_the_command_line_does(client, generous_run, capsys):
    assert main(["extract", str(generous_run), "--text", TEXT, "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)

    answer = client.post("/v1/extract", json={"text": TEXT}).json()

    assert answer["documents"] == [expected]
    assert answer["model"] == "tiny"
    assert len(answer["fingerprint"]) == 12


def test_texts_come_back_in_order_numbered(client):
    texts = [TEXT, "Rebels [[shelled|attack]] Homs."]
    found = client.post("/v1/extract", json={"texts": texts, "triggers": "marked"}).json()["documents"]
    assert [document["id"] for document in found] == ["1", "2"]
    assert [document["text"][:6] for document in found] == ["Gunmen", "Rebels"]


def test_every_example_of_openapi_is_answered(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for path, name in (("/v1/extract", "ExtractRequest"), ("/v1/score", "ScoreRequest")):
        assert schemas[name]["examples"]
        for example in schemas[name]["examples"]:
            assert client.post(path, json=example).status_code == 200


def test_a_threshold_leaves_out_what_is_less_probable(client, records):
    def scores(**options):
        documents = client.post("/v1/extract", json={"documents": records, **options}).json()["documents"]
        return [a["score"] for d in documents for e in d["events"] for a in e["arguments"]]

    every = scores()
    middle = sorted(every)[len(every) // 2]
    assert scores(threshold=middle) == [score for score in every if score >= middle]


def test_types_are_looked_for_where_nothing_is_marked(client):
    answer = client.post("/v1/extract", json={"text": "Gunmen shot three soldiers.", "types": ["attack"]})
    assert [event["type"] for event in answer.json()["documents"][0]["events"]] == ["attack"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "request: expected one of text, texts and documents, found none"),
        ({"text": "a", "texts": ["a"]}, "request: expected one of text, texts and documents, found text and texts"),
        ({"text": " "}, "text: expected a text, found an empty one"),
        ({"texts": ["[[x|attack]]", "\n"]}, "texts[1]: expected a text, found an empty one"),
        ({"texts": []}, "texts: expected 1 to 256 documents, found 0"),
        ({"text": "Gunmen shot."}, "expected a document to have an event: this run finds arguments and no triggers"),
        ({"text": "Gunmen [[shot|attack"}, "expected a text with [[trigger|event type]] in it"),
        ({"text": "Gunmen [[shot|dance]]."}, "event type 'dance' is not in the ontology"),
        ({"text": TEXT, "triggers": "detected"}, "triggers: expected auto, given or marked for a run that finds no"),
        ({"text": "no mark", "triggers": "marked"}, "document 'text': expected a marked trigger, found none"),
        ({"documents": [{"id": "1"}]}, "documents[0].text: expected a string, found no such field"),
        ({"documents": [{"id": "1", "text": "x"}], "triggers": "marked"}, "triggers: expected given or detected for"),
        ({"text": TEXT, "threshold": 2}, "threshold: expected less than or equal to 1, found 2"),
        ({"text": TEXT, "language": "../x"}, "language: expected an ISO 639 code"),
        ({"text": TEXT, "adapter": "x"}, "adapter: expected no such field, found one"),
        ({"text": 5}, "text: expected a valid string, found 5"),
        ({"text": "half \ud800"}, "body: expected Unicode text, found half a surrogate pair (\\ud800)"),
    ],
)
def test_what_is_wrong_is_told_as_the_command_line_does(client, body, message):
    content = json.dumps(body).encode()
    response = client.post("/v1/extract", content=content, headers={"Content-Type": "application/json"})
    assert refusal(response, 422).startswith(message)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"text": NaN}', b"[" * 100_000, b'{"text": "\xc3"}'])
def test_a_body_that_is_no_json_is_refused(client, content):
    response = client.post("/v1/extract", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("name", ["other", "../tiny", "/etc/passwd", "tiny\x00"])
def test_a_model_that_is_not_served_is_refused_and_no_path(client, name):
    assert refusal(client.post("/v1/extract", json={"text": TEXT, "model": name}), 404).startswith(
        "model: expected one"
    )


def test_limits_are_told(serve):
    client = serve(max_bytes=2000, max_documents=2, max_tokens=30)
    assert refusal(client.post("/v1/extract", json={"text": "x" * 3000}), 413).startswith(
        "body: expected at most 2000 bytes, found 30"
    )
    assert refusal(client.post("/v1/extract", json={"texts": [TEXT] * 3}), 422).startswith("texts: expected 1 to 2 doc")
    assert refusal(client.post("/v1/extract", json={"text": TEXT * 4}), 422).startswith("tokens: expected at most 30")


class Slow:
    """Stands in for a run: annotates when it is let."""

    detects = finds_arguments = True

    def __init__(self, ontology):
        self.ontology, self.counts = ontology, {}
        self.may_go, self.asked = threading.Event(), []

    def fingerprint(self):
        return "0123456789ab"

    def annotate(self, documents, *, on_batch=None):
        self.asked += [document.text for document in documents]
        assert self.may_go.wait(20)
        return [document.with_events([Event("attack", Span(0, 1))]) for document in documents]


@pytest.fixture
def slow(served):
    from eventune.inference.extractor import Extractor

    annotator = Slow(next(iter(served.values())).extractor.ontology)
    yield annotator, {"slow": ServedRun("slow", Extractor(annotator), {}, "rams", annotator.fingerprint())}
    annotator.may_go.set()


def test_what_takes_too_long_is_given_up(serve, slow):
    _, runs = slow
    client = serve(runs=runs, max_seconds=0.2)
    assert refusal(client.post("/v1/extract", json={"text": "Gunmen shot."}), 504) == (
        "time: expected an answer within 0.2 s"
    )


def test_more_than_may_wait_is_refused_with_when_to_come_again(serve, slow):
    annotator, runs = slow
    client = serve(runs=runs, max_queue=2, max_documents=2)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(client.post, "/v1/extract", json={"text": "First."})]
        while not annotator.asked:
            pass
        asked.append(pool.submit(client.post, "/v1/extract", json={"texts": ["a", "b"]}))
        while "eventune_queue_documents 2.0" not in client.get("/metrics").text:
            pass
        response = client.post("/v1/extract", json={"text": "One more."})
        assert refusal(response, 429).startswith("queue: expected at most 2 documents to wait, found 2")
        assert int(response.headers["Retry-After"]) >= 1
        annotator.may_go.set()
        assert [future.result().status_code for future in asked] == [200, 200]
    assert "One more." not in annotator.asked
    assert 'eventune_refusals_total{reason="busy"} 1.0' in client.get("/metrics").text


def test_detected_events_replace_those_given(serve, slow):
    annotator, runs = slow
    annotator.may_go.set()
    document = {
        "id": "1",
        "text": "Gunmen shot.",
        "tokens": [[0, 6], [7, 11]],
        "events": [{"type": "x", "trigger": [1, 2]}],
    }
    answer = serve(runs=runs).post("/v1/extract", json={"documents": [document], "triggers": "detected"})
    assert [event["type"] for event in answer.json()["documents"][0]["events"]] == ["attack"]


def test_several_runs_are_told_apart_by_name_and_share_their_base(generous_run, tmp_path):
    import shutil

    from starlette.testclient import TestClient

    from eventune.serving.arguments import ServeSettings
    from eventune.serving.runs import load_served

    other = shutil.copytree(generous_run, tmp_path / "other")
    runs = load_served([generous_run, other])
    assert runs["tiny"].extractor.base is runs["other"].extractor.base
    with TestClient(make_app(runs, ServeSettings()), base_url="http://localhost") as client:
        assert client.post("/v1/extract", json={"text": TEXT, "model": "other"}).json()["model"] == "other"
        response = client.post("/v1/extract", json={"text": TEXT})
        assert refusal(response, 404) == "model: expected one that is served, found ''"
        assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["tiny", "other"]


def test_documents_of_one_identifier_are_not_mixed_up(client, small_corpus):
    documents = read_corpus(small_corpus / "dev.jsonl").documents
    texts = [f"{document.text} [[shot|attack]]" for document in documents[:4]]
    bodies = [client.post("/v1/extract", json={"text": text}).json()["documents"][0] for text in texts]
    assert [body["id"] for body in bodies] == ["text"] * 4
    assert [body["text"] for body in bodies] == [f"{document.text} shot" for document in documents[:4]]
