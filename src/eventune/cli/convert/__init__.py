"""`eventune convert`: checkpoints of other tools into what this one and PEFT read."""

from __future__ import annotations

import argparse
import importlib

from eventune.cli.output import add_json_flag

VERBS = {
    "adapter": "adapter and heads out of a checkpoint that holds a whole model's state",
    "chatglm2": "ChatGLM2-6B and its successors into transformers' own Glm, or back",
    "chatglm2-adapter": "LoRA or P-tuning v2 of the published ChatGLM2 for transformers' Glm, or LoRA back",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be converted."""
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT", required=True)
    for name, summary in VERBS.items():
        module = importlib.import_module(f"eventune.cli.convert.{name.replace('-', '_')}")
        child = kinds.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        module.add_arguments(child)
        add_json_flag(child)
        child.set_defaults(convert=module.run)


def run(arguments: argparse.Namespace) -> int:
    """Convert."""
    return int(arguments.convert(arguments))
