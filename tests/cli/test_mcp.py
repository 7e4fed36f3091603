"""`eventune mcp`."""

import asyncio
import os
import sys

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--port", "9000"], "error: --port: expected --http beside it, found none"),
        (
            ["--http", "--host", "0.0.0.0"],
            "error: host: expected 0.0.0.0 with a token in EVENTUNE_TOKEN, found none",
        ),
        (["--max_seconds", "0"], "error: max_seconds: expected a number >= 0.1, found 0.0"),
        ([], "error: {run}: expected a run directory, found no result.json in it"),
    ],
)
def test_what_cannot_be_served_is_refused(refused, tmp_path, monkeypatch, flags, message):
    monkeypatch.delenv("EVENTUNE_TOKEN", raising=False)
    assert refused("mcp", tmp_path, *flags).startswith(message.format(run=tmp_path))


async def ask(server):
    async with Client(server) as client:
        tools = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        found = await client.call_tool("extract_events", {"text": TEXT})
        known = await client.call_tool("list_event_types", {})
        return tools, found.structured_content, known.structured_content


def check(tools, found, known):
    assert tools.keys() == {"extract_events", "list_event_types"}
    assert all(schema["type"] == "object" for schema in tools.values())
    assert (found["events"][0]["trigger"], found["events"][0]["start"]) == ("shot", 7)
    assert "attack" in [each["name"] for each in known["types"]]


def test_an_assistant_that_starts_the_command_gets_its_tools(tiny_run):
    command = StdioServerParameters(command=sys.executable, args=["-m", "eventune", "mcp", str(tiny_run)])
    check(*asyncio.run(ask(command.model_copy(update={"env": ENVIRONMENT}))))


def test_an_assistant_gets_them_over_http(tiny_run, forked):
    read, write = os.pipe()
    with os.fdopen(write, "wb") as said:
        process = forked.command("mcp", tiny_run, "--http", "--port", "0", stderr=said, environment=ENVIRONMENT)
    with os.fdopen(read, encoding="utf-8") as lines:
        try:
            line = next(line for line in lines if line.startswith("http://127.0.0.1:"))
            check(*asyncio.run(ask(line.partition(";")[0])))
        finally:
            process.terminate()
    assert process.wait() in (0, -15)
