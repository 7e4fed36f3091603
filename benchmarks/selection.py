"""What choosing documents to label gives: F1 on a test part after each round of labelling, by how they were chosen.

Usage:
    python benchmarks/selection.py CORPUS [--ontology_file FILE] [--recipe rams-lora] [--sizes 100,200,400]
        [--strategies uncertain,diverse,random] [--seeds 1,2,3] [--group_by source_url] [--epochs N]

A fifth of the corpus, in whole groups, is the test part; the rest is the pool, whose annotation is hidden until a
document is chosen. The first documents are chosen by chance, the same for all strategies of a seed; each round then
trains on what is labelled, reads the pool, and labels what the strategy chooses. A ninth of the labelled documents
calibrates. Triggers are given; runs go into a temporary folder and are removed.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from eventune.corpora import read_corpus, write_corpus
from eventune.events import Document
from eventune.inference.extractor import Extractor
from eventune.inference.selection import STRATEGIES, select
from eventune.recipe import Recipe, read_changed
from eventune.runs.training import train

TEST_SHARE = 5
DEV_SHARE = 9


def main() -> None:
    """Play the annotator for each strategy and seed, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--ontology_file", default="")
    parser.add_argument("--recipe", default="rams-lora")
    parser.add_argument("--sizes", default="100,200,400")
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--group_by", default="", help="field whose documents stay on one side of the split")
    parser.add_argument("--epochs", type=int, default=0, help="of each training; 0: the recipe's")
    options = parser.parse_args()

    sizes = [int(size) for size in options.sizes.split(",")]
    own = {"ontology_file": options.ontology_file, "multiplicity": "from_data" if options.ontology_file else "ontology"}
    if options.epochs:
        own["num_train_epochs"] = str(options.epochs)
    scores: dict[tuple[str, int], list[float]] = {}
    for seed in map(int, options.seeds.split(",")):
        pool, test = parts_of(read_corpus(options.corpus).documents, options.group_by, seed)
        for strategy in options.strategies.split(","):
            for size, f1 in simulate(pool, test, strategy, sizes, seed, options.recipe, own):
                scores.setdefault((strategy, size), []).append(f1)
                print(f"seed {seed}, {strategy}, {size} documents: F1 {f1:.2f}", flush=True)
    print(f"\n| chosen | {' | '.join(str(size) for size in sizes)} |\n|---|{'---:|' * len(sizes)}")
    for strategy in options.strategies.split(","):
        means = [f"{statistics.mean(scores[strategy, size]):.2f}" for size in sizes]
        print(f"| {strategy} | {' | '.join(means)} |")


def parts_of(documents: Sequence[Document], group_by: str, seed: int) -> tuple[list[Document], list[Document]]:
    """Return the pool and the test part; documents of one group are in one of them."""
    groups = sorted({group_of(document, group_by) for document in documents})
    random.Random(seed).shuffle(groups)
    held = set(groups[: len(groups) // TEST_SHARE])
    pool = [document for document in documents if group_of(document, group_by) not in held]
    return pool, [document for document in documents if group_of(document, group_by) in held]


def group_of(document: Document, group_by: str) -> str:
    """Return the group of a document: itself, where nothing groups them."""
    return str(document.metadata[group_by]) if group_by else document.id


def simulate(
    pool: Sequence[Document],
    test: Sequence[Document],
    strategy: str,
    sizes: Sequence[int],
    seed: int,
    recipe: str,
    own: dict[str, str],
) -> list[tuple[int, float]]:
    """Label in rounds; return F1 on the test part after each."""
    order = list(range(len(pool)))
    random.Random(seed).shuffle(order)
    labelled, free = order[: sizes[0]], order[sizes[0] :]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for round_, size in enumerate(sizes):
            run = Path(folder) / str(round_)
            results.append((size, trained([pool[index] for index in labelled], test, recipe, run, seed, own)))
            if size == sizes[-1]:
                break
            questions = [pool[index] for index in free]
            if strategy == "uncertain":
                questions = Extractor.load(run / "run").extract_all(questions)
            known = [pool[index] for index in labelled]
            more = sizes[round_ + 1] - size
            chosen = [free[place] for place in select(questions, more, strategy=strategy, labelled=known, seed=seed)]
            labelled += chosen
            taken = set(chosen)
            free = [index for index in free if index not in taken]
    return results


def trained(
    labelled: Sequence[Document], test: Sequence[Document], recipe: str, run: Path, seed: int, own: dict[str, str]
) -> float:
    """Train on what is labelled; return F1 on the test part in percent."""
    run.mkdir()
    held = len(labelled) // DEV_SHARE
    files = {"dev": labelled[:held], "train": labelled[held:], "test": test}
    for name, documents in files.items():
        write_corpus(documents, run / f"{name}.jsonl", "jsonl")
    changes = {
        **{f"{name}_file": str(run / f"{name}.jsonl") for name in files},
        "dev_fraction": "0",
        "group_by": "",
        "seed": str(seed),
        "output_dir": str(run / "run"),
        **{name: value for name, value in own.items() if value},
    }
    settings, _ = read_changed(recipe, changes)
    result = train(Recipe.of(settings))
    return 100 * float(result.scores["test"]["metrics"]["f1"])


if __name__ == "__main__":
    main()
