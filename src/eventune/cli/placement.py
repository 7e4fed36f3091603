"""`--device` and `--dtype`: where a model lies, and in what type."""

from __future__ import annotations

import argparse

from eventune.backbones.arguments import AUTO, DEVICE_HELP, DTYPES


def add_placement_flags(parser: argparse.ArgumentParser) -> None:
    """Add both to a verb that loads a finished run or a model."""
    add_device_flag(parser)
    parser.add_argument(
        "--dtype",
        "--torch_dtype",
        choices=(AUTO, *DTYPES),
        default=AUTO,
        metavar="TYPE",
        help=f"type of the base's weights: {', '.join((AUTO, *DTYPES))}; auto: the type that the run was trained in, "
        "or float32 (default: auto)",
    )


def add_device_flag(parser: argparse.ArgumentParser) -> None:
    """Add `--device` alone."""
    parser.add_argument("--device", default=AUTO, metavar="DEVICE", help=f"{DEVICE_HELP} (default: auto)")
