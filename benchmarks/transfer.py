"""What one corpus teaches for another: RAMS, WikiEvents and PHEE, each from each, with triggers given.

Usage:
    python benchmarks/transfer.py OUTPUT_DIR [--corpora rams,wikievents,phee] [--epochs N]

Of each corpus a run starts from the run `warmup`, and reads the test parts of all, each with its own types and roles.
Then each corpus is learned from each other's run, and from nothing; last, all are learned at once (`further_corpora`).
Finished runs in OUTPUT_DIR are taken over, so a table that was stopped goes on. Corpora are read from EVENTUNE_CORPORA,
by default ../shared/data.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.corpora import write_corpus, write_ontology
from eventune.corpora.ontology_fit import known_part
from eventune.events import Document
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe, read_changed
from eventune.runs.splits import read_splits
from eventune.runs.training import train
from eventune.scoring.definitions import score_model
from eventune.storage.json_files import read_json
from eventune.training.run_directory import RESULT

SCORER = "rams"
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "rams": ("rams-lora", {"test_fraction": 0.2}),
    "wikievents": ("wikievents-lora", {}),
    "phee": ("phee-lora", {}),
}
WINDOW, LONGEST = 96, 20
"""Where all corpora are learned at once: `trigger_window` and `max_span_length`, as the recipes for WikiEvents and PHEE
have them."""
NOTHING, WARMUP, ALL = "nothing", "warmup", "all"


@dataclass(frozen=True)
class Corpus:
    """A corpus in parts of its own files.

    Attributes:
        name: Its name here.
        folder: Where its files are.
        test: What runs are scored on; what its ontology lacks is left out of all parts.
    """

    name: str
    folder: Path
    test: Sequence[Document]

    @classmethod
    def split(cls, name: str, folder: Path) -> Corpus:
        """Split a corpus as its recipe does, and write its parts."""
        recipe, changes = RECIPES[name]
        settings, _ = read_changed(recipe, changes)
        parts = read_splits(Recipe.of(settings).data, lambda _: None)
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("train", "dev", "test"):
            known, _ = known_part(getattr(parts, part), parts.ontology)
            write_corpus(known, folder / f"{part}.jsonl", "jsonl")
        write_ontology(parts.ontology, folder / "ontology.yaml")
        return cls(name, folder, known)

    @property
    def ontology_file(self) -> str:
        """Its types and roles."""
        return str(self.folder / "ontology.yaml")

    def train(self, run: Path, start: str, changes: dict[str, Any]) -> Path:
        """Learn it from a start, unless that is done already; return the run directory."""
        if (run / RESULT).exists():
            return run
        recipe, own = RECIPES[self.name]
        files = {f"{part}_file": str(self.folder / f"{part}.jsonl") for part in ("train", "dev", "test")}
        whole = {"dev_fraction": 0, "test_fraction": 0, "group_by": "", "ontology_file": self.ontology_file}
        start_from = {"init_from": "" if start == NOTHING else start, "output_dir": str(run), "scorer": SCORER}
        settings, _ = read_changed(recipe, {**own, **whole, **files, **start_from, **changes})
        train(Recipe.of(settings))
        return run

    def zero_shot(self, run: Path | str) -> float:
        """Return the F1 in percent that a run has on the test part, with this corpus's types and roles."""
        found = Extractor.load(run, ontology=self.ontology_file).extract_all(self.test)
        return 100 * score_model(self.test, found, SCORER).f1


def main() -> None:
    """Train what is missing, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output_dir", type=Path)
    parser.add_argument("--corpora", default=",".join(RECIPES), help="the first is what the others are learned beside")
    parser.add_argument("--epochs", type=int, default=0, help="of each training; 0: the recipe's")
    options = parser.parse_args()
    folder, changes = options.output_dir, {"num_train_epochs": options.epochs} if options.epochs else {}
    corpora = [Corpus.split(name, folder / "corpora" / name) for name in options.corpora.split(",")]

    def learned(corpus: Corpus, start: str, source: Path | str) -> Path:
        return corpus.train(folder / f"{corpus.name}-from-{start}", str(source), changes)

    print(f"| F1 in percent on | {' | '.join(corpus.name for corpus in corpora)} |\n|---|{'---:|' * len(corpora)}")
    show(f"`{WARMUP}`, untrained", [corpus.zero_shot(WARMUP) for corpus in corpora])
    starts = {corpus.name: learned(corpus, WARMUP, WARMUP) for corpus in corpora}
    for name, run in starts.items():
        show(f"{name}, untrained", [None if corpus.name == name else corpus.zero_shot(run) for corpus in corpora])
    for start, source in {NOTHING: NOTHING, WARMUP: WARMUP, **starts}.items():
        row = [None if corpus.name == start else f1_of(learned(corpus, start, source)) for corpus in corpora]
        show(f"trained, from {start}", row)
    first, *others = corpora
    further = {str(other.folder / "train.jsonl"): {"ontology_file": other.ontology_file} for other in others}
    beside = {"trigger_window": WINDOW, "max_span_length": LONGEST, "further_corpora": further}
    together = first.train(folder / ALL, WARMUP, beside | changes)
    show("all at once", [corpus.zero_shot(together) for corpus in corpora])


def show(name: str, scores: Sequence[float | None]) -> None:
    """Print a row."""
    print(f"| {name} | {' | '.join('–' if score is None else f'{score:.1f}' for score in scores)} |", flush=True)


def f1_of(run: Path) -> float:
    """Return a finished run's F1 on its test part in percent."""
    return 100 * float(read_json(run / RESULT)["scores"]["test"]["metrics"]["f1"])


if __name__ == "__main__":
    main()
