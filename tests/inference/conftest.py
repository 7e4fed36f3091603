"""What the tests of extraction share."""

import json
import shutil
from collections import Counter
from types import SimpleNamespace

import pytest

from eventune.corpora import read_corpus
from eventune.events import EventType, Ontology, Role
from eventune.inference.extractor import Extractor


@pytest.fixture(scope="module")
def generous_run(tiny_run, tmp_path_factory):
    """The tiny run with margins that let almost every candidate pass, so that there are arguments to look at."""
    folder = shutil.copytree(tiny_run, tmp_path_factory.mktemp("generous") / "run")
    settings = json.loads((folder / "extractor.json").read_text(encoding="utf-8"))
    settings["margins"] = {"first": -8.0, "further": -4.0}
    (folder / "extractor.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def extractor(generous_run):
    return Extractor.load(generous_run)


@pytest.fixture
def idle():
    """A stand-in for a run that knows two types, detects nothing, and returns documents as they are."""
    annotator = SimpleNamespace(
        ontology=Ontology.of([EventType("conflict.attack", (Role("attacker"),)), EventType("meet", (Role("place"),))]),
        counts=Counter(),
        detects=False,
        finds_arguments=True,
        is_generative=False,
        fingerprint=lambda: "0123456789ab",
        annotate=lambda documents, on_batch: list(documents),
    )
    return Extractor(annotator)


@pytest.fixture(scope="module")
def corpus(small_corpus):
    return read_corpus(small_corpus / "dev.jsonl")
