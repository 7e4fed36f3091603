"""`eventune train`: from a recipe to a run directory."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from eventune.adapters.libraries import import_model_libraries
from eventune.cli import Parser
from eventune.cli.conversion import add_convert_flag, convert_if_needed
from eventune.cli.output import RECIPE_HELP, add_json_flag, emit, notify, plain_table, print_scores

if TYPE_CHECKING:
    from eventune.recipe import Recipe


def add_arguments(parser: Parser) -> None:
    """Add the recipe and one flag for each of its settings."""
    from eventune.recipe import all_sections

    parser.usage = "eventune train [-h] [--json] [--convert] [--SETTING VALUE ...] [RECIPE]"
    parser.add_argument("recipe", metavar="RECIPE", nargs="?", help=f"{RECIPE_HELP}; flags replace its settings")
    add_convert_flag(parser)
    add_json_flag(parser)
    # The recipe's check names unknown settings beside all others that are wrong.
    parser.takes_unknown = True
    for name, section in all_sections().items():
        group = parser.add_argument_group(name, (section.__doc__ or "").strip())
        for setting in dataclasses.fields(section):
            # Values are converted and checked together with the recipe's, so that all errors show at once.
            group.add_argument(f"--{setting.name}", default=argparse.SUPPRESS, metavar="VALUE", help=_help(setting))


def _help(setting: dataclasses.Field[Any]) -> str:
    is_empty = setting.default in {"", dataclasses.MISSING}
    default = "" if is_empty else f" (default: {setting.default})"
    return f"{setting.metadata['help']}{default}".replace("%", "%%")


def run(arguments: argparse.Namespace) -> int:
    """Train and print the result."""
    from eventune.recipe import Recipe, read_changed

    own = {"verb", "run", "json", "convert", "recipe", "unknown"}
    given = {name: value for name, value in vars(arguments).items() if name not in own} | arguments.unknown
    values, notices = read_changed(arguments.recipe, given) if arguments.recipe else (given, [])
    recipe = Recipe.of(values, source=arguments.recipe or "flags")
    # Of several processes of one run, started by torchrun, the first alone is heard, and claims the folder.
    is_first = os.environ.get("RANK", "0") == "0"
    if is_first:
        for message in notices:
            notify(message)
        _check(recipe, converts=arguments.convert)
    import_model_libraries()
    from eventune.cli.progress import TerminalReporter
    from eventune.runs.training import train

    if arguments.convert:
        convert_if_needed(recipe.model.model_name_or_path, revision=recipe.model.model_revision)
    reporter = TerminalReporter() if is_first else None
    try:
        with closing(reporter) if reporter else nullcontext():
            result = train(recipe, reporter=reporter).to_dict()
    except KeyboardInterrupt:
        raise KeyboardInterrupt("go on with the same command and --resume_from_checkpoint true") from None
    output_dir = recipe.optimisation.output_dir
    if not is_first:
        return 0
    emit(
        {**result, "output_dir": output_dir},
        as_json=arguments.json,
        render=lambda console: print_result(console, result, output_dir),
    )
    return 0


def _check(recipe: Recipe, *, converts: bool) -> None:
    """Refuse what a run cannot begin with and that is known without a model library."""
    from eventune.backbones.resolve import resolve
    from eventune.training.run_directory import RunDirectory

    optimisation = recipe.optimisation
    directory = RunDirectory(Path(optimisation.output_dir))
    with directory.locked():
        directory.check(
            recipe.to_yaml(),
            overwrite=optimisation.overwrite_output_dir,
            resume=bool(optimisation.resume_from_checkpoint),
        )
    if not converts:
        resolve(recipe.model.model_name_or_path, revision=recipe.model.model_revision)


def print_result(console: Console, result: Mapping[str, Any], output_dir: str) -> None:
    """Print scores and resources of a run as tables."""
    from eventune.scoring import SCORERS

    if result["scores"]:
        for name in sorted({score["scorer"] for score in result["scores"].values()}):
            what = f"{SCORERS[name].summary}, " if name in SCORERS else ""
            console.print(f"scorer: {name} ({what}in percent)")
        rows = [row for part, score in result["scores"].items() for row in _rows_of(part, score)]
        print_scores(console, "part", rows)
        console.print()
    print_answers(console, result["data"])
    resources = result["resources"]
    if "train_seconds" not in resources:
        console.print(f"nothing was trained: the model was tried as it is\nrun directory: {output_dir}", soft_wrap=True)
        return
    trainable, total = resources["trainable_parameters"], resources["total_parameters"]
    table = plain_table("resource", "")
    if "pretrain_seconds" in resources:
        table.add_row("pretraining", f"{resources['pretrain_seconds']:.1f} s")
    table.add_row("training, evaluation not counted", f"{resources['train_seconds']:.1f} s")
    table.add_row("per epoch (median)", f"{resources['seconds_per_epoch']:.1f} s")
    if "tokens_per_second" in resources:
        table.add_row("tokens per second (median)", f"{resources['tokens_per_second']:,.0f}")
    table.add_row("peak memory above baseline", f"{resources['peak_memory_above_baseline_bytes'] / 1e6:,.0f} MB")
    table.add_row("memory before training", f"{resources['baseline_memory_bytes'] / 1e6:,.0f} MB")
    table.add_row("trainable parameters", f"{trainable:,}")
    table.add_row("their share of all", f"{trainable / total:.2%}")
    table.add_row("saved adapter and heads", f"{resources['saved_bytes'] / 1e6:,.2f} MB")
    console.print(table)
    console.print(f"run directory: {output_dir}", soft_wrap=True)


def _rows_of(part: str, score: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a part: one for each measure where triggers were predicted, else one."""
    if "triggers" not in score:
        yield part, {**score["counts"], **score["metrics"]}
        return
    for name, measure in score["measures"].items():
        yield f"{part} {name}", {**measure["counts"], **measure["metrics"]}


def print_answers(console: Console, data: Mapping[str, Any]) -> None:
    """Print what was wrong with the answers of a causal LM, by part; nothing for an encoder."""
    for part, counted in data.items():
        counts = dict(counted.get("answers", {}))
        if counts:
            answers = counts.pop("answers")
            errors = {name: counts.pop(name) for name in ("ece_before", "ece") if name in counts}
            wrong = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            line = f"{part}: {answers} answers, {wrong or 'all valid, every value a span of its document'}"
            if errors:
                line += f"; calibration error {errors['ece']:.3f}, before {errors['ece_before']:.3f}"
            console.print(line, soft_wrap=True)
