"""`eventune convert`: checkpoints of other tools into what this one and PEFT read."""

from __future__ import annotations

import argparse

from eventune.cli import add_verbs
from eventune.cli.output import add_json_flag

VERBS = {
    "adapter": "adapter and heads out of a checkpoint that holds a whole model's state",
    "chatglm2": "ChatGLM2-6B and its successors into transformers' own Glm, or back",
    "chatglm2-adapter": "LoRA or P-tuning v2 of the published ChatGLM2 for transformers' Glm, or LoRA back",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be converted."""
    for kind in add_verbs(parser, VERBS, __name__, chosen=VERBS):
        add_json_flag(kind)
