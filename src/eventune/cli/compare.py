"""`eventune compare`: the same data by several ways of fine-tuning, in one table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from eventune.cli import Parser
from eventune.cli.output import RECIPE_HELP, add_json_flag, emit, notify, plain_table
from eventune.errors import EventuneError, InvalidValueError

if TYPE_CHECKING:
    from eventune.comparison.plan import Run

DEFAULT_OUTPUT = "runs/comparison"
DEFAULT_TRIALS = 8
SHOWN = ("s/epoch", "saved, MB")
"""What is shown beside the arm and its score; the files have all columns."""


def add_arguments(parser: Parser) -> None:
    """Add the recipe, the arms and how they are made."""
    parser.usage = "eventune compare [-h] RECIPE --arms ARMS [--SETTING VALUE ...]"
    parser.takes_unknown = True
    parser.add_argument("recipe", metavar="RECIPE", help=f"{RECIPE_HELP}; all arms share it")
    parser.add_argument(
        "--arms",
        required=True,
        metavar="ARMS",
        help="e.g. full,lora:r=16,lora:r=8:learning_rate=1e-3,padded-questions; or a YAML file with settings below "
        "each name, or the name of a published one",
    )
    parser.add_argument("--seeds", default="0", metavar="SEEDS", help="seeds with commas (default: 0)")
    parser.add_argument(
        "--folds",
        default="",
        metavar="N",
        help="test each seed on N parts of train_file in turn, in place of one test part; or on some of them: 1,2/5",
    )
    parser.add_argument(
        "--output_dir",
        default=DEFAULT_OUTPUT,
        metavar="FOLDER",
        help=f"where runs and tables go; what is there is not made again (default: {DEFAULT_OUTPUT})",
    )
    parser.add_argument("--tune", default="", metavar="NAMES", help="tune these for each arm, e.g. learning_rate")
    parser.add_argument(
        "--trials", type=int, metavar="N", help=f"with --tune: trials of each arm (default: {DEFAULT_TRIALS})"
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="runs at a time, which share out the cores (default: 1; with --ray one a core, or a GPU)",
    )
    parser.add_argument("--ray", default="", metavar="ADDRESS", help="make the runs on a Ray cluster, or: local")
    parser.add_argument("--shared", default="", metavar="URL", help="share runs through this fsspec URL (with --ray)")
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the runs and print the table; exit code 1 where a run failed."""
    from eventune.comparison.arms import parse_arms, read_arms
    from eventune.comparison.comparing import Options, run_comparison
    from eventune.recipe import read_changed
    from eventune.recipes import ARMS, find, is_published

    _check(arguments)
    folds = _folds(arguments.folds)
    changes = {**arguments.unknown, **({"test_fold": folds[0]} if folds else {})}
    base, notices = read_changed(arguments.recipe, changes)
    for message in notices:
        notify(message)
    given = arguments.arms
    is_file = given.endswith((".yaml", ".yml")) or is_published(given, ARMS)
    arms = read_arms(find(given, ARMS)) if is_file else parse_arms(given, base)
    options = Options(
        seeds=_seeds(arguments.seeds),
        folds=folds,
        workers=arguments.workers,
        ray=arguments.ray,
        shared=arguments.shared,
        tuned_settings=tuple(name.strip() for name in arguments.tune.split(",") if name.strip()),
        trials=arguments.trials or DEFAULT_TRIALS,
    )
    total = len(arms) * len(options.seeds) * max(1, len(folds))
    heard: set[Path] = set()

    def listen(made: Run, outcome: str) -> None:
        error = f": {made.error()}" if outcome == "failed" else ""
        # One that is made elsewhere is heard of again when it is there.
        heard.add(made.folder)
        notify(f"[{len(heard)}/{total}] {made.title}: {outcome}{error}")

    try:
        result = run_comparison(
            base,
            arms,
            Path(arguments.output_dir),
            options,
            title=f"{Path(arguments.recipe).stem}: {len(arms)} arms",
            notice=notify,
            listener=listen,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command goes on where this one stopped") from None
    output = {**result, "output_dir": arguments.output_dir}
    emit(output, as_json=arguments.json, render=lambda console: _render(console, result, arguments.output_dir))
    return int(any("error" in made for arm in result["arms"] for made in arm["runs"]))


def _check(arguments: argparse.Namespace) -> None:
    for name in ("workers", "trials"):
        number = getattr(arguments, name)
        if number is not None and number < 1:
            raise InvalidValueError(name, "an integer >= 1", str(number))
    if arguments.trials is not None and not arguments.tune:
        raise EventuneError("--trials: expected --tune beside it, found none", "e.g. --tune learning_rate")
    if arguments.shared and not arguments.ray:
        raise EventuneError("--shared: expected --ray beside it", "on one machine the output folder is shared already")


def _seeds(text: str) -> tuple[int, ...]:
    try:
        seeds = tuple(int(word) for word in text.split(",") if word.strip())
    except ValueError:
        seeds = ()
    if not seeds or min(seeds) < 0 or len(set(seeds)) != len(seeds):
        raise InvalidValueError("seeds", "different integers with commas", repr(text), "for example --seeds 0,1,2")
    return seeds


def _folds(text: str) -> tuple[str, ...]:
    """Return the folds that are meant by `5` (all five) or `1,2/5`, or none."""
    from eventune.corpora.arguments import Fold

    if not text:
        return ()
    chosen, slash, count = text.rpartition("/")
    try:
        numbers = chosen.split(",") if slash else [str(number + 1) for number in range(Fold.of(f"1/{count}").folds)]
        folds = tuple(str(Fold.of(f"{number.strip()}/{count}")) for number in numbers)
    except ValueError:
        folds = ()
    if not folds or len(set(folds)) != len(folds):
        raise InvalidValueError("folds", "how many, or some of them", repr(text), "for example --folds 5 or 1,2/5")
    return folds


def _render(console: Console, result: dict[str, Any], output_dir: str) -> None:
    from eventune.comparison.table import legend, rows_of

    heads, rows = rows_of(result)
    columns = [0, 1, 2, *(heads.index(name) for name in SHOWN if name in heads)]
    if console.width >= 110:
        columns = list(range(len(heads)))
    table = plain_table(*(heads[column] for column in columns))
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    console.print(table)
    console.print()
    console.print(legend(result))
    for arm in result["arms"]:
        for made in arm["runs"]:
            if "error" in made:
                fold = f", fold {made['fold']}" if "fold" in made else ""
                console.print(f"{arm['name']}, seed {made['seed']}{fold} is not finished: {made['error']}")
    console.print(f"table, pictures and page: {output_dir}/comparison.html", soft_wrap=True)
