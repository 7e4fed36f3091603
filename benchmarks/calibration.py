"""What calibration gives a finished run: F1 and calibration error on a test part, by the size of the dev part.

Usage:
    python benchmarks/calibration.py RUN [--dev dev.jsonl --test test.jsonl] [--sizes 30,90,200] [--draws 20]

RUN is a run with task: extraction, or the arguments/ of one with task: events; without files its own dev and test parts
are taken. Candidates are found once; then parts of the dev documents are drawn, each calibrates, and its calibration is
tried on the whole test part.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eventune.backbones.placement import Placement
from eventune.corpora import read_corpus
from eventune.events import Document
from eventune.extraction.calibration import calibrate
from eventune.extraction.decoding import Choice, EventCandidates, Margins, annotated
from eventune.generation.extracting.calibration import expected_calibration_error
from eventune.recipe import Recipe
from eventune.runs.opening import load_run, open_run
from eventune.runs.splits import read_splits
from eventune.scoring.definitions import score_model


def main() -> None:
    """Find candidates, calibrate on draws of the dev part, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--dev", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--scorer", default="rams")
    parser.add_argument("--sizes", default="30,90,200")
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()

    loaded = load_run(open_run(options.run), placement=Placement.of("cpu", "float32"), batch_size=32)
    task: Any = loaded.task
    parts = parts_of(options.run, {"dev": options.dev, "test": options.test})
    found: dict[str, EventCandidates] = {}
    for name, documents in parts.items():
        with loaded.active() as model:
            _, found[name] = task.candidates(model, documents)

    def tried(choice: Choice) -> tuple[float, float]:
        documents = annotated(parts["test"], found["test"], task.ontology, choice)
        return 100 * score_model(parts["test"], documents, options.scorer).f1, calibration_error(
            parts["test"], documents
        )

    print("| decided by | dev documents | F1 | sd | calibration error |\n|---|---:|---:|---:|---:|")
    f1, error = tried(Margins())
    print(f"| margins 0 and -1 | 0 | {f1:.2f} | – | {error:.3f} |")
    draw = np.random.default_rng(0)
    sizes = [int(size) for size in options.sizes.split(",")]
    for size in [*(size for size in sizes if size < len(parts["dev"])), len(parts["dev"])]:
        draws = options.draws if size < len(parts["dev"]) else 1
        results = []
        for _ in range(draws):
            chosen = set(draw.choice(len(parts["dev"]), size, replace=False).tolist())
            places = {index: place for place, index in enumerate(sorted(chosen))}
            drawn = [parts["dev"][index] for index in places]
            of_drawn = {(places[d], e): roles for (d, e), roles in found["dev"].items() if d in chosen}
            results.append(tried(calibrate(of_drawn, drawn, task.ontology, scorer=options.scorer)))
        scores, errors = zip(*results, strict=True)
        spread = f"{statistics.stdev(scores):.2f}" if draws > 1 else "–"
        print(f"| calibration | {size} | {statistics.mean(scores):.2f} | {spread} | {statistics.mean(errors):.3f} |")


def parts_of(run: Path, files: Mapping[str, Path | None]) -> dict[str, list[Document]]:
    """Read the parts, those without a file as the run had them; its corpora may be gone where all are given."""
    parts = {name: list(read_corpus(path).documents) for name, path in files.items() if path}
    if len(parts) < len(files):
        own = read_splits(Recipe.read(run / "recipe.yaml").data, lambda _: None)
        parts = {name: parts.get(name) or list(getattr(own, name)) for name in files}
    return parts


def calibration_error(gold: Sequence[Document], predicted: Sequence[Document]) -> float:
    """Return the expected calibration error of arguments' scores."""
    scores: list[float] = []
    right: list[bool] = []
    for document, found in zip(gold, predicted, strict=True):
        for event, own in zip(document.events, found.events, strict=True):
            true = {(argument.role, argument.span) for argument in event.arguments}
            scores += [argument.score or 0.0 for argument in own.arguments]
            right += [(argument.role, argument.span) in true for argument in own.arguments]
    return expected_calibration_error(scores, right)


if __name__ == "__main__":
    main()
