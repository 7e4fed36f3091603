"""A run as tools of assistants, in this process."""

import asyncio
from contextlib import closing

import pytest
from mcp import Client
from starlette.testclient import TestClient

from eventune.corpora.raw_text import document_of
from eventune.inference.extractor import Extractor
from eventune.serving.arguments import ServeSettings
from eventune.serving.assistants import PATH, AssistantTools, extraction_of

TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
HEADERS = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def extractor(generous_run):
    return Extractor.load(generous_run)


@pytest.fixture
def tools(extractor):
    with closing(AssistantTools(extractor, ServeSettings(max_tokens=50))) as tools:
        yield tools


def call(tools, name, **arguments):
    async def ask():
        async with Client(tools.server) as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(ask())


def test_what_a_text_says_is_found_with_its_characters(tools, extractor):
    found = call(tools, "extract_events", text=TEXT).structured_content
    assert found == extraction_of(extractor.extract(TEXT)).model_dump()
    assert "[[" not in found["text"]
    places = [found["events"][0], *found["events"][0]["arguments"]]
    assert len(places) > 1
    for place in places:
        assert found["text"][place["start"] : place["end"]] == place.get("trigger", place.get("text"))


def test_what_is_less_probable_is_left_out(tools):
    everything = call(tools, "extract_events", text=TEXT).structured_content["events"][0]["arguments"]
    threshold = max(argument["score"] for argument in everything)
    found = call(tools, "extract_events", text=TEXT, threshold=threshold).structured_content["events"][0]["arguments"]
    assert found == [argument for argument in everything if argument["score"] >= threshold]


def test_an_event_without_a_trigger_has_no_place(tools):
    event = call(tools, "extract_events", text="Monday.", event_types=["attack"]).structured_content["events"][0]
    assert (event["trigger"], event["start"], event["end"]) == (None, None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": " "}, "text: expected a text, found an empty one"),
        ({"text": "Nothing is marked."}, "mark triggers"),
        ({"text": "[[Shot|marry]]."}, "marry"),
        ({"text": "[[shot|attack]] " + "word " * 60}, "tokens: expected at most 50, found 61"),
    ],
)
def test_what_cannot_be_answered_is_told_with_the_next_step(tools, arguments, message):
    answer = call(tools, "extract_events", **arguments)
    assert answer.is_error
    assert message in answer.content[0].text


def test_the_types_are_those_of_the_run(tools, extractor):
    known = call(tools, "list_event_types").structured_content
    assert known["finds_triggers"] is extractor.detects
    assert {known["name"]: [role["name"] for role in known["roles"]] for known in known["types"]} == {
        name: [role.name for role in known.roles] for name, known in extractor.ontology.types.items()
    }


def test_an_argument_in_pieces_is_told_from_the_first_to_the_last():
    from eventune.events import Argument, Event, Span

    document = document_of("Guns and old tanks fired.")
    pieces = (Span(0, 1), Span(3, 4))
    event = Event("attack", Span(4, 5), (Argument("instrument", Span(0, 4), None, pieces),))
    argument = extraction_of(document.with_events([event])).events[0].arguments[0]
    assert (argument.text, argument.start, argument.end) == ("Guns and old tanks", 0, 18)


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("localhost", {"Authorization": "Bearer secret"}, 200),
        ("localhost", {}, 401),
        ("localhost", {"Authorization": "Bearer other"}, 401),
        ("localhost", {"Authorization": "Bearer secret", "Origin": "http://elsewhere.example"}, 403),
        ("elsewhere.example", {"Authorization": "Bearer secret"}, 403),
    ],
)
def test_http_is_for_those_who_may_ask(tools, host, headers, status):
    with TestClient(tools.http_app(token="secret"), base_url=f"http://{host}:8321") as client:
        answer = client.post(PATH, json=INITIALIZE, headers=HEADERS | headers)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_that_is_too_large_is_refused(extractor):
    with (
        closing(AssistantTools(extractor, ServeSettings(max_bytes=1024))) as tools,
        TestClient(tools.http_app(token=""), base_url="http://localhost:8321") as client,
    ):
        assert client.post(PATH, json=INITIALIZE | {"more": "x" * 2000}, headers=HEADERS).status_code == 413
