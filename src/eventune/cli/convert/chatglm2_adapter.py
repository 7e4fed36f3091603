"""`eventune convert chatglm2-adapter`: LoRA of the published ChatGLM2 for GlmForCausalLM, and back; P-tuning v2."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from eventune.cli.output import emit, notify
from eventune.errors import EventuneError
from eventune.storage.paths import exists, expanded, is_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the adapter, the folder, the direction and the base."""
    parser.add_argument("source", metavar="SRC", help="folder of a PEFT LoRA, or a P-tuning v2 checkpoint")
    parser.add_argument("target", metavar="DST", help="new folder for the PEFT adapter; must not exist yet")
    parser.add_argument(
        "--back", action="store_true", help="from GlmForCausalLM (q_proj, k_proj, v_proj) to query_key_value"
    )
    parser.add_argument(
        "--base",
        metavar="FOLDER",
        default="",
        help="the base that the new adapter names; sizes of heads are read off its config.json. Needed for P-tuning",
    )


def run(arguments: argparse.Namespace) -> int:
    """Convert what the source holds."""
    from eventune.adapters.chatglm.prefix import prefix_file
    from eventune.storage.atomic import atomic_folder
    from eventune.storage.locks import creating

    source, target = expanded(arguments.source), expanded(arguments.target)
    if not exists(source):
        raise EventuneError(f"{source}: no such file or folder")
    is_lora = is_file(source / "adapter_config.json")
    checkpoint = None if is_lora else prefix_file(source)
    if not is_lora and checkpoint is None:
        raise EventuneError(
            f"{source}: expected adapter_config.json of a LoRA, or pytorch_model.bin of P-tuning v2; found neither",
            "give the folder that the training wrote, e.g. checkpoint-3000",
        )
    with creating(target, makes_parents=True), atomic_folder(target) as staging:
        if checkpoint is None:
            result, notices = _lora(source, staging, arguments)
        else:
            result, notices = _prefix(checkpoint, staging, arguments)
    for notice in notices:
        notify(notice)
    emit(
        {"source": arguments.source, "output_dir": arguments.target, **result, "notices": notices},
        as_json=arguments.json,
        render=lambda console: console.print(
            f"{target}: {result['method']}, {result['parameters']:,} parameters, {result['saved_bytes'] / 1e6:,.2f} MB"
        ),
    )
    return 0


def _lora(source: Path, folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from eventune.adapters.chatglm.conversion import convert_lora

    converted = convert_lora(source, folder, back=arguments.back, base=arguments.base)
    sizes = {"parameters": converted.saved.parameters, "saved_bytes": converted.saved.bytes}
    ranks = {"rank_before": converted.rank, "rank": converted.new_rank}
    return {"method": "lora", "tensors": converted.saved.tensors, **sizes, **ranks}, list(converted.notices)


def _prefix(checkpoint: Path, folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from eventune.adapters.chatglm.prefix import convert_prefix

    if arguments.back:
        raise EventuneError(
            f"--back: expected a LoRA adapter, found a P-tuning checkpoint in {checkpoint.parent}", "leave --back out"
        )
    if not arguments.base:
        raise EventuneError(
            f"--base: expected the base's folder beside the P-tuning checkpoint {checkpoint}, found none",
            "a prefix does not tell heads from layers; the base's config.json does",
        )
    converted = convert_prefix(checkpoint, folder, base=expanded(arguments.base))
    notices = ["the projection network was computed once"] if converted.had_projection else []
    sizes = {"parameters": converted.saved.parameters, "saved_bytes": converted.saved.bytes}
    return {"method": "prefix", "tensors": converted.saved.tensors, **sizes, "positions": converted.positions}, notices
