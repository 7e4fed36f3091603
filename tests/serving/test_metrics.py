"""Figures for Prometheus: what is counted."""

import re

import pytest
from starlette.testclient import TestClient

from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings


@pytest.fixture
def client():
    app = make_app({}, ServeSettings(max_bytes=1024), token="sesam")

    @app.get("/broken")
    def broken():
        raise ZeroDivisionError

    headers = {"Authorization": "Bearer sesam"}
    with TestClient(app, base_url="http://localhost", headers=headers, raise_server_exceptions=False) as client:
        yield client


def counted(client):
    """The answers by path and status, without those that tell the figures."""
    lines = re.findall(r'^eventune_requests_total{path="(.*)",status="(.*)"} (.*)$', client.get("/metrics").text, re.M)
    return {(path, int(status)): float(number) for path, status, number in lines if path != "/metrics"}


def test_every_answer_is_counted_once_whatever_was_asked(client):
    client.post("/v1/document", json={"text": "Gunmen shot."})
    client.post("/v1/document", json={"text": "Gunmen shot."})
    client.post("/v1/document", json={"text": ""})
    client.post("/v1/document", json={"text": "x" * 1100})
    client.post("/v1/document", json={"text": "x"}, headers={"Authorization": "Bearer other"})
    client.get("/v1/annotations")
    client.post("/webhook", json={"action": "PROJECT_UPDATED"})
    client.post("/predict", json={"tasks": []})
    client.get("/static/main.js")
    client.get("/invented")
    assert client.get("/broken").status_code == 500
    assert counted(client) == {
        ("/v1/document", 200): 2.0,
        ("/v1/document", 422): 1.0,
        # What is refused before it is looked at has no path.
        ("other", 413): 1.0,
        ("other", 401): 1.0,
        ("/v1/annotations", 200): 1.0,
        ("/webhook", 201): 1.0,
        ("/predict", 404): 1.0,
        ("/static/{name}", 200): 1.0,
        ("other", 404): 1.0,
        ("/broken", 500): 1.0,
    }
