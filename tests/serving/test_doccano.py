"""doccano's auto-labelling, by the mapping template that docs/labelling.md gives."""

import json
import re
from pathlib import Path

import jinja2
import pytest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."


def template_of(page):
    return re.search(r"```jinja\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)[1]


@pytest.mark.parametrize("page", ["labelling.md", "labelling.zh-CN.md"])
def test_an_answer_becomes_spans(client, page):
    answer = client.post("/v1/extract", json={"text": TEXT}).json()
    spans = json.loads(jinja2.Template(template_of(page)).render(input=answer))
    document = answer["documents"][0]
    event = document["events"][0]
    assert spans[0] == {"label": "attack", "start_offset": event["start"], "end_offset": event["end"]}
    assert [span["label"] for span in spans[1:]] == [argument["role"] for argument in event["arguments"]]
    assert len(spans) > 1


def test_an_event_without_a_trigger_has_no_span_of_its_own(client):
    answer = client.post("/v1/extract", json={"text": "Monday.", "types": ["attack"]}).json()
    spans = json.loads(jinja2.Template(template_of("labelling.md")).render(input=answer))
    assert [span["label"] for span in spans] == [
        each["role"] for each in answer["documents"][0]["events"][0]["arguments"]
    ]
