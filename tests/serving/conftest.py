"""A server of the tiny run, in this process."""

import json
import shutil

import pytest
from starlette.testclient import TestClient

from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings
from eventune.serving.runs import load_served


@pytest.fixture(scope="session")
def generous_run(tiny_run, tmp_path_factory):
    """The tiny run with margins that let almost every candidate pass, so that there are arguments to look at."""
    folder = shutil.copytree(tiny_run, tmp_path_factory.mktemp("generous") / "tiny")
    settings = json.loads((folder / "extractor.json").read_text(encoding="utf-8"))
    settings["margins"] = {"first": -8.0, "further": -4.0}
    (folder / "extractor.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def served(generous_run):
    return load_served([generous_run])


@pytest.fixture
def serve(served):
    """Makes a client of a server with these settings."""
    clients = []

    def serve(*, runs=None, token="", **settings):
        app = make_app(runs or served, ServeSettings(**settings), token=token)
        client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        clients.append(client)
        return client.__enter__()

    yield serve
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve):
    return serve()
