"""Debian's Chromium, and servers of rules in place of runs: what a page does is looked at, not what a model finds."""

import shutil
import threading
import time
from collections import Counter

import pytest

from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.inference.extractor import Extractor
from eventune.serving.annotations import open_annotations
from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings
from eventune.serving.runs import ServedRun
from eventune.serving.server import bind, url_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ONTOLOGY = Ontology.of(
    [
        EventType("attack", (Role("attacker", description="who attacks"), Role("target"), Role("place")), "violence"),
        EventType("arrest", (Role("suspect"), Role("place"))),
    ]
)


class Ruled:
    """Stands in for a run: a trigger's neighbours are its arguments."""

    detects = finds_arguments = True

    def __init__(self, rules, ontology=ONTOLOGY):
        self.rules, self.ontology, self.counts = rules, ontology, Counter()

    def fingerprint(self):
        return "0123456789ab"

    def annotate(self, documents, *, on_batch=None):
        return [document.with_events(document.events or self.events(document.words)) for document in documents]

    def events(self, words):
        for n, word in enumerate(words):
            if word in self.rules:
                type, roles = self.rules[word]
                places = [(role, n + shift) for role, shift in roles.items() if 0 <= n + shift < len(words)]
                found = tuple(Argument(role, Span(at, at + 1), 0.8 - 0.2 * k) for k, (role, at) in enumerate(places))
                yield Event(type, Span(n, n + 1), found, "", (), {"score": 0.9})


FIRST = Ruled({"shot": ("attack", {"attacker": -1, "target": 1}), "held": ("arrest", {"suspect": -1})})
SECOND = Ruled({"shot": ("attack", {"place": -1, "target": 1}), "held": ("attack", {}), "Monday": ("arrest", {})})


@pytest.fixture
def ruled():
    """Makes a run of rules: a word's type, and the roles of the words around it."""
    return Ruled


@pytest.fixture(scope="session")
def chromium():
    """A browser, without a window."""
    library = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[browser]'")
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt install chromium")
    with library.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens a URL in a window of its own; what goes wrong in the page ends the test."""
    contexts, problems = [], []

    def open_page(url, *, ready="#model option", **options):
        contexts.append(chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en", **options}))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}") or dialog.dismiss())
        page.goto(url)
        page.wait_for_selector(ready, state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def served_at(tmp_path):
    """Starts a server of runs and returns its URL; what is saved goes to `saved/`."""
    import uvicorn

    servers = []

    def served_at(annotators=None, *, to_do=(), comparison_pages=None):
        runs = {
            name: ServedRun(name, Extractor(annotator), {}, "textee", annotator.fingerprint())
            for name, annotator in ({"first": FIRST, "second": SECOND} if annotators is None else annotators).items()
        }
        settings = ServeSettings(port=0)
        annotations = open_annotations(tmp_path / "saved", to_do)
        taken = bind(settings)
        app = make_app(runs, settings, annotations=annotations.__enter__(), comparison_pages=comparison_pages)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", http="h11", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        servers.append((server, thread, taken, annotations))
        while thread.is_alive() and not server.started:
            time.sleep(0.01)
        return url_of(taken)

    yield served_at
    for server, thread, taken, annotations in servers:
        server.should_exit = True
        thread.join(20)
        taken.close()
        annotations.__exit__(None, None, None)


@pytest.fixture
def to_do():
    return [Document.from_sentences(f"document {n}", [["Gunmen", "shot", "soldiers", "."]]) for n in range(3)]
