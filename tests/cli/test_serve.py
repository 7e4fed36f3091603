"""`eventune serve`."""

import json
import os
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from eventune import Client, EventuneError
from eventune.corpora.jsonl import write_document

TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--port", "70000"], "error: port: expected an integer <= 65,535, found 70000"),
        (["--max_queue", "5"], "error: max_queue: expected an integer >= max_documents, 256, found 5"),
        (["--host", "0.0.0.0"], "error: host: expected 0.0.0.0 with a token in EVENTUNE_TOKEN, found none"),
        (["--port", "0"], "error: {run}: expected a run directory, found no result.json in it"),
    ],
)
def test_what_cannot_be_served_is_refused(refused, tmp_path, monkeypatch, flags, message):
    monkeypatch.delenv("EVENTUNE_TOKEN", raising=False)
    found = refused("serve", tmp_path, *flags)
    assert found.startswith(message.format(run=tmp_path))


def test_an_address_in_use_is_refused_before_a_model_is_loaded(refused, tiny_run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused("serve", tiny_run, "--port", port).startswith(
            f"error: --host, --port: expected an address to listen on, found 127.0.0.1:{port}: in use already"
        )


def test_triggers_are_found_by_a_run_that_does(refused, tiny_run):
    message = refused("serve", tiny_run, "--detection", tiny_run, "--port", "0")
    assert message.startswith(f"error: {tiny_run}: expected a run that finds triggers, found one with task: extraction")


@pytest.fixture
def server(tiny_run, forked, tmp_path):
    """A server in a process of its own, and its URL."""
    words = ("serve", tiny_run, "--port", "0", "--json", "--batch_tokens", "1")
    (read, write), environment = os.pipe(), {**os.environ, "COLUMNS": "200"}
    with (tmp_path / "log").open("wb") as log, os.fdopen(write, "wb") as said:
        process = forked.command(*words, stdout=said, stderr=log, environment=environment)
    with os.fdopen(read, encoding="utf-8") as lines:
        line = lines.readline()
        assert line, (tmp_path / "log").read_text(encoding="utf-8")
        yield process, json.loads(line)
        process.kill()
        process.wait()


def test_what_was_accepted_is_answered_before_it_stops(server):
    process, started = server
    assert started["models"] == ["tiny"]
    with Client(started["url"]) as client, Client(started["url"]) as watching, ThreadPoolExecutor(1) as pool:
        expected = client.extract(TEXT)
        record = next(write_document(expected))
        answer = pool.submit(client._http.post, "/v1/extract", json={"documents": [record] * 200})
        while "eventune_queue_documents 0.0" in watching._http.get("/metrics").text and not answer.done():
            pass
        process.terminate()
        assert answer.result().json()["documents"] == [record] * 200
        # Else a client would send its next request on a connection that is closed.
        assert answer.result().headers["Connection"] == "close"
    assert process.wait() == 0
    with Client(started["url"]) as client, pytest.raises(EventuneError, match="expected an answer, found Connect"):
        client.models()


@pytest.fixture(scope="module")
def talking_run(tiny_llm, tmp_path_factory):
    """A run of `eventune sft` and its base, which can be moved."""
    from eventune.cli import main

    folder = tmp_path_factory.mktemp("talking")
    base = shutil.copytree(tiny_llm, folder / "base")
    (folder / "rows.jsonl").write_text('{"content": "red", "summary": "a red shirt"}\n' * 4, encoding="utf-8")
    columns = ("--prompt_column", "content", "--response_column", "summary")
    files = ("--train_file", str(folder / "rows.jsonl"), "--output_dir", str(folder / "run"))
    lengths = ("--max_source_length", "64", "--max_target_length", "16")
    model = ("--model_name_or_path", str(base), "--max_steps", "1", *lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTUNE_CACHE", str(folder / "cache"))
        assert main(["sft", "--do_train", "true", *model, *columns, *files]) == 0
    return folder / "run"


def said_by(models, words="red"):
    from eventune.generation.generating import GenerationSettings

    return "".join(models.session(GenerationSettings(max_new_tokens=4)).ask(words))


def test_runs_of_sft_chat_and_others_find_something(talking_run, tiny_run):
    from eventune.chat.models import open_chat_models
    from eventune.generation.conversation import Message
    from eventune.generation.generating import GenerationSettings
    from eventune.generation.streaming import Tally
    from eventune.serving.chats import load_chats
    from eventune.serving.runs import annotates

    assert annotates(tiny_run)
    assert not annotates(talking_run)
    settings = GenerationSettings(max_new_tokens=4)
    chats = load_chats([talking_run], device="auto", dtype="auto")
    said = "".join(chats["run"].answer([Message("user", "red")], settings, Tally()))
    assert said == said_by(open_chat_models(str(talking_run), {}))


def test_a_run_that_chats_is_served_where_its_base_was_moved(talking_run, tiny_llm, tmp_path):
    from eventune.serving.chats import load_chats

    moved = shutil.copytree(talking_run, tmp_path / "run")
    record = json.loads((moved / "base.json").read_text(encoding="utf-8"))
    (moved / "base.json").write_text(json.dumps({**record, "name_or_path": str(tmp_path / "gone")}), encoding="utf-8")
    with pytest.raises(EventuneError, match="gone") as caught:
        load_chats([moved], device="auto", dtype="auto")
    assert f"eventune serve {moved} --model_name_or_path MODEL" in caught.value.hint
    chats = load_chats([moved], model_name_or_path=str(tiny_llm), device="auto", dtype="auto")
    expected = load_chats([talking_run], device="auto", dtype="auto")
    assert said_by(chats["run"].models) == said_by(expected["run"].models)


def test_what_a_recipe_makes_replaces_a_run_that_finds_something(refused, talking_run, tiny_recipe, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**tiny_recipe, "output_dir": str(tmp_path / "mine")}), encoding="utf-8")
    message = refused("serve", talking_run, "--recipe", recipe, "--port", "0")
    assert message.startswith(
        "error: --recipe: expected a RUN that finds events, in whose place the new one is served,"
    )
