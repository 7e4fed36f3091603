"""The other endpoints, and what every request passes."""

import asyncio
import json
import re
import shutil
from collections import Counter

import pytest

from eventune.corpora import read_corpus
from eventune.events import EventType, Ontology
from eventune.inference.extractor import Extractor
from eventune.scoring.definitions import score_model
from eventune.serving.guards import BoundedBody
from eventune.serving.runs import ServedRun, load_served

TEXT = {"text": "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."}


class DetectingAlone:
    """Stands in for a run that finds triggers alone: none."""

    detects, finds_arguments, is_generative = True, False, False
    ontology, counts = Ontology.of([EventType("attack", ())]), Counter()

    def annotate(self, documents, *, on_batch=None):
        return list(documents)


def test_models_are_listed_with_ontology_scores_and_fingerprint_and_no_path(client, generous_run):
    response = client.get("/v1/models")
    [model] = response.json()["data"]
    extractor = Extractor.load(generous_run)
    assert (model["id"], model["fingerprint"]) == ("tiny", extractor.fingerprint)
    assert model["ontology"] == extractor.ontology.to_dict()
    assert (model["detects"], model["finds_arguments"]) == (False, True)
    assert model["scores"]["dev"]["metrics"].keys() == {"precision", "recall", "f1"}
    assert str(generous_run.parent) not in response.text


def test_what_the_run_finds_is_scored_as_evaluate_does(client, generous_run, small_corpus):
    gold = read_corpus(small_corpus / "dev.jsonl").documents
    records = [json.loads(line) for line in (small_corpus / "dev.jsonl").read_text(encoding="utf-8").splitlines()]
    expected = score_model(gold, Extractor.load(generous_run).extract_all(gold), "rams").to_dict()
    found = client.post("/v1/score", json={"gold": records}).json()
    assert {name: found[name] for name in ("scorer", "metrics", "counts")} == {
        name: expected[name] for name in ("scorer", "metrics", "counts")
    }
    assert client.post("/v1/score", json={"gold": records, "predicted": records}).json()["metrics"]["f1"] == 1.0
    response = client.post("/v1/score", json={"gold": records, "scorer": "none"})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith("scorer: expected rams or ")


def test_what_evaluate_does_not_score_is_refused(serve, client, small_corpus):
    [record, *_] = [json.loads(line) for line in (small_corpus / "dev.jsonl").read_text(encoding="utf-8").splitlines()]
    events = [{**event, "arguments": []} for event in record["events"]]
    for gold, what in (({**record, "events": events}, "argument"), ({**record, "events": []}, "argument")):
        response = client.post("/v1/score", json={"gold": [gold]})
        assert response.status_code == 422, response.text
        assert response.json()["error"]["message"].startswith(
            f"gold: expected annotated {what}s to score against, found no gold {what} in 1 documents"
        )
    detecting = serve(runs={"triggers": ServedRun("triggers", Extractor(DetectingAlone()), {}, "textee", "0" * 12)})
    response = detecting.post("/v1/score", json={"gold": [record], "scorer": "rams"})
    assert response.status_code == 422
    assert response.json()["error"]["message"] == (
        "scorer: expected textee for a run that finds triggers alone, found rams"
    )
    assert detecting.post("/v1/score", json={"gold": [{**record, "events": events}]}).json()["measure"] == "trigger_cls"
    found = detecting.post("/v1/score", json={"gold": [record], "predicted": [record], "scorer": "rams"})
    assert found.json()["metrics"]["f1"] == 1.0


def test_a_fingerprint_is_that_of_what_was_loaded(generous_run, serve, tmp_path):
    folder = shutil.copytree(generous_run, tmp_path / "moving")
    client = serve(runs=load_served([folder]))
    shutil.rmtree(folder)
    expected = Extractor.load(generous_run).fingerprint
    assert client.get("/v1/models").json()["data"][0]["fingerprint"] == expected
    assert client.get("/health").json()["model_version"] == expected
    assert client.post("/v1/extract", json=TEXT).json()["fingerprint"] == expected


def test_health_readiness_and_figures(client):
    client.post("/v1/extract", json=TEXT)
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    figures = client.get("/metrics").text
    for line in (
        "eventune_queue_documents 0.0",
        'eventune_batch_documents_count{model="tiny"} 1.0',
        'eventune_tokens_total{model="tiny"} 9.0',
        'eventune_step_seconds_count{step="model"} 1.0',
        'eventune_step_seconds_count{step="queue"} 1.0',
        'eventune_requests_total{path="/v1/extract",status="200"} 1.0',
    ):
        assert line in figures
    assert "Gunmen" not in figures


def test_a_server_that_shuts_down_is_not_ready_and_refuses(serve):
    client = serve()
    client.app.state.service.batcher.close()
    assert client.get("/readyz").status_code == 503
    assert client.post("/v1/extract", json=TEXT).status_code == 503


