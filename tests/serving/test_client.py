"""`eventune.Client`."""

import httpx
import pytest

import eventune
from eventune import EventuneError
from eventune.corpora import read_corpus
from eventune.inference.extractor import Extractor
from eventune.serving import client as module

TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."


@pytest.fixture
def connected(serve):
    """Makes a client whose requests go to a server in this process."""

    def connected(*, client_token="", retries=0, **settings):
        client = eventune.Client("http://localhost", token=client_token, retries=retries)
        headers = client._http.headers
        client.close()
        client._http = serve(**settings)
        client._http.headers.update(headers)
        return client

    return connected


def test_it_finds_what_the_extractor_finds(connected, generous_run, small_corpus):
    client, extractor = connected(), Extractor.load(generous_run)
    documents = read_corpus(small_corpus / "dev.jsonl").documents
    assert client.extract(TEXT) == extractor.extract(TEXT)
    assert client.extract_all(documents) == extractor.extract_all(documents)
    assert client.extract(documents[0], triggers="given") == extractor.extract(documents[0])


def test_it_lists_models_and_scores(connected, small_corpus):
    client, gold = connected(), read_corpus(small_corpus / "dev.jsonl").documents
    assert [model["id"] for model in client.models()] == ["tiny"]
    assert client.score(gold, gold)["metrics"]["f1"] == 1.0
    assert client.score(gold)["metrics"]["f1"] < 1.0


def test_what_the_server_refuses_is_an_error_with_its_hint(connected):
    with pytest.raises(EventuneError, match="this run finds arguments and no triggers") as caught:
        connected().extract("Gunmen shot.")
    assert "mark triggers" in caught.value.hint
    with pytest.raises(EventuneError, match="authorization: expected the server's token"):
        connected(token="sesam").models()
    assert connected(token="sesam", client_token="sesam").models()


def test_a_busy_server_is_asked_again_after_as_long_as_it_says(connected, monkeypatch):
    from eventune.serving.batcher import Batcher, BusyError

    waits, busy = [], [1, 2]
    submit = Batcher.submit

    def submit_later(self, *words, **options):
        if busy:
            raise BusyError(1, 1, busy.pop(0))
        return submit(self, *words, **options)

    monkeypatch.setattr(Batcher, "submit", submit_later)
    monkeypatch.setattr(module.time, "sleep", waits.append)
    assert connected(retries=2).extract(TEXT).events
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("Wed, 21 Oct 2026 07:28:00 GMT", 1.0), ("7", 7.0), ("86400", 30.0), ("-3", 1.0), ("nan", 1.0), ("", 1.0)],
)
def test_a_proxy_may_say_in_its_own_way_when_to_come_again(header, seconds, monkeypatch):
    waits = []
    busy = httpx.MockTransport(lambda _: httpx.Response(429, headers={"Retry-After": header}))
    monkeypatch.setattr(module.time, "sleep", waits.append)
    client = eventune.Client("http://localhost", retries=1)
    client.close()
    client._http = httpx.Client(base_url="http://localhost", transport=busy)
    with client, pytest.raises(EventuneError, match="status 429"):
        client.models()
    assert waits == [seconds]


def test_a_server_that_is_not_there_is_an_error(tmp_path):
    with (
        eventune.Client("http://127.0.0.1:9") as client,
        pytest.raises(EventuneError, match="expected an answer") as caught,
    ):
        client.models()
    assert caught.value.hint == "is the server running? eventune serve RUN"
