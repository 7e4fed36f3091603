"""Pages of `eventune compare` on the server."""

import pytest
from starlette.testclient import TestClient

from eventune.errors import EventuneError
from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings
from eventune.serving.comparisons import read_comparisons


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / "rams", tmp_path / "runs of phee"]
    for folder in made:
        folder.mkdir()
        content = f"<!DOCTYPE html><style>p {{}}</style><p>{folder.name}"
        (folder / "comparison.html").write_text(content, encoding="utf-8")
    (tmp_path / "rams" / "comparison.json").write_text("{}", encoding="utf-8")
    return made


@pytest.fixture
def client(served, folders):
    app = make_app(served, ServeSettings(), comparison_pages=read_comparisons(folders))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_comparisons_are_listed_and_shown(client, folders):
    listed = client.get("/v1/comparisons").json()["data"]
    assert [each["id"] for each in listed] == ["rams", "runs of phee"]
    for each, folder in zip(listed, folders, strict=True):
        answer = client.get(f"/{each['path']}")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.content == (folder / "comparison.html").read_bytes()


def test_nothing_in_a_comparison_is_run_and_nothing_is_asked_from_it(client):
    answer = client.get("/comparisons/rams")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "sandbox", "frame-ancestors 'none'", "form-action 'none'"} <= set(policy)
    assert not any(rule.startswith(("script-src", "connect-src")) for rule in policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["other", "../rams/comparison.json", "..%2Frams", "rams/comparison.json", "%2Fetc%2Fpasswd", "rams%00", ""]
)
def test_no_other_file_is_shown(client, name):
    assert client.get(f"/comparisons/{name}").status_code == 404


def test_pages_are_those_of_the_start(client, folders):
    (folders[0] / "comparison.html").unlink()
    assert client.get("/comparisons/rams").status_code == 200


def test_a_browser_asks_for_the_token_by_itself(served, folders):
    app = make_app(served, ServeSettings(), token="sesam", comparison_pages=read_comparisons(folders))
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.get("/comparisons/rams")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="eventune"')
        assert client.get("/comparisons/rams", auth=("any", "sesam")).status_code == 200
        assert client.get("/v1/comparisons").headers["WWW-Authenticate"] == "Bearer"


def test_a_folder_without_a_comparison_is_refused(tmp_path, folders):
    with pytest.raises(EventuneError, match="--comparisons: expected a comparison, found no"):
        read_comparisons([tmp_path])
    with pytest.raises(EventuneError, match="--comparisons: expected each folder once"):
        read_comparisons([folders[0], folders[0]])
