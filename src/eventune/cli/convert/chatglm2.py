"""`eventune convert chatglm2`: a folder that needs its own code into one that transformers knows, or back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from eventune.cli.output import emit, notify, plain_table
from eventune.errors import EventuneError
from eventune.storage.paths import is_file

if TYPE_CHECKING:
    from eventune.backbones.chatglm.conversion import Conversion
    from eventune.backbones.chatglm.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two folders, and what may be different in the new one."""
    parser.epilog = (
        "Reads config.json, safetensors or pytorch_model*.bin (nothing in them is executed), and tokenizer.model; the "
        "new folder has weights, configuration, a fast tokenizer and a chat template that give the published model's "
        "ids and logits, and conversion.json with the hashes of all files. ChatGLM3-6B and GLM-4-9B in the same layout "
        "are read too: ChatGLM3 gets no chat template, GLM-4 no tokenizer. An interrupted conversion goes on with the "
        "same command."
    )
    parser.add_argument(
        "source", metavar="SRC", help="folder of ChatGLM2-6B, ChatGLM3-6B or GLM-4-9B (model_type chatglm)"
    )
    parser.add_argument("target", metavar="DST", help="new folder")
    parser.add_argument(
        "--base", metavar="FOLDER", default="", help="SRC is an adapter of this model: see chatglm2-adapter"
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "float16", "bfloat16"),
        default="",
        help="type of the weights (default: their own)",
    )
    parser.add_argument("--back", action="store_true", help="make ChatGLM2's layout of a folder of Glm instead")
    parser.add_argument("--dry-run", action="store_true", help="print what would be written, and write nothing")


def run(arguments: argparse.Namespace) -> int:
    """Convert, or print what would be done."""
    from eventune.backbones.chatglm.conversion import convert, revert
    from eventune.backbones.chatglm.plan import plan

    source, target = Path(arguments.source), Path(arguments.target)
    if arguments.base or is_file(source / "adapter_config.json"):
        return _adapter(arguments)
    if arguments.dry_run:
        planned = plan(source, dtype=arguments.dtype, to_native=not arguments.back)
        result = {**planned.to_dict(), "output_dir": arguments.target}
        emit(result, as_json=arguments.json, render=lambda console: _print_plan(console, planned))
        return 0
    make = revert if arguments.back else convert
    done = make(source, target, dtype=arguments.dtype, notice=notify)
    emit(done.to_dict(), as_json=arguments.json, render=lambda console: _print(console, done))
    return 0


def _adapter(arguments: argparse.Namespace) -> int:
    """Convert an adapter; what is for models alone is refused."""
    from eventune.cli.convert import chatglm2_adapter

    for flag, is_given in (("--dtype", bool(arguments.dtype)), ("--dry-run", arguments.dry_run)):
        if is_given:
            raise EventuneError(f"{flag}: expected a model, found the adapter {arguments.source}", f"leave {flag} out")
    return chatglm2_adapter.run(arguments)


def _print(console: Console, done: Conversion) -> None:
    if not done.is_new:
        console.print(f"{done.target} is the conversion of these files already: nothing was done", soft_wrap=True)
    else:
        size = f"{done.bytes / 1e9:,.2f} GB" if done.bytes >= 1e9 else f"{done.bytes / 1e6:,.2f} MB"
        console.print(f"{done.target}: {done.parameters:,} parameters, {len(done.files)} files, {size}", soft_wrap=True)
    for note in done.notes:
        console.print(note, soft_wrap=True)


def _print_plan(console: Console, planned: Plan) -> None:
    for shard in planned.shards:
        console.print(f"{shard.name}, of {', '.join(path.name for path in shard.files)}", soft_wrap=True)
        table = plain_table("tensor", "shape", "type", "bytes")
        for tensor in shard.tensors:
            shape = " × ".join(map(str, tensor.shape))
            table.add_row(tensor.name, shape, str(tensor.dtype).removeprefix("torch."), f"{tensor.bytes:,}")
        table.add_row("together", "", "", f"{shard.bytes:,}")
        console.print(table)
        console.print()
    console.print("config.json")
    for name, value in planned.settings.items():
        console.print(f"{name}: {value}", soft_wrap=True)
    console.print(f"\n{planned.parameters:,} parameters, {planned.bytes:,} bytes of weights")
