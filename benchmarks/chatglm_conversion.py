"""Seconds and peak memory of converting a large sharded checkpoint in ChatGLM2's layout.

    python benchmarks/chatglm_conversion.py --gigabytes 2 --shards 4

Writes random weights as safetensors and as PyTorch's files. Each conversion runs in a process of its own, as a user
would run it; the peak is what the operating system saw, with Python, torch and transformers in it. It must stay below
1.3 times the largest shard and half a gigabyte.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import GlmConfig

from eventune.backbones.chatglm.settings import published_settings
from eventune.backbones.chatglm.weights import Layout

HIDDEN, INNER, VOCABULARY = 2048, 6848, 16_384


def config_of(gigabytes: float) -> GlmConfig:
    """Return a model of about this size in float16."""
    per_layer = HIDDEN * (HIDDEN * 2 + 512 + INNER * 3)
    layers = max(1, round((gigabytes * 5e8 - 2 * VOCABULARY * HIDDEN) / per_layer))
    return GlmConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=layers,
        num_attention_heads=16,
        num_key_value_heads=2,
        head_dim=128,
        rms_norm_eps=1e-5,
        max_position_embeddings=2048,
        eos_token_id=2,
        pad_token_id=0,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5},
    )


def shards_of(config: GlmConfig, count: int) -> Iterator[dict[str, Tensor]]:
    """Yield the weights in so many parts of about the same size."""
    shapes = Layout.of(config, to_native=True).expected
    limit = sum(torch.Size(shape).numel() for shape in shapes.values()) / count
    generator = torch.Generator().manual_seed(0)
    shard: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        if shard and sum(tensor.numel() for tensor in shard.values()) + torch.Size(shape).numel() > 1.05 * limit:
            yield shard
            shard = {}
        shard[name] = torch.randn(shape, generator=generator).half()
    yield shard


def write_checkpoint(folder: Path, config: GlmConfig, count: int, kind: str) -> int:
    """Write a checkpoint and return the size of its largest file."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(published_settings(config)), encoding="utf-8")
    largest = 0
    for number, shard in enumerate(shards_of(config, count), 1):
        if kind == "bin":
            path = folder / f"pytorch_model-{number:05d}.bin"
            torch.save(shard, path)
        else:
            path = folder / f"model-{number:05d}.safetensors"
            save_file(shard, path)
        largest = max(largest, path.stat().st_size)
    return largest


def measure(source: Path, target: Path, largest: int, *options: str) -> None:
    """Convert, and print time and peak memory."""
    started = time.perf_counter()
    words = [sys.executable, "-m", "eventune", "convert", "chatglm2", str(source), str(target), *options]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    peak, limit = usage.ru_maxrss * 1024, 1.3 * largest + 5e8
    result = {
        "checkpoint": source.name,
        "options": list(options),
        "exit_code": child.returncode,
        "seconds": round(time.perf_counter() - started, 1),
        "largest_shard_mb": round(largest / 1e6),
        "peak_memory_mb": round(peak / 1e6),
        "limit_mb": round(limit / 1e6),
        "is_within": peak < limit,
    }
    print(json.dumps(result), flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--folder", default=None, help="where the checkpoints are written, and removed again")
    arguments = parser.parse_args()
    config = config_of(arguments.gigabytes)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        for kind in ("safetensors", "bin"):
            source = Path(name) / kind
            # Elsewhere: a process begins with the peak of the one that started it.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                largest = pool.apply(write_checkpoint, (source, config, arguments.shards, kind))
            measure(source, Path(name) / f"{kind}-glm", largest)
            measure(source, Path(name) / f"{kind}-float32", largest, "--dtype", "float32")


if __name__ == "__main__":
    main()
