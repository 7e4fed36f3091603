"""The whole loop of docs/labelling.md on RAMS: labelled, trained, selected, corrected, trained again, served.

    python benchmarks/labelling_loop.py --by uncertain random                  # 40 documents, then 40 more, twice
    python benchmarks/labelling_loop.py --count 6 --pool 20 --test 10 --epochs 1   # a small one

Gold plays the annotator: each document is fetched from the page's API with what the run found, its events are replaced
by the gold ones, and it is saved by the same API; how many arguments that kept, added and removed is counted. Training
starts from the run `warmup`, by the recipe `rams-lora`. With several ways to select, each goes on from the same first
run in a folder of its own; `random` is the control. F1 is that of what the served run answers on documents that are
neither labelled nor in the pool, by RAMS's own definition, with intervals over those documents (1,000 resamples): they
tell nothing of other draws of documents to label, for which there is `--seed`. It reads RAMS from the corpora's folder
(EVENTUNE_CORPORA, default ../shared/data).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import httpx
from serve_clients import started

from eventune import read_corpus
from eventune.corpora import write_corpus
from eventune.corpora.jsonl import read_document, write_document
from eventune.events import Document
from eventune.scoring import make_scorer
from eventune.scoring.evaluation import Evaluation, evaluate

RAMS = Path(os.environ.get("EVENTUNE_CORPORA", Path(__file__).parents[2] / "shared" / "data")) / "rams"
ONTOLOGY = RAMS / "event_role_multiplicities.txt"
SCORER, MEASURE = "rams", "arguments"
RESAMPLES = 1000
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

    def branch(self, name: str) -> Loop:
        """Return a loop that goes on from what is labelled so far."""
        shutil.copytree(self.labelled, self.folder / name / "labelled")
        return replace(self, folder=self.folder / name)

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

    def score(self, client: httpx.Client) -> Evaluation:
        """Score what the served run finds in the test documents, about their triggers."""
        asked = [next(write_document(without_arguments(document))) for document in self.test]
        found = answer(client.post("/v1/extract", json={"documents": asked}))["documents"]
        return evaluate({SCORER: make_scorer(SCORER)}, zip(self.test, map(read_document, found), strict=True))


def main() -> None:
    """Go round twice and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40, help="documents that are labelled each time (default: 40)")
    parser.add_argument("--pool", type=int, default=400, help="documents that the next ones are selected from")
    parser.add_argument("--test", type=int, default=200, help="documents that runs are scored on")
    parser.add_argument("--epochs", type=int, default=20, help="of each training (default: 20)")
    parser.add_argument("--by", nargs="+", default=["uncertain"], help="how: uncertain, diverse, random; or several")
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
            tell_score("warmup", loop.score(client))
        first_run = loop.train("first")
        with loop.serving(first_run, folder / "pool.jsonl") as client:
            before = loop.score(client)
        tell_score(f"{len(first)} labelled", before)
        after = {
            by: go_on(loop.branch(by), first_run, folder / "pool.jsonl", by, arguments.count) for by in arguments.by
        }
    baseline, *others = after
    for by, evaluation in after.items():
        tell_score(f"{len(first) + arguments.count}, {by}", evaluation)
        tell_difference(f"{by} over {len(first)} labelled", evaluation, before)
    for by in others:
        tell_difference(f"{baseline} over {by}", after[baseline], after[by])


def go_on(loop: Loop, run: Path, pool: Path, by: str, count: int) -> Evaluation:
    """Select further documents by a run, correct what it found in them, train on all and score the second run."""
    to_do = loop.folder / "next.jsonl"
    flags = {"-n": count, "--by": by, "--labelled": loop.labelled / "annotations.jsonl", "-o": to_do}
    command("data", "select", str(run), str(pool), *(str(word) for flag in flags.items() for word in flag))
    with loop.serving(run, to_do) as client:
        tell(f"{count} more, {by}, over what the first run found", loop.correct(client))
    with loop.serving(loop.train("second"), to_do) as client:
        return loop.score(client)


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


def tell_score(what: str, evaluation: Evaluation) -> None:
    """Print an F1 and its interval."""
    low, high = evaluation.intervals(resamples=RESAMPLES)[SCORER][MEASURE]["f1"]
    print(f"{what}: F1 {100 * evaluation.scores()[SCORER].f1:.1f} ({100 * low:.1f} to {100 * high:.1f})", flush=True)


def tell_difference(what: str, evaluation: Evaluation, other: Evaluation) -> None:
    """Print the difference of two F1 on the same documents and its interval."""
    found = evaluation.against(other, resamples=RESAMPLES)[SCORER][MEASURE]
    low, high = found["interval"]
    print(f"{what}: {100 * found['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")


if __name__ == "__main__":
    main()
