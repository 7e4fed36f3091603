"""A run that is trained while another is served."""

import json
import time

import pytest
import yaml
from starlette.testclient import TestClient

from eventune.corpora.jsonl import read_document
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.serving import training
from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings
from eventune.serving.runs import load_served
from eventune.serving.training import Training

START = {"action": "START_TRAINING", "project": {"id": 1}}


@pytest.fixture
def serving(served, tiny_recipe, forking, tmp_path):
    """Makes a client of a server that trains by the tiny recipe, changed."""
    clients = []

    def serving(**changes):
        recipe = tmp_path / "recipe.yaml"
        output_dir = tmp_path / "runs" / "mine"
        recipe.write_text(yaml.safe_dump({**tiny_recipe, "output_dir": str(output_dir), **changes}), encoding="utf-8")
        made = Training(str(recipe), output_dir, lambda folder: load_served([folder])["mine"])
        app = make_app(served, ServeSettings(), training=made)
        clients.append(TestClient(app, base_url="http://localhost"))
        return clients[-1].__enter__()

    with forking(training):
        yield serving
        for client in clients:
            client.__exit__(None, None, None)


def state_of(client):
    return client.get("/v1/training").json()["state"]


def test_what_is_trained_is_served_when_it_is_complete_and_no_request_is_dropped(
    serving, served, small_corpus, tmp_path
):
    client = serving(num_train_epochs=1)
    record = json.loads((small_corpus / "dev.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert client.get("/v1/training").json() == {"can_train": True, "state": "idle", "run": ""}
    first = client.post("/webhook", json=START)
    assert (first.status_code, first.json()) == (201, {"result": {"run": "mine"}, "status": "begun"})
    assert client.post("/webhook", json=START).json()["status"] == "at it"
    answers = []
    while state_of(client) == "running" or not answers:
        answers.append(client.post("/v1/extract", json={"documents": [record]}))
        time.sleep(0.05)
    answers.append(client.post("/v1/extract", json={"documents": [record]}))

    assert client.get("/v1/training").json() == {"can_train": True, "state": "served", "run": "mine"}
    assert {answer.status_code for answer in answers} == {200}
    runs = {each.fingerprint: each for each in (served["tiny"].extractor, Extractor.load(tmp_path / "runs" / "mine"))}
    assert len(runs) == 2
    for answer in map(dict, (answer.json() for answer in answers)):
        assert answer["model"] == "tiny"
        found = runs[answer["fingerprint"]].extract(read_document(record))
        assert read_document(answer["documents"][0]) == found
    assert answers[0].json()["fingerprint"] == served["tiny"].extractor.fingerprint
    assert answers[-1].json()["fingerprint"] != answers[0].json()["fingerprint"]


def test_a_training_that_fails_leaves_the_run_as_it_is_and_the_next_has_a_folder_of_its_own(serving, tmp_path):
    client = serving(train_file=str(tmp_path / "none.jsonl"))
    before = client.get("/v1/models").json()
    for run in ("mine", "mine-2"):
        assert client.post("/webhook", json=START).json() == {"result": {"run": run}, "status": "begun"}
        while state_of(client) == "running":
            time.sleep(0.05)
        assert client.get("/v1/training").json() == {"can_train": True, "state": "failed", "run": run}
        assert "none.jsonl" in (tmp_path / "runs" / f"{run}.log").read_text(encoding="utf-8")
    assert client.get("/v1/models").json() == before


def wait_for(made):
    for _ in range(2000):
        if made.state != "running":
            return made.state
        time.sleep(0.01)
    return made.state


class Done:
    """Stands in for a process that made a run."""

    def __init__(self, *_, **__):
        pass

    def wait(self):
        return 0

    poll = wait


def test_a_run_that_cannot_be_loaded_is_told_and_the_next_can_be_made(tmp_path, monkeypatch, caplog):
    def load(folder):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(training.subprocess, "Popen", Done)
    made = Training("recipe.yaml", tmp_path / "mine", load)
    for _ in range(2):
        assert made.start(lambda load: load())
        assert wait_for(made) == "failed"
    assert f"{tmp_path / 'mine'} is not served: out of memory" in caplog.text


def test_a_log_that_cannot_be_written_is_an_error(tmp_path):
    name = "x" * 252
    made = Training("recipe.yaml", tmp_path / name, lambda folder: None)
    with pytest.raises(EventuneError, match=f"{name}.log: File name too long"):
        made.start(lambda load: load())
    assert made.state == "idle"


def test_without_a_recipe_nothing_is_trained(client):
    assert client.post("/webhook", json=START).json() == {"result": {}, "status": "heard"}
    assert client.get("/v1/training").json() == {"can_train": False, "state": "idle", "run": ""}
