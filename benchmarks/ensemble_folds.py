"""What runs reach together: ensembles of a comparison's runs, fold by fold, beside the runs themselves.

Usage:
    eventune compare RECIPE --arms ARMS --folds 5 --output_dir runs/folds
    python benchmarks/ensemble_folds.py runs/folds/runs/ARM runs/folds/runs/ARM [--scorer rams] [--folds 3,4,5]

Each ARM's folder holds its runs by seed and fold. Of each fold an ensemble is made beside them, unless it is there
already, calibrated on the fold's dev part. F1 is over the test parts of all folds together, the differences to each arm
are paired over documents.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from eventune.backbones.placement import Placement
from eventune.corpora import read_corpus
from eventune.events import Document
from eventune.recipe import Recipe
from eventune.runs.ensembles import make_ensemble
from eventune.runs.splits import read_splits
from eventune.scoring import make_scorer
from eventune.scoring.evaluation import Evaluation, evaluate

FOLD = re.compile(r"seed-\d+-fold-(\d+)-of-\d+")


def main() -> None:
    """Make the ensembles and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("arms", nargs="+", type=Path)
    parser.add_argument("--scorer", default="rams")
    parser.add_argument("--folds", default="")
    options = parser.parse_args()
    wanted = set(options.folds.split(",")) - {""}
    names = sorted(
        path.name
        for path in options.arms[0].iterdir()
        if (fold := FOLD.fullmatch(path.name)) and (not wanted or fold[1] in wanted)
    )
    together = "+".join(arm.name for arm in options.arms)
    gold: list[Document] = []
    predicted: dict[str, list[Document]] = {together: [], **{arm.name: [] for arm in options.arms}}
    for name in names:
        runs = [arm / name / "run" for arm in options.arms]
        ensemble = options.arms[0].parent.parent / "ensembles" / together / name
        if not ensemble.exists():
            make_ensemble(runs, ensemble, scorer=options.scorer, placement=Placement.of("cpu"))
        gold += read_splits(Recipe.read(runs[0] / "recipe.yaml").data, lambda _: None).test
        for own, run in zip(predicted, [ensemble, *runs], strict=True):
            predicted[own] += read_corpus(run / "test_predictions.jsonl").documents
    show(options.scorer, gold, predicted, first=together)


def show(scorer: str, gold: Sequence[Document], predicted: dict[str, list[Document]], *, first: str) -> None:
    """Print F1 of all, and how far the first is before each other."""

    def evaluation(found: Sequence[Document]) -> Evaluation:
        return evaluate({scorer: make_scorer(scorer)}, zip(gold, found, strict=True))

    evaluations = {name: evaluation(found) for name, found in predicted.items()}
    print(f"| {len(gold)} documents | P | R | F1 | {first} − it | 95 % interval |\n|---|---:|---:|---:|---:|---:|")
    for name, own in evaluations.items():
        score = own.scores()[scorer]
        row = f"| {name} | {score.precision:.3f} | {score.recall:.3f} | {score.f1:.3f} |"
        if name == first:
            print(f"{row} – | – |")
            continue
        found = next(iter(evaluations[first].against(own, resamples=1000)[scorer].values()))
        low, high = found["interval"]
        print(f"{row} {found['difference']:+.3f} | {low:+.3f} … {high:+.3f} |")


if __name__ == "__main__":
    main()
