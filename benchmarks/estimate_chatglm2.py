"""What training ChatGLM2-6B takes: memory on a GPU and time, estimated from its shape, without its weights.

    .venv/bin/python benchmarks/estimate_chatglm2.py

The model is built on the meta device with the sizes of the published checkpoint, and LoRA is attached to it as
`eventune sft` attaches it, so that the numbers of weights are counted and not guessed. Memory is the sum of what has to
be there at once; kernels' workspaces and fragmentation come on top. `--step_seconds` is what a step took a practitioner
by the same arguments, LoRA with gradient checkpointing: it tells what that GPU does in a second, and so what other ways
take on it.
"""

from __future__ import annotations

import argparse

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from transformers import GlmConfig, GlmForCausalLM

from eventune.adapters import attach
from eventune.adapters.arguments import AdapterArguments
from eventune.training.flops import forward_flops

SIZES = {
    "vocab_size": 65024,
    "hidden_size": 4096,
    "num_hidden_layers": 28,
    "num_attention_heads": 32,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "intermediate_size": 13696,
    "attention_bias": True,
    "pad_token_id": 0,
}
GIB = 2**30
HALF, FLOAT, ADAM = 2, 4, 16
"""Bytes a weight: in bfloat16, in float32, and trained in float32 (weight, gradient, two moments)."""
FOUR_BITS = 0.5 + 4 / 64
"""Bytes a weight in 4 bits: bitsandbytes keeps a float32 beside each block of 64 weights."""
WAYS = {
    "LoRA": (False, False),
    "LoRA, gradient checkpointing": (False, True),
    "QLoRA in 4 bits, gradient checkpointing": (True, True),
}
"""Whether the base's linear layers are in 4 bits, and whether blocks are computed anew in the backward pass."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=193, help="of a row: 64 + 128 and the end (default: 193)")
    parser.add_argument("--rows", type=int, default=1, help="rows a device batch (default: 1)")
    parser.add_argument("--accumulation", type=int, default=16, help="batches a step (default: 16)")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--lora_r", type=int, default=32)
    parser.add_argument(
        "--step_seconds", type=float, default=2.62, help="of LoRA in 16 bits with gradient checkpointing"
    )
    given = parser.parse_args()
    with torch.device("meta"):
        model = GlmForCausalLM(GlmConfig(**SIZES))
    linear = sum(m.weight.numel() for n, m in model.named_modules() if isinstance(m, nn.Linear) and n != "lm_head")
    total = sum(p.numel() for p in model.parameters())
    head = 2 * model.lm_head.weight.numel()
    # The head's product comes on top of the blocks'.
    row = forward_flops(model, [given.tokens]) + head * given.tokens
    arguments = AdapterArguments(method="lora", lora_r=given.lora_r, lora_target_modules=["q_proj", "k_proj", "v_proj"])
    adapted = attach(model, arguments)
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    rows = given.rows * given.accumulation
    rate = rows * row * 3 / given.step_seconds
    table = Table("way", "base GiB", "trained GiB", "activations GiB", "sum GiB", "TFLOP a step", "s a step", "hours")
    for name, (quantised, checkpointing) in WAYS.items():
        base = linear * FOUR_BITS + (total - linear) * HALF if quantised else total * HALF
        kept = activations(given.rows * given.tokens, checkpointing=checkpointing)
        flops = rows * row * (3 if checkpointing else 2)
        seconds = flops / rate
        sizes = (base, trained * ADAM, kept, base + trained * ADAM + kept)
        cells = [f"{size / GIB:.2f}" for size in sizes]
        table.add_row(name, *cells, f"{flops / 1e12:.0f}", f"{seconds:.2f}", f"{seconds * given.steps / 3600:.1f}")
    console = Console(width=130)
    console.print(table)
    saved = trained * FLOAT / 1e6
    console.print(f"weights: {total:,}; trained: {trained:,} ({trained / total:.3%}), saved as float32: {saved:.1f} MB")
    console.print(f"rate of that GPU: {rate / 1e12:.1f} TFLOP/s in the products")


def activations(tokens: int, *, checkpointing: bool) -> float:
    """Return the bytes that a forward pass keeps for the backward pass, and the head's, of so many tokens.

    A block keeps its input and what its products and norms read: six times the hidden size, four times the inner one
    (both halves of the gate, its activation and their product), and queries, keys and values.
    """
    hidden, inner, layers = SIZES["hidden_size"], SIZES["intermediate_size"], SIZES["num_hidden_layers"]
    narrow = SIZES["head_dim"] * (SIZES["num_attention_heads"] + 2 * SIZES["num_key_value_heads"])
    block = tokens * (6 * hidden + 4 * inner + narrow) * HALF
    logits = tokens * SIZES["vocab_size"] * (HALF + 2 * FLOAT)
    return logits + (layers * tokens * hidden * HALF + block if checkpointing else layers * block)


if __name__ == "__main__":
    main()