def test_headers_forbid_scripts_framing_and_sniffing_and_no_site_is_let_in(client):
    for path in ("/v1/models", "/nowhere", "/healthz"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
    ],
)
def test_pages_of_other_sites_are_refused(client, headers):
    assert client.post("/v1/extract", json=TEXT, headers=headers).status_code == 403


def test_a_plain_form_of_another_site_is_no_json(client):
    response = client.post("/v1/extract", content=json.dumps(TEXT), headers={"Content-Type": "text/plain"})
    assert response.status_code == 422


@pytest.mark.parametrize("address", ["localhost:8321", "127.0.0.1", "[::1]:8321"])
def test_names_of_this_machine_are_let_in(client, address):
    headers = {"Host": address, "Origin": f"http://{address}"}
    assert client.post("/v1/extract", json=TEXT, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", "Bearer sesam1", "Basic !!", "Basic c2VzYW0=", "Bearer \xff", "sesam"],
)
def test_without_the_token_nothing_is_answered(serve, authorization):
    client = serve(token="sesam")
    for path in ("/v1/models", "/metrics", "/openapi.json", "/nowhere"):
        response = client.get(path, headers={"Authorization": authorization.encode("latin-1")})
        assert response.status_code == 401
        assert response.json()["error"]["message"] == "authorization: expected the server's token"
    assert client.get("/healthz").status_code == 200


def test_with_the_token_all_is_answered(serve):
    client = serve(token="sesam")
    for authorization in ("Bearer sesam", "bearer sesam", "Basic dXNlcjpzZXNhbQ=="):
        assert client.get("/v1/models", headers={"Authorization": authorization}).status_code == 200


def test_a_path_that_is_not_there_is_one_error_and_no_new_figure(client):
    response = client.get("/v1/../../etc/passwd?x=<script>")
    assert response.status_code == 404
    assert response.json()["error"]["hint"] == "see /openapi.json"
    client.get("/invented")
    assert "invented" not in client.get("/metrics").text


def send_body(messages, **limits):
    """What a body in pieces is answered with, and how many of the pieces were taken."""
    sent, left = [], list(messages)

    async def app(scope, receive, send):
        message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})

    async def receive():
        if not left:
            await asyncio.sleep(10)
        return left.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [], "method": "POST", "path": "/"}
    asyncio.run(BoundedBody(app, **{"max_bytes": 10, "max_seconds": 5.0, **limits})(scope, receive, send))
    return sent, len(messages) - len(left)


def piece(content, more=True):
    return {"type": "http.request", "body": content, "more_body": more}


HALF = [
    ("POST", "/v1/extract", {"documents": [{"id": "d", "text": "[[shot|attack]]", "metadata": {"a": ["\ud800"]}}]}),
    ("POST", "/v1/extract", {"documents": [{"id": "\udfff", "text": "Gunmen shot."}]}),
    ("POST", "/v1/extract", {"text": "Gunmen \ud83d shot."}),
    ("POST", "/v1/export", {"documents": [{"id": "d", "text": "x", "metadata": {"\ud800": 1}}], "format": "jsonl"}),
    ("PUT", "/v1/annotations", {"document": {"id": "d", "text": "x", "metadata": {"a": "\ud800"}}}),
    ("POST", "/predict", {"tasks": [{"id": 1, "data": {"text": "Gunmen \ud800 shot."}}]}),
]


@pytest.mark.parametrize(("method", "path", "body"), HALF)
@pytest.mark.parametrize("content", [json.dumps, lambda body: json.dumps(body, ensure_ascii=False)])
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(client, method, path, body, content):
    headers = {"Content-Type": "application/json", "Accept": "application/x-ndjson"}
    response = client.request(method, path, content=content(body).encode("utf-8", "surrogatepass"), headers=headers)
    assert response.status_code == 422, response.text
    message = response.json()["error"]["message"]
    assert re.fullmatch(r"body: expected Unicode text, found half a surrogate pair \(\\u(d800|dfff|d83d)\)", message)


def test_whole_surrogate_pairs_are_text(client):
    text = "Gunmen \U0001f600 [[shot|attack]] \\ud800."
    response = client.post(
        "/v1/extract", content=json.dumps({"text": text}), headers={"Content-Type": "application/json"}
    )
    assert response.json()["documents"][0]["text"] == "Gunmen \U0001f600 shot \\ud800."


def test_a_body_is_refused_as_soon_as_it_is_too_long():
    sent, taken = send_body([piece(b"12345")] * 100)
    assert (sent[0]["status"], taken) == (413, 3)
    assert b"body: expected at most 10 bytes, found more" in sent[1]["body"]


def test_a_body_that_does_not_come_is_refused():
    sent, _ = send_body([piece(b"12345")], max_seconds=0.05)
    assert sent[0]["status"] == 408


def test_a_body_of_a_client_that_left_is_forgotten():
    assert send_body([piece(b"12345"), {"type": "http.disconnect"}]) == ([], 2)


def test_a_body_in_pieces_comes_as_one():
    sent, _ = send_body([piece(b"12345"), piece(b"67", more=False)])
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"1234567")
