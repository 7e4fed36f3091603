"""The reference's predictions as documents."""

import json
from dataclasses import replace
from pathlib import Path

from eventune.corpora import read_corpus
from eventune.events import Argument, Event, EventType, Ontology, Role, Span

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "scorers"
SETS = [("rams", name) for name in ("dev_low", "dev_mid", "dev_high", "dev_cross")]
SETS += [("wikievents", name) for name in ("dev_a", "dev_b")]


def load(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def lines(name):
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def pairs(corpus, name, corpora):
    """Gold documents with the predicted events of a set, as the reference fed them: gold triggers, one event each."""
    if corpus == "rams":
        gold = read_corpus(corpora / "rams" / "dev.jsonlines")
        predictions = {line["doc_key"]: line["predictions"] for line in lines(f"rams/{name}.pred.jsonl")}
        return [(document, document.with_events(_rams(document, predictions.get(document.id)))) for document in gold]
    gold = read_corpus(corpora / "wikievents" / "dev.jsonl")
    predictions = {line["doc_id"]: line["events"] for line in lines(f"wikievents/{name}.pred.jsonl")}
    return [
        (document, document.with_events(_wikievents(document, predictions.get(document.id, [])))) for document in gold
    ]


def _rams(document, predictions):
    if not predictions:
        return []
    arguments = [Argument(role, Span(start, end + 1), score) for start, end, role, score in predictions[0][1:]]
    return [replace(document.events[0], arguments=tuple(arguments))]


def _wikievents(document, predictions):
    events = []
    for prediction in predictions:
        gold = document.events[prediction["event_index"]]
        arguments = [Argument(item["role"], Span(item["start"], item["end"])) for item in prediction["arguments"]]
        events.append(Event(gold.type, gold.trigger, tuple(arguments), gold.id))
    return events


def role_lists(figures):
    """The role lists that the reference's PAIE run used, as an ontology."""
    lists = figures["arg_lists"].items()
    return Ontology.of(EventType(name, tuple(Role(role) for role in dict.fromkeys(roles))) for name, roles in lists)
