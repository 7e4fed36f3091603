"""What the tests of all commands share."""

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from eventune.cli import main
from eventune.events import Argument, Event, EventType, Ontology, Role, Span
from eventune.inference.extractor import Extractor


@pytest.fixture
def run(capsys):
    """Runs a command and gives its exit code and what it printed; a traceback fails the test by itself."""

    def run(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def refused(run):
    """Runs a command that must be refused, and gives its one error message, hint included."""

    def refused(*words):
        found = run(*words)
        lines = found.err.splitlines()
        errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        assert found.code == 2
        assert json.loads(found.out).keys() == {"error"} if "--json" in words else found.out == ""
        assert len(errors) == 1, found.err
        assert "Traceback" not in found.err
        return "\n".join(lines[errors[0] :])

    return refused


class Detecting:
    """Stands in for a run that finds events: each "shot" is an attack whose attacker is the word before it.

    Attributes:
        asked: The documents that it was given.
    """

    detects = True
    is_generative = False

    def __init__(self, *, finds_arguments=True):
        self.ontology = Ontology.of([EventType("attack", (Role("attacker"),)), EventType("meet", (Role("place"),))])
        self.counts = Counter()
        self.finds_arguments = finds_arguments
        self.asked = []

    def fingerprint(self):
        return "0123456789ab"

    def annotate(self, documents, *, on_batch=None):
        self.asked += documents
        return [self._annotated(document) for document in documents]

    def _annotated(self, document):
        words = document.words
        found = [Event("attack", Span(n, n + 1)) for n, word in enumerate(words) if word == "shot"]
        return document.with_events(
            replace(event, arguments=self._arguments(event)) for event in document.events or found
        )

    def _arguments(self, event):
        start = event.trigger.start if event.trigger and self.finds_arguments else 0
        return (Argument("attacker", Span(start - 1, start), 0.75),) if start else ()


@pytest.fixture
def detecting(monkeypatch):
    """Puts a stand-in for a run that finds events in the place of every run."""

    def detecting(**options):
        annotator = Detecting(**options)
        for verb in ("extract", "evaluate"):
            monkeypatch.setattr(f"eventune.cli.{verb}.load_extractor", lambda arguments: Extractor(annotator))
        return annotator

    return detecting
