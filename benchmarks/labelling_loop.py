"""The whole loop of docs/labelling.md on RAMS: labelled, trained, selected, corrected, trained again, served.

    python benchmarks/labelling_loop.py                                        # 40 documents, then 40 more
    python benchmarks/labelling_loop.py --count 6 --pool 20 --test 10 --epochs 1   # a small one

Gold plays the annotator: each document is fetched from the page's API with what the run found, its events are replaced
by the gold ones, and it is saved by the same API; how many arguments that kept, added and removed is counted. Training
starts from the run `warmup`, by the recipe `rams-lora`. F1 is that of the served run, asked by `POST /v1/score` on
documents that are neither labelled nor in the pool, by RAMS's own definition. It reads RAMS from the corpora's folder
(EVENTUNE_CORPORA, default ../shared/data).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import httpx
from serve_clients import started

from eventune import read_corpus
from eventune.corpora import write_corpus
from eventune.corpora.jsonl import write_document
from eventune.events import Document

RAMS = Path(os.environ.get("EVENTUNE_CORPORA", Path(__file__).parents[2] / "shared" / "data")) / "rams"
ONTOLOGY = RAMS / "event_role_multiplicities.txt"
SECONDS = "3600"


@dataclass(frozen=True)
class Loop:
    """A folder in which the loop goes on.

    Attributes:
        folder: The folder.
        gold: The annotated documents by identifier.
        test: What runs are scored on.
        epochs: Of each training.
    """

    folder: Path
    gold: dict[str, Document]
    test: Sequence[Document]
    epochs: int

    @property
    def labelled(self) -> Path:
        """Where the page saves."""
        return self.folder / "labelled"

    def train(self, name: str) -> Path:
        """Train on all that is labelled."""
        run = self.folder / name
        settings = {
            "train_file": self.labelled / "annotations.jsonl",
            "ontology_file": ONTOLOGY,
            "dev_fraction": 0.25,
            "num_train_epochs": self.epochs,
            "output_dir": run,
        }
        command("train", "rams-lora", *(str(word) for name, value in settings.items() for word in (f"--{name}", value)))
        return run

    @contextmanager
    def serving(self, run: Path | str, to_do: Path, *flags: str) -> Iterator[httpx.Client]:
        """Serve a run with documents to work through."""
        words = ("--annotate", str(self.labelled), "--documents", str(to_do), "--max_seconds", SECONDS, "--port", "0")
        serve = ["-m", "eventune", "serve", str(run), "--json", *words, *flags]
        with (
            started(serve, os.environ, self.folder / "log") as server,
            httpx.Client(base_url=f"http://{server.host}:{server.port}", timeout=float(SECONDS)) as client,
        ):
            yield client

    def correct(self, client: httpx.Client, *, find: bool = False) -> Counter[str]:
        """Put gold in place of what was found, document by document, and count what that changed."""
        counts: Counter[str] = Counter()
        for listed in answer(client.get("/v1/annotations"))["documents"]:
            if listed["is_saved"]:
                continue
            record = answer(client.get("/v1/annotations/document", params={"id": listed["id"]}))["document"]
            if find:
                record = answer(client.post("/v1/extract", json={"documents": [record]}))["documents"][0]
            gold = next(write_document(self.gold[listed["id"]]))
            was, should = arguments_of(record), arguments_of(gold)
            counts += Counter(kept=len(was & should), removed=len(was - should), added=len(should - was))
            answer(client.put("/v1/annotations", json={"document": {**record, "events": gold["events"]}}))
        return counts

    def score(self, client: httpx.Client) -> float:
        """Return the served run's F1."""
        gold = [next(write_document(document)) for document in self.test]
        return float(answer(client.post("/v1/score", json={"gold": gold, "scorer": "rams"}))["metrics"]["f1"])


def main() -> None:
    """Go round twice and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40, help="documents that are labelled each time (default: 40)")
    parser.add_argument("--pool", type=int, default=400, help="documents that the next ones are selected from")
    parser.add_argument("--test", type=int, default=200, help="documents that runs are scored on")
    parser.add_argument("--epochs", type=int, default=20, help="of each training (default: 20)")
    parser.add_argument("--by", default="uncertain", help="how they are selected: uncertain, diverse or random")
    parser.add_argument("--seed", type=int, default=0, help="of which documents are which")
    arguments = parser.parse_args()
    documents = list(read_corpus(RAMS / "dev.jsonlines").documents)
    random.Random(arguments.seed).shuffle(documents)
    first, rest = documents[: arguments.count], documents[arguments.count :]
    pool, test = rest[: arguments.pool], rest[arguments.pool :][: arguments.test]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loop = Loop(folder, {document.id: document for document in documents}, test, arguments.epochs)
        for file, part in (("first.jsonl", first), ("pool.jsonl", pool)):
            write_corpus(map(without_arguments, part), folder / file, "jsonl")
        with loop.serving("warmup", folder / "first.jsonl", "--ontology_file", str(ONTOLOGY)) as client:
            tell(f"{len(first)} labelled over what warmup found", loop.correct(client, find=True))
        run = loop.train("first")
        flags = {"-n": arguments.count, "--by": arguments.by, "--labelled": loop.labelled / "annotations.jsonl"}
        chosen = ("-o", folder / "next.jsonl", *(word for flag in flags.items() for word in flag))
        command("data", "select", str(run), str(folder / "pool.jsonl"), *map(str, chosen))
        with loop.serving(run, folder / "next.jsonl") as client:
            before = loop.score(client)
            tell(f"{arguments.count} more, {arguments.by}, over what the first run found", loop.correct(client))
        with loop.serving(loop.train("second"), folder / "next.jsonl") as client:
            after = loop.score(client)
    print(f"F1 on {len(test)} documents: {100 * before:.1f} with {len(first)} labelled, ", end="")
    print(f"{100 * after:.1f} with {len(first) + arguments.count}")


def command(*words: str) -> None:
    """Run `eventune` with these words, or end with what it says."""
    done = subprocess.run([sys.executable, "-m", "eventune", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"eventune {' '.join(words)}: exit code {done.returncode}\n{done.stderr[-2000:]}")


def answer(response: httpx.Response) -> dict[str, Any]:
    """Return what a server answered, or end with what it says."""
    if response.is_error:
        raise SystemExit(f"{response.url}: {response.text}")
    found: dict[str, Any] = json.loads(response.content)
    return found


def arguments_of(record: dict[str, Any]) -> set[tuple[int, str, tuple[int, ...]]]:
    """Return a document's arguments: number of the event, role, place."""
    return {
        (number, argument["role"], tuple(argument["span"]))
        for number, event in enumerate(record["events"])
        for argument in event["arguments"]
    }


def without_arguments(document: Document) -> Document:
    """Return a document with its triggers alone."""
    return document.with_events(event.with_arguments(()) for event in document.events)


def tell(what: str, counts: Counter[str]) -> None:
    """Print what an annotator did."""
    told = ", ".join(f"{counts[name]} {name}" for name in ("kept", "added", "removed"))
    print(f"{what}, arguments: {told}", flush=True)


if __name__ == "__main__":
    main()
