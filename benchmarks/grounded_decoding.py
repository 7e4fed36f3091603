"""Grounded decoding against free decoding of the same model: seconds, F1, and what is wrong with the answers.

    python benchmarks/grounded_decoding.py RUN --test_file ../shared/data/rams/dev.jsonlines --questions 64

RUN is a run with `task: generation`. All ways answer the same questions in the same batches, greedily, and take turns;
medians of the repeats are printed. Free decoding stops where the model ends its answer, as grounded decoding does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from eventune.backbones.placement import Placement
from eventune.corpora import read_corpus
from eventune.generation.extracting.task import GenerativeExtractionTask, annotated
from eventune.runs.opening import load_run, open_run

WAYS = ("grounded", "schema", "free")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", type=Path)
    parser.add_argument("--test_file", required=True)
    parser.add_argument("--questions", type=int, default=64, help="the last so many documents of the file (64)")
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    loaded = load_run(open_run(options.run), placement=Placement.of("cpu", "float32"), batch_size=options.batch_size)
    task: Any = loaded.task
    prompt_encoder, model = task.loop.prompt_encoder, loaded.model
    part = prompt_encoder.encode(read_corpus(options.test_file).documents[-options.questions :])
    tasks = {way: GenerativeExtractionTask(prompt_encoder, decoding=way, batch_size=options.batch_size) for way in WAYS}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    answers: dict[str, Any] = {}
    for _ in range(options.repeats):
        for way, task in tasks.items():
            start = time.perf_counter()
            answers[way] = task.answer(model, part)
            seconds[way].append(time.perf_counter() - start)
    rows = []
    for way, task in tasks.items():
        counts = dict(answers[way].counts)
        median = statistics.median(seconds[way])
        f1 = task.score(part, annotated(part.documents, answers[way])).f1
        rows.append({"decoding": way, "seconds_per_question": median / counts.pop("answers"), "f1": f1, **counts})
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        figures = [row.pop(name) for name in ("decoding", "seconds_per_question", "f1")]
        wrong = ", ".join(f"{count} {kind}" for kind, count in row.items())
        print("{:9} {:.3f} s a question, F1 {:.3f}; ".format(*figures) + (wrong or "all valid and grounded"))


if __name__ == "__main__":
    main()
