"""The server as a machine learning backend of Label Studio: its requests, and answers in its shape.

A task's text is read as it is, so that offsets are those of the text that Label Studio shows; what is found goes back
as regions and relations by the names of the project's own labelling configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from eventune.corpora.label_studio import TRIGGER, read_document, write_document
from eventune.corpora.text_segmentation import segment_text
from eventune.errors import InvalidValueError
from eventune.events import Document, Mention, Ontology
from eventune.serving.api import service_of
from eventune.serving.asking import check_count, check_tokens
from eventune.serving.replies import reply
from eventune.serving.runs import ServedRun

SAVED = frozenset({"ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED"})
START_TRAINING = "START_TRAINING"

router = APIRouter(include_in_schema=False)


class PredictRequest(BaseModel):
    """What `/predict` gets; fields that are not needed are passed over."""

    tasks: list[dict[str, Any]]
    label_config: str | None = ""


class WebhookRequest(BaseModel):
    """What `/webhook` gets; of `ANNOTATIONS_CREATED` the tasks and their annotations are lists."""

    action: str = ""
    project: dict[str, Any] = Field(default_factory=dict)
    task: dict[str, Any] | list[dict[str, Any]] = Field(default_factory=list)
    annotation: dict[str, Any] | list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True)
class Labelling:
    """What a labelling configuration calls things.

    Attributes:
        text_key: The field of a task's data that holds the text.
        text: Name of the tag that shows it.
        tags: The labels of each tag that has labels for it, by the tag's name; none where they are not told.
    """

    text_key: str = "text"
    text: str = "text"
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, configuration: str) -> Labelling:
        """Read a project's labelling configuration.

        Raises:
            InvalidValueError: If it is no XML, has a document type, or labels no text.
        """
        if not configuration.strip():
            return cls()
        if "<!" in configuration.replace("<!--", ""):
            raise InvalidValueError("label_config", "XML without a document type", "one")
        try:
            root = ElementTree.fromstring(configuration)
        except ElementTree.ParseError as error:
            raise InvalidValueError("label_config", "XML", str(error)) from None
        for text in root.iter("Text"):
            tags = {
                labels.get("name", ""): frozenset(label.get("value", "") for label in labels.iter("Label"))
                for labels in root.iter("Labels")
                if labels.get("toName") == text.get("name")
            }
            if tags:
                return cls(text.get("value", "$text").removeprefix("$"), text.get("name", ""), tags)
        raise InvalidValueError("label_config", "Labels of a Text", "none", "eventune finds spans in text")

    def tag_of(self, label: str, usual: str) -> str | None:
        """Return the tag that has a label: the usual one if it does, none if it is unknown."""
        having = [name for name, labels in self.tags.items() if not labels or label in labels]
        return usual if usual in having or not self.tags else next(iter(having), None)

    def is_trigger(self, span: Mention, ontology: Ontology) -> bool:
        """Tell whether a span is a trigger: its label is an event type, or its tag has such labels and no roles."""
        tag, types = span.attributes.get("from_name"), ontology.types
        if span.type in types:
            return not self.tags or tag == self.tag_of(span.type, TRIGGER)
        roles = {role.name for known in types.values() for role in known.roles}
        labels = self.tags.get(str(tag), frozenset())
        return not labels.isdisjoint(types) and labels.isdisjoint(roles)

    def text_of(self, task: Mapping[str, Any]) -> str:
        """Return a task's text.

        Raises:
            InvalidValueError: If it has none where the configuration says.
        """
        data = task.get("data")
        text = data.get(self.text_key) if isinstance(data, dict) else None
        if not isinstance(text, str):
            raise InvalidValueError(f"tasks.data.{self.text_key}", "a text", type(text).__name__)
        return text


@router.get("/health")
async def health(request: Request) -> Response:
    """Tell that the backend is there."""
    return reply({"status": "UP", "model_class": "eventune", "model_version": _run(request).fingerprint})


@router.post("/setup")
async def setup(request: Request) -> Response:
    """Tell the version of the model: predictions of another one are made anew."""
    return reply({"model_version": _run(request).fingerprint})


@router.post("/predict")
async def predict(body: PredictRequest, request: Request) -> Response:
    """Find events in tasks."""
    service, run = service_of(request), _run(request)
    labelling = Labelling.read(body.label_config or "")
    check_count(len(body.tasks), "tasks", service.settings)
    documents = await service.prepare(lambda: [_document(task, labelling) for task in body.tasks])
    check_tokens(documents, service.settings)
    found = await service.find(request, run, documents) if run.extractor.detects else documents
    version = run.fingerprint
    return reply({"results": [{"model_version": version, **prediction_of(each, labelling)} for each in found]})


@router.post("/webhook")
async def webhook(body: WebhookRequest, request: Request) -> Response:
    """Save an annotation or start a training, where the server may; whatever else is told is heard."""
    service = service_of(request)
    if body.action == START_TRAINING and service.training is not None:
        is_begun = await service.prepare(service.train)
        return reply({"result": {"run": service.training.run}, "status": "begun" if is_begun else "at it"}, 201)
    annotations = service.annotations
    if annotations is None or body.action not in SAVED:
        return reply({"result": {}, "status": "heard"}, 201)
    documents = _annotated(body, _run(request).extractor.ontology if service.runs else Ontology.of([]))
    await service.prepare(lambda: annotations.save(*documents))
    return reply({"result": {"ids": [document.id for document in documents]}, "status": "saved"}, 201)


def prediction_of(document: Document, labelling: Labelling) -> dict[str, Any]:
    """Return what was found in a document as a prediction: `result`, and the mean probability as `score`."""
    [task] = write_document(document)
    scores = _scores(document)
    regions: dict[str, Any] = {}
    relations = []
    for each in task["annotations"][0]["result"]:
        if each["type"] == "relation":
            relations.append(each)
            continue
        value = each["value"]
        tag = labelling.tag_of(value["labels"][0], each["from_name"])
        if tag is not None:
            score = scores.get((value["start"], value["end"], value["labels"][0]))
            names = {"from_name": tag, "to_name": labelling.text}
            regions[each["id"]] = {**each, **names, **({} if score is None else {"score": score})}
    kept = [each for each in relations if regions.keys() >= {each["from_id"], each["to_id"]}]
    mean = sum(scores.values()) / len(scores) if scores else 0.0
    return {"score": round(mean, 6), "result": [*regions.values(), *kept]}


def _scores(document: Document) -> Mapping[tuple[int, int, str], float]:
    scores: dict[tuple[int, int, str], float] = {}
    for event in document.events:
        places = [(event.trigger, event.type, event.attributes.get("score"))]
        places += [(argument.span, argument.role, argument.score) for argument in event.arguments]
        for span, label, score in places:
            if span is not None and isinstance(score, float):
                characters = document.characters_of(span)
                key = (characters.start, characters.end, label)
                scores[key] = max(score, scores.get(key, 0.0))
    return scores


def _annotated(body: WebhookRequest, ontology: Ontology) -> list[Document]:
    """Return the annotated tasks as documents; one that was skipped says nothing."""
    labelling = Labelling.read(str(body.project.get("label_config") or ""))
    tasks, annotations = _listed(body.task), _listed(body.annotation)
    if len(tasks) != len(annotations):
        raise InvalidValueError("annotation", f"one for each of {len(tasks)} tasks", str(len(annotations)))
    pairs = zip(tasks, annotations, strict=True)
    return [_corrected(task, each, labelling, ontology) for task, each in pairs if not each.get("was_cancelled")]


def _corrected(
    task: Mapping[str, Any], annotation: Mapping[str, Any], labelling: Labelling, ontology: Ontology
) -> Document:
    data = {**task["data"], "text": labelling.text_of(task)}
    record = {"id": task.get("id"), "data": data, "annotations": [annotation]}
    document = read_document(record)
    spans = [span for entity in document.entities for span in entity.mentions]
    # The tags of a project have any names, and a trigger without arguments has no relation that would tell it.
    triggers = [span.id for span in spans if labelling.is_trigger(span, ontology)]
    if not triggers:
        return document
    return read_document({**record, "data": {**data, "triggers": [*data.get("triggers", ()), *triggers]}})


def _listed(given: dict[str, Any] | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [given] if isinstance(given, dict) else given


def _document(task: Mapping[str, Any], labelling: Labelling) -> Document:
    text = labelling.text_of(task)
    return Document(str(task.get("id", "task")), text, *segment_text(text))


def _run(request: Request) -> ServedRun:
    """Return the run that Label Studio gets: it has one URL and no names, so the first."""
    return service_of(request).first_run
