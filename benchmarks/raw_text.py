"""What finding triggers costs: texts per second with and without, a long document in encoder passes, many types.

    python benchmarks/raw_text.py RUN --texts rams.jsonlines --long wikievents.jsonl

RUN is a run with `task: events`. Of `--texts` all documents are read twice: with the triggers that RUN finds given
(arguments alone), and without (events end to end), so that the same arguments are looked for. Of `--long` the document
with the most events among those of 600 to 800 words is read likewise. Last, untrained detectors of 5 and of 168 types
on RUN's base read the texts. One thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus
from eventune.events import Document, EventType, Ontology
from eventune.extraction.detection.decoding import TriggerMargins
from eventune.inference.extractor import Extractor
from eventune.tasks.trigger_detection import DetectionSettings, TriggerDetection

TYPES = (5, 168)
LONG_WORDS = range(600, 801)


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the median time of a piece of work."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


class Passes:
    """Counts the rows that encoders read: a window of one event, or of one text, is a pass."""

    def __init__(self, extractor: Extractor) -> None:
        self.rows = 0
        annotator: Any = extractor.annotator
        # Steps on one base share its encoder, which is counted once.
        for encoder in {step.loaded.model.get_submodule("encoder") for step in annotator._steps}:
            encoder.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG002
        self.rows += len(kwargs["inputs_embeds"])


def compare_texts(run: Path, documents: Sequence[Document], repeats: int) -> None:
    """Print the texts per second of arguments alone and of both steps."""
    extractor = Extractor.load(run)
    bare = [document.with_events(()) for document in documents]
    marked = extractor.extract_all(bare)
    events = sum(len(document.events) for document in marked)
    print(f"{len(bare):,} texts of {statistics.mean(len(d.tokens) for d in bare):.0f} words, {events:,} events found")
    given = seconds(lambda: extractor.extract_all([d for d in marked if d.events]), repeats)
    whole = seconds(lambda: extractor.extract_all(bare), repeats)
    print(f"arguments of given triggers: {len(bare) / given:.1f} texts/s")
    print(f"events end to end:           {len(bare) / whole:.1f} texts/s, {whole / given:.2f} times the time")


def read_long(run: Path, documents: Sequence[Document], repeats: int) -> None:
    """Print what the events of a long document cost."""
    long = [document for document in documents if len(document.tokens) in LONG_WORDS]
    if not long:
        raise SystemExit(f"--long: no document of {LONG_WORDS.start} to {LONG_WORDS.stop - 1} words")
    document = max(long, key=lambda document: len(document.events))
    extractor = Extractor.load(run)
    passes = Passes(extractor)
    bare = document.with_events(())
    marked = extractor.extract(bare)
    for name, given in ((f"{len(marked.events)} given triggers", marked), ("raw text", bare)):
        passes.rows = 0
        found = extractor.extract(given)
        rows = passes.rows
        taken = seconds(lambda given=given: extractor.extract(given), repeats)
        print(
            f"{document.id}, {len(document.tokens)} words, {name}: {taken:.2f} s, {rows} encoder passes, "
            f"{len(found.events)} events"
        )


def compare_ontologies(base: str, documents: Sequence[Document], repeats: int) -> None:
    """Print the texts per second of detection with few and with many types."""
    times = {}
    for count in TYPES:
        ontology = Ontology.of(EventType(f"life.event-{number}.happens", ()) for number in range(count))
        settings = DetectionSettings(
            method="full",
            max_length=512,
            max_trigger_length=5,
            type_reading="vectors",
            margins=TriggerMargins(),
        )
        task = TriggerDetection(load_encoder(resolve(base)), ontology, settings, batch_size=32)
        model = task.build_model(task.backbone)[0].eval()
        task.annotate(model, documents[:1])
        times[count] = seconds(lambda task=task, model=model: task.annotate(model, documents), repeats)
        print(f"{count:3} types: {len(documents) / times[count]:.1f} texts/s")
    few, many = (times[count] for count in TYPES)
    print(f"{TYPES[1]} types take {many / few:.2f} times the time of {TYPES[0]}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--texts", required=True, help="corpus of short texts")
    parser.add_argument("--count", type=int, default=0, help="so many texts, repeated where there are fewer; 0: all")
    parser.add_argument("--long", default="", help="corpus of long documents")
    parser.add_argument("--base", default="minilm")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    texts = list(read_corpus(arguments.texts).documents)
    count = arguments.count or len(texts)
    texts = (texts * -(-count // len(texts)))[:count]
    compare_texts(arguments.run, texts, arguments.repeats)
    if arguments.long:
        read_long(arguments.run, read_corpus(arguments.long).documents, arguments.repeats)
    compare_ontologies(arguments.base, texts[:500], arguments.repeats)


if __name__ == "__main__":
    main()
