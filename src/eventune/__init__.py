"""Fine-tune models that find events and their arguments in text, and compare the runs honestly.

The names below are loaded when they are first used, so that `import eventune` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventune.corpora import read_corpus, write_corpus
    from eventune.corpora.raw_text import parse_marked_text
    from eventune.errors import EventuneError
    from eventune.events import Argument, Document, Event, Ontology, Span
    from eventune.inference.extractor import Extractor
    from eventune.recipe import Recipe
    from eventune.runs.training import train
    from eventune.scoring import score
    from eventune.serving.client import Client

__version__ = "0.1.0"

_HOMES = {
    "Argument": "events",
    "Client": "serving.client",
    "Document": "events",
    "Event": "events",
    "EventuneError": "errors",
    "Extractor": "inference.extractor",
    "Ontology": "events",
    "Recipe": "recipe",
    "Span": "events",
    "parse_marked_text": "corpora.raw_text",
    "read_corpus": "corpora",
    "score": "scoring",
    "train": "runs.training",
    "write_corpus": "corpora",
}

__all__ = [
    "Argument",
    "Client",
    "Document",
    "Event",
    "EventuneError",
    "Extractor",
    "Ontology",
    "Recipe",
    "Span",
    "parse_marked_text",
    "read_corpus",
    "score",
    "train",
    "write_corpus",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name == "train":
        importlib.import_module("eventune.adapters.libraries").import_model_libraries("eventune.train")
    if name in _HOMES:
        return getattr(importlib.import_module(f"eventune.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'eventune' has no attribute {name!r}")
