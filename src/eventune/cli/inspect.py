"""`eventune inspect`: what a model is made of, what of it to adapt, and what each method costs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.conversion import add_convert_flag, convert_if_needed
from eventune.cli.output import NARROW_COLUMNS, add_json_flag, emit, plain_table

if TYPE_CHECKING:
    from eventune.adapters.inspection import Inspection

TASKS = (
    "base",
    "causal-lm",
    "masked-lm",
    "seq2seq-lm",
    "token-classification",
    "sequence-classification",
    "question-answering",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model and what to print."""
    parser.add_argument(
        "model", metavar="MODEL", help="a folder, a config.json, minilm, a hub id, or module:Class of your own"
    )
    task_help = f"what it is for: {', '.join(TASKS)} (default: what its config names)"
    parser.add_argument("--task", choices=TASKS, default="", metavar="TASK", help=task_help)
    parser.add_argument("--model_revision", default="", metavar="VALUE", help="revision on the hub")
    parser.add_argument("--snippet", action="store_true", help="print PEFT code for the suggested adapter instead")
    parser.add_argument("--lora_r", type=int, default=8, metavar="R", help="rank in the snippet (default: 8)")
    add_convert_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Inspect and print."""
    from eventune.backbones.resolve import is_own_class, resolve_config
    from eventune.errors import InvalidValueError

    if arguments.lora_r < 1:
        raise InvalidValueError("lora_r", "an integer >= 1", str(arguments.lora_r))
    if arguments.convert:
        import_model_libraries()
        convert_if_needed(arguments.model, revision=arguments.model_revision)
    if not is_own_class(arguments.model):
        resolve_config(arguments.model, revision=arguments.model_revision)
    import_model_libraries()
    from eventune.runs.inspection import inspect_model

    inspection = inspect_model(arguments.model, task=arguments.task, revision=arguments.model_revision)
    snippet = inspection.snippet(r=arguments.lora_r)
    if arguments.snippet and not arguments.json:
        sys.stdout.write(snippet)
        return 0
    result = {"model": arguments.model, **inspection.to_dict(), "snippet": snippet}
    emit(result, as_json=arguments.json, render=lambda console: _render(console, inspection))
    return 0


def _render(console: Console, inspection: Inspection) -> None:
    kind = f" ({inspection.model_type})" if inspection.model_type else ""
    console.print(f"{inspection.model_class}{kind}, {inspection.parameters:,} parameters")
    console.print()
    console.print(_modules(console, inspection))
    console.print()
    _facts(console, inspection)
    console.print()
    console.print(_costs(console, inspection))
    console.print("saved and optimizer (AdamW) in MB, float32; gradients take half of the latter")


def _modules(console: Console, inspection: Inspection) -> Table:
    is_wide = console.width >= NARROW_COLUMNS
    table = plain_table("modules", *(["type", "shape"] if is_wide else []), "count", "does")
    heads = set(inspection.heads)
    for pattern in inspection.patterns:
        name = pattern.pattern
        new = any(name == head or name.startswith(f"{head}.") for head in heads)
        shapes = "×".join(str(size) for size in next(iter(pattern.shapes.values())))
        extra = [pattern.type, shapes] if is_wide else []
        table.add_row(name, *extra, str(pattern.count), "new" if new else pattern.kind)
    return table


def _facts(console: Console, inspection: Inspection) -> None:
    def show(name: str, lines: Iterable[str]) -> None:
        found = list(lines)
        if found:
            console.print(name)
            for line in found:
                console.print(Padding(line, (0, 0, 0, 2)))

    show("fused", [f"{pattern}: {what}" for pattern, what in inspection.fused.items()])
    show("experts", inspection.experts)
    targets = inspection.target_modules
    listed = targets if isinstance(targets, str) else ", ".join(targets)
    show("target_modules", [listed, inspection.targets_reason])
    saved = ", ".join(f"{head} ({size:,})" for head, size in inspection.heads.items()) or "none"
    show("modules_to_save", [saved, inspection.save_reason])
    show("notes", inspection.notes)


def _costs(console: Console, inspection: Inspection) -> Table:
    is_wide = console.width >= NARROW_COLUMNS
    table = plain_table("targets", "method", "r", "trainable", *(["share"] if is_wide else []), "saved", "optimizer")
    total = inspection.parameters
    for cost in inspection.costs:
        share = [f"{cost.trainable_parameters / total:.2%}"] if is_wide else []
        table.add_row(
            cost.targets,
            cost.method,
            str(cost.r) if cost.r else "-",
            f"{cost.trainable_parameters:,}",
            *share,
            f"{cost.saved_bytes / 1e6:,.1f}",
            f"{cost.optimizer_bytes / 1e6:,.1f}",
        )
    return table
