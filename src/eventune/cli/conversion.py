"""`--convert`: models that need code of their own are made into transformers' own before a command loads them."""

from __future__ import annotations

import argparse

from eventune.cli.output import notify
from eventune.errors import EventuneError


def add_convert_flag(parser: argparse.ArgumentParser) -> None:
    """Add `--convert` to a verb that loads a model."""
    parser.add_argument(
        "--convert", action="store_true", help="convert a ChatGLM2 folder into the cache first; later loads find it"
    )


def convert_if_needed(name: str, *, revision: str = "", may_download: bool = True) -> None:
    """Convert a model into the cache, where `resolve` finds it.

    Args:
        name: The model, as the command is given it; one that needs no conversion is left alone.
        revision: Revision on the hub.
        may_download: Whether the user gave the name; see `resolve`.
    """
    from eventune.backbones.chatglm.conversion import convert_into_cache
    from eventune.backbones.chatglm.detection import UnconvertedModelError
    from eventune.backbones.resolve import resolve

    try:
        resolve(name, revision=revision, may_download=may_download)
    except UnconvertedModelError as error:
        convert_into_cache(error.folder, notice=notify)
    except EventuneError:
        return  # the command itself tells what is wrong with the name
