"""What may be asked: the bodies of requests, each with an example that works on the built-in sample's ontology."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."
_DOCUMENT: Any = {
    "id": "d1",
    "text": "Rebels shelled Homs.",
    "tokens": [[0, 6], [7, 14], [15, 19], [19, 20]],
    "events": [
        {
            "type": "attack",
            "trigger": [1, 2],
            "arguments": [{"role": "attacker", "span": [0, 1]}, {"role": "place", "span": [2, 3]}],
        }
    ],
}
Record = dict[str, Any]
"""A document as JSON lines of the project's own format hold it."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, Field(description="name of a run, see GET /v1/models; may be empty where there is one")] = ""


class ExtractRequest(_Request):
    """Texts or documents in which events are sought: one of `text`, `texts` and `documents`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": _TEXT},
                {"texts": [_TEXT, "Rebels [[shelled|attack]] Homs."], "triggers": "marked", "threshold": 0.3},
                {"documents": [_DOCUMENT], "triggers": "given"},
            ]
        },
    )

    text: Annotated[str | None, Field(description="a text; triggers may be marked: [[shot|attack]]")] = None
    texts: Annotated[list[str] | None, Field(description="several texts; their identifiers are 1, 2, …")] = None
    documents: Annotated[list[Record] | None, Field(description="documents of the project's own format")] = None
    triggers: Annotated[
        Literal["auto", "given", "marked", "detected"],
        Field(
            description="where events come from: given by the documents, marked in the texts, detected by the run "
            "whatever is given or marked; auto: those there are, else detected"
        ),
    ] = "auto"
    types: Annotated[
        list[str], Field(description="event types to look for in what has no events, without a trigger")
    ] = []
    language: Annotated[str, Field(description="ISO 639 code of the texts' language, or auto")] = "auto"
    threshold: Annotated[
        float, Field(ge=0.0, le=1.0, description="leave out what is less probable; beyond the run's own margins")
    ] = 0.0


class ScoreRequest(_Request):
    """Documents to score against annotated ones; without `predicted`, what the run finds."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"gold": [_DOCUMENT], "predicted": [_DOCUMENT], "scorer": "rams"}, {"gold": [_DOCUMENT]}]
        },
    )

    gold: Annotated[list[Record], Field(min_length=1, description="annotated documents")]
    predicted: Annotated[list[Record] | None, Field(description="the same documents with predicted events")] = None
    scorer: Annotated[str, Field(description="definition of the score; the run's own if empty")] = ""


EXTRACTED = {
    "model": "rams",
    "fingerprint": "5b2c8f0d9a17",
    "documents": [
        {
            "id": "text",
            "text": "Gunmen shot three soldiers in Mosul on Monday.",
            "tokens": [[0, 6], [7, 11], [12, 17], [18, 26], [27, 29], [30, 35], [36, 38], [39, 45], [45, 46]],
            "sentences": [[0, 9]],
            "events": [
                {
                    "id": "",
                    "type": "attack",
                    "trigger": [1, 2],
                    "text": "shot",
                    "start": 7,
                    "end": 11,
                    "arguments": [
                        {"role": "attacker", "span": [0, 1], "text": "Gunmen", "start": 0, "end": 6, "score": 0.997512}
                    ],
                }
            ],
            "metadata": {},
        }
    ],
}
REFUSED = {"error": {"message": "body: expected at most 4194304 bytes, found more", "hint": "raise --max_bytes"}}
