"""`POST /v1/chat/completions`: what a run says to this, in OpenAI's shape."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from eventune.chat.models import open_chat_models
from eventune.errors import EventuneError
from eventune.generation.generating import GenerationSettings
from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings
from eventune.serving.batcher import BusyError, ClosedError
from eventune.serving.chats import ServedChat, Talk

PATH = "/v1/chat/completions"
ASKED = {"messages": [{"role": "user", "content": "Who are you?"}], "max_tokens": 8}


@pytest.fixture(scope="module")
def chat_models(tiny_llm):
    return open_chat_models(str(tiny_llm), {})


@pytest.fixture(scope="module")
def client(chat_models):
    chats = {"mine": ServedChat("mine", chat_models)}
    app = make_app({}, ServeSettings(max_tokens=64, max_documents=1), chats=chats)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def said(chat_models, *turns, **settings):
    """What `eventune chat` answers to the last of some turns."""
    session = chat_models.session(GenerationSettings(**{"max_new_tokens": 8, **settings}))
    for text in turns[:-1]:
        list(session.ask(text))
    return "".join(session.ask(turns[-1])), session.messages


def events_of(response):
    assert response.headers["Content-Type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_an_answer_is_what_chat_says(client, chat_models):
    answer = client.post(PATH, json={**ASKED, "model": "mine"}).json()
    [choice] = answer["choices"]
    assert choice["message"] == {"role": "assistant", "content": said(chat_models, "Who are you?")[0]}
    assert (answer["object"], answer["model"], choice["finish_reason"]) == ("chat.completion", "mine", "length")
    assert answer["usage"]["completion_tokens"] == 8
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + 8


def test_earlier_turns_count(client, chat_models):
    text, messages = said(chat_models, "Hello.", "Who are you?")
    turns = [{"role": each.role, "content": each.content} for each in messages[:-1]]
    turns[-1]["content"] = [{"type": "text", "text": "Who are "}, {"type": "text", "text": "you?"}]
    answer = client.post(PATH, json={"messages": turns, "max_completion_tokens": 8}).json()
    assert answer["choices"][0]["message"]["content"] == text


def test_a_stream_is_the_same_answer_in_pieces(client):
    whole = client.post(PATH, json=ASKED).json()
    options = {"stream": True, "stream_options": {"include_usage": True}}
    *chunks, end, usage = events_of(client.post(PATH, json={**ASKED, **options}))
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in (*chunks, end, usage)}) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
    assert text == whole["choices"][0]["message"]["content"]
    assert (end["choices"][0]["delta"], end["choices"][0]["finish_reason"]) == ({}, "length")
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])


def test_what_is_drawn_depends_on_the_seed(client, chat_models):
    drawn = {"temperature": 1.5, "top_p": 0.9, "seed": 3}
    answer = client.post(PATH, json={**ASKED, **drawn}).json()
    expected, _ = said(chat_models, "Who are you?", do_sample=True, **drawn)
    assert answer["choices"][0]["message"]["content"] == expected


def test_every_example_of_openapi_is_answered(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for example in schemas["ChatRequest"]["examples"]:
        assert client.post(PATH, json=example).status_code == 200


def test_those_that_chat_are_listed_and_asked_for_nothing_else(client):
    assert client.get("/v1/models").json() == {
        "object": "list",
        "data": [{"id": "mine", "object": "model", "chats": True}],
    }
    for path, body in (("/v1/extract", {"text": "x", "model": "mine"}), ("/predict", {"tasks": []})):
        response = client.post(path, json=body)
        assert response.status_code == 404
        assert response.json()["error"]["message"].startswith("model: expected one that is served")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"model": "other"}, 404, "model: expected one that chats, found 'other'"),
        ({"messages": []}, 422, "messages: expected List should have at least 1 item"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 422, "messages.0.role: expected 'system', 'user' or"),
        ({"messages": [{"role": "user", "content": " "}]}, 422, "messages: expected the last to be a question of the"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 422, "messages: expected the last to be a question of"),
        ({"max_tokens": 65}, 422, "max_tokens: expected at most 64, found 65"),
        ({"max_tokens": 0}, 422, "max_tokens: expected greater than or equal to 1, found 0"),
        ({"n": 2}, 422, "n: expected 1, found 2"),
        ({"tools": []}, 422, "tools: expected no such field, found one"),
        ({"messages": [{"role": "user", "content": "x" * 2000}]}, 422, "the question is too long"),
        ({"messages": [{"role": "user", "content": "x" * 2000}], "stream": True}, 422, "the question is too long"),
    ],
)
def test_what_is_wrong_is_told(client, change, status, message):
    response = client.post(PATH, json={**ASKED, **change})
    assert response.status_code == status, response.text
    assert response.json()["error"]["message"].startswith(message)


class Slow:
    """Stands in for a run: says one word, and the next when it is let."""

    max_length = 64

    def __init__(self):
        self.asked, self.left = threading.Semaphore(0), threading.Event()
        self.may_go = threading.Event()

    def describe(self):
        return {"id": "slow", "chats": True}

    def answer(self, messages, settings, tally):
        self.asked.release()
        try:
            yield "one "
            while not self.may_go.wait(0.01):
                yield ""
            yield "two"
        finally:
            self.left.set()


@pytest.fixture
def slow():
    model = Slow()
    model.name = "slow"
    yield model
    model.may_go.set()


def test_answers_wait_for_one_another_and_too_many_are_refused(slow):
    settings = ServeSettings(max_queue=2, max_documents=2)
    app = make_app({}, settings, chats={"slow": slow})
    with TestClient(app, base_url="http://localhost") as client, ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(client.post, PATH, json=ASKED)]
        assert slow.asked.acquire(timeout=20)
        answers.append(pool.submit(client.post, PATH, json=ASKED))
        while client.app.state.service.talk.waiting < 2:
            pass
        response = client.post(PATH, json={**ASKED, "stream": True})
        assert response.status_code == 429
        assert response.json()["error"]["message"] == (
            "queue: expected at most 2 requests to wait, found 2 and those of this request"
        )
        assert int(response.headers["Retry-After"]) >= 1
        figures = client.get("/metrics").text
        assert "eventune_queue_chats 2.0" in figures
        assert 'eventune_refusals_total{reason="busy"} 1.0' in figures
        slow.may_go.set()
        assert [each.result().json()["choices"][0]["message"]["content"] for each in answers] == ["one two"] * 2


def test_what_takes_too_long_is_given_up_and_its_generation_ends(slow):
    app = make_app({}, ServeSettings(max_seconds=0.3), chats={"slow": slow})
    with TestClient(app, base_url="http://localhost") as client:
        response = client.post(PATH, json=ASKED)
        assert response.status_code == 504
        assert slow.left.wait(20)
        *_, error = client.post(PATH, json={**ASKED, "stream": True}).text.split("\n\n")[:-1]
        assert json.loads(error.removeprefix("data: "))["error"]["message"] == "time: expected an answer within 0.3 s"


def test_who_stops_listening_ends_the_answer(slow):
    talk = Talk(capacity=1, max_seconds=20)

    async def listen():
        pieces = talk.pieces(lambda: slow.answer((), None, None))
        assert await anext(pieces) == "one "
        with pytest.raises(BusyError):
            await anext(talk.pieces(lambda: slow.answer((), None, None)))
        await pieces.aclose()

    asyncio.run(listen())
    assert slow.left.wait(20)
    talk.close()
    with pytest.raises(ClosedError):
        asyncio.run(anext_of(talk, slow))


async def anext_of(talk, slow):
    return await anext(talk.pieces(lambda: slow.answer((), None, None)))


class PanicException(BaseException):
    """What the tokenizers' library raises; it is no Exception."""


def test_a_library_that_panics_is_an_error_and_the_next_is_answered():
    def panicking():
        yield "one "
        raise PanicException("gone")

    def fine():
        yield "two"

    async def listen():
        assert [piece async for piece in talk.pieces(fine)] == ["two"]
        with pytest.raises(EventuneError, match="a library stopped: gone"):
            _ = [piece async for piece in talk.pieces(panicking)]
        assert [piece async for piece in talk.pieces(fine)] == ["two"]

    talk = Talk(capacity=1, max_seconds=20)
    asyncio.run(listen())
    talk.close()
