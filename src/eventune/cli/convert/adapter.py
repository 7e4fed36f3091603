"""`eventune convert adapter`: the adapter in a file of `torch.save(model.state_dict(), …)`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventune.cli.output import emit
from eventune.errors import EventuneError, InvalidValueError
from eventune.storage.paths import exists


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the checkpoint, the folder, and what no checkpoint tells."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help=".pkl, .pt, .bin or .safetensors with a whole state")
    parser.add_argument("target", metavar="OUT", help="new folder for the PEFT adapter; must not exist yet")
    parser.add_argument(
        "--lora_alpha", type=int, required=True, metavar="N", help="the lora_alpha that it was trained with"
    )
    parser.add_argument(
        "--heads",
        metavar="NAMES",
        default="",
        help="new modules, with commas (default: every module without an adapter)",
    )
    parser.add_argument("--base_model", metavar="NAME", default="", help="what adapter_config.json calls the base")


def run(arguments: argparse.Namespace) -> int:
    """Read the state safely and write the adapter."""
    from eventune.adapters.checkpoints import read_state, save_adapter_of
    from eventune.storage.atomic import atomic_folder

    if arguments.lora_alpha < 1:
        raise InvalidValueError("lora_alpha", "an integer >= 1", str(arguments.lora_alpha))
    source, target = Path(arguments.checkpoint), Path(arguments.target)
    if exists(target):
        raise EventuneError(f"{target}: exists already", "choose another folder, or remove it")
    heads = tuple(name.strip() for name in arguments.heads.split(",") if name.strip())
    state = read_state(source)
    with atomic_folder(target) as staging:
        saved = save_adapter_of(
            state, staging, lora_alpha=arguments.lora_alpha, heads=heads, base_name=arguments.base_model
        )
    before = source.stat().st_size
    result = {
        "checkpoint": arguments.checkpoint,
        "output_dir": arguments.target,
        "tensors": saved.tensors,
        "parameters": saved.parameters,
        "checkpoint_bytes": before,
        "saved_bytes": saved.bytes,
    }
    emit(
        result,
        as_json=arguments.json,
        render=lambda console: console.print(
            f"{target}: {saved.parameters:,} parameters in {saved.bytes / 1e6:,.2f} MB, "
            f"{saved.bytes / before:.1%} of the checkpoint"
        ),
    )
    return 0
