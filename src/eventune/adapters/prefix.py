"""P-tuning v2 (arXiv:2110.07602): learned keys and values that every layer's attention sees before the text's own.

PEFT hands them to a model as a cache of past keys. A user's own module takes none, and neither do many encoders;
gradient checkpointing forbids them. Here they enter in transformers' attention function, which any model with an
exchangeable one calls, so that the same few lines serve encoders and decoders, with checkpointing or without. The file
is PEFT's; where PEFT can use it (causal language models), it gives the same outputs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, GenerationMixin, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.parts import train_heads_alone
from eventune.adapters.peft_library import PrefixTuningConfig
from eventune.errors import EventuneError, first_line

ATTENTION = "eventune_prefix"
PROBE = "eventune_probe"
PREFIX = "prefix_encoder"
"""Name of the learned prefix inside a model."""
_OWN_SLICE = "prefix_slice"
"""Name under which an attention layer knows the prefix and its own place in it."""
_CACHES = ("past_key_values", "cache")
"""What decoders call the keys and values of what they have read; the second from transformers 5.24 on."""
_OWN_POSITIONS = {"opt"}
"""Architectures that derive positions from the attention mask, whatever they are told."""
_probed: ContextVar[list[tuple[nn.Module, tuple[int, int]]]] = ContextVar("probed")


class PrefixEncoder(nn.Module):
    """Learned keys and values for each layer, optionally computed by a network of two layers, as in the paper.

    Attributes:
        num_layers: Number of attention layers that get a prefix.
        num_heads: Number of their key heads.
        head_dim: Size of one head.
        num_virtual_tokens: Number of learned positions.
    """

    def __init__(
        self, *, num_virtual_tokens: int, num_layers: int, num_heads: int, head_dim: int, projection: bool
    ) -> None:
        super().__init__()
        self.num_virtual_tokens, self.num_layers = num_virtual_tokens, num_layers
        self.num_heads, self.head_dim = num_heads, head_dim
        width = num_heads * head_dim
        self.embedding = nn.Embedding(num_virtual_tokens, width if projection else num_layers * 2 * width)
        self.transform = (
            nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, num_layers * 2 * width))
            if projection
            else None
        )

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a layer's keys and values, each of *shape* (heads, positions, head_dim).

        Each layer computes its own slice, so that nothing has to be kept from one part of a step to another: recomputed
        under gradient checkpointing, it is the same again.
        """
        width = self.num_heads * self.head_dim
        rows = slice(2 * index * width, 2 * (index + 1) * width)
        if self.transform is None:
            flat = self.embedding.weight[:, rows]
        else:
            last: Any = self.transform[2]
            hidden = self.transform[1](self.transform[0](self.embedding.weight))
            flat = nn.functional.linear(hidden, last.weight[rows], last.bias[rows])
        keys, values = flat.view(-1, 2, self.num_heads, self.head_dim).permute(1, 2, 0, 3)
        return keys, values

    def flattened(self) -> Tensor:
        """Return all keys and values as PEFT saves them, *shape* (positions, layers · 2 · heads · head_dim)."""
        layers = [torch.stack(self.layer(index)) for index in range(self.num_layers)]
        stacked = torch.stack(layers)
        return stacked.permute(3, 0, 1, 2, 4).reshape(self.num_virtual_tokens, -1)

    def load_flattened(self, flat: Tensor) -> None:
        """Take over keys and values as PEFT saves them; only without projection."""
        with torch.no_grad():
            self.embedding.weight.copy_(flat)


def attach_prefix(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:
    """Give the base a prefix to be trained.

    Raises:
        EventuneError: If the model has several bases, or the base's attention cannot take a prefix.
    """
    if len(anatomy.backbones) != 1:
        raise EventuneError(f"method: prefix needs one base, found {len(anatomy.backbones)}", "use method: lora")
    train_heads_alone(model, anatomy)
    backbone = model.get_submodule(anatomy.backbones[0])
    add_prefix(model, backbone, num_virtual_tokens=arguments.pre_seq_len, projection=arguments.prefix_projection)
    return model


def add_prefix(model: nn.Module, backbone: nn.Module, *, num_virtual_tokens: int, projection: bool) -> PrefixEncoder:
    """Give a backbone's attention layers a learned prefix, and the model the parameters.

    Args:
        model: The model, which gets the prefix as a module of its own.
        backbone: The pretrained model in it.
        num_virtual_tokens: Number of learned positions.
        projection: Whether they are computed by a network.

    Returns:
        The prefix.

    Raises:
        EventuneError: If the backbone's attention cannot take a prefix, or its layers differ in their heads.
    """
    _require_suited(backbone)
    assert isinstance(backbone, PreTrainedModel)
    layers, shape = _attention_layers(backbone)
    prefix = PrefixEncoder(
        num_virtual_tokens=num_virtual_tokens,
        num_layers=len(layers),
        num_heads=shape[0],
        head_dim=shape[1],
        projection=projection,
    )
    reference = next(backbone.parameters())
    model.add_module(PREFIX, prefix.to(reference.device))
    for index, layer in enumerate(layers):
        # Not a submodule: the parameters would be counted and saved once for each layer.
        layer.__dict__[_OWN_SLICE] = (prefix, index)
    backbone.set_attn_implementation(ATTENTION)
    _shift_positions(backbone, num_virtual_tokens)
    return prefix


def _require_suited(backbone: nn.Module) -> None:
    """Refuse models whose attention cannot take a prefix, or would compute something else with it."""
    name = type(backbone).__name__
    config: Any = getattr(backbone, "config", None)
    reason = ""
    if not isinstance(backbone, PreTrainedModel) or not backbone._supports_attention_backend:
        reason = "its attention cannot be exchanged"
    elif not backbone._supports_sdpa:
        reason = "its attention is not the usual one"
    elif getattr(config, "is_encoder_decoder", False):
        reason = "it has two stacks of layers"
    elif config.model_type in _OWN_POSITIONS:
        reason = "it counts positions by itself"
    elif config._attn_implementation not in {"sdpa", "eager", ATTENTION}:
        reason = f"it was loaded with attn_implementation={config._attn_implementation!r}, expected 'sdpa'"
    if reason:
        raise EventuneError(f"method: prefix does not suit {name}: {reason}", "use method: lora")


def prefix_config(model: nn.Module) -> PrefixTuningConfig:
    """Return PEFT's configuration of a model's prefix as it is saved: keys and values, no network."""
    prefix: Any = model.get_submodule(PREFIX)
    return PrefixTuningConfig(
        task_type="CAUSAL_LM" if isinstance(model, GenerationMixin) else None,
        base_model_name_or_path=str(getattr(model, "name_or_path", "")),
        num_virtual_tokens=prefix.num_virtual_tokens,
        token_dim=prefix.num_heads * prefix.head_dim,
        num_attention_heads=prefix.num_heads,
        num_layers=prefix.num_layers,
        inference_mode=True,
    )


def _attention_layers(backbone: PreTrainedModel) -> tuple[list[nn.Module], tuple[int, int]]:
    """Return the attention layers in the order they are called in, and their key heads and head size."""
    seen: list[tuple[nn.Module, tuple[int, int]]] = []
    token = _probed.set(seen)
    before = backbone.config._attn_implementation
    ids = torch.zeros(1, 2, dtype=torch.long, device=next(backbone.parameters()).device)
    try:
        with _evaluated(backbone), torch.no_grad():
            backbone.set_attn_implementation(PROBE)
            backbone(input_ids=ids, attention_mask=torch.ones_like(ids))
    except (ValueError, TypeError, RuntimeError, AttributeError, KeyError) as error:
        reason = first_line(error)
        raise EventuneError(
            f"method: prefix does not suit {type(backbone).__name__}: {reason}", "use method: lora"
        ) from error
    finally:
        backbone.set_attn_implementation(before)
        _probed.reset(token)
    shapes = {shape for _, shape in seen}
    layers = list(dict.fromkeys(module for module, _ in seen))
    if len(shapes) != 1 or len(layers) != len(seen):
        raise EventuneError(
            f"method: prefix needs one attention layer a block, all alike; {type(backbone).__name__} calls {len(seen)} "
            f"with {len(shapes)} kinds of heads",
            "use method: lora",
        )
    return layers, shapes.pop()


@contextmanager
def _evaluated(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _prefixed_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Compute attention over the learned positions and the text's own."""
    if _OWN_SLICE not in module.__dict__:
        # Another model that shares the configuration object.
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    prefix, index = module.__dict__[_OWN_SLICE]
    # A replica of DataParallel knows the original's prefix, whose gradient is then summed there.
    keys, values = (part.to(key).expand(len(key), -1, -1, -1) for part in prefix.layer(index))
    if attention_mask is not None:
        free = True if attention_mask.dtype == torch.bool else 0.0
        attention_mask = nn.functional.pad(attention_mask, (keys.shape[2], 0), value=free)
    kwargs["is_causal"] = False
    attended: tuple[Tensor, None] = sdpa_attention_forward(
        module,
        query,
        torch.cat([keys, key], dim=2),
        torch.cat([values, value], dim=2),
        attention_mask,
        **kwargs,
    )
    return attended


def _whole_mask(*args: Any, **kwargs: Any) -> Tensor | None:
    """Make the mask also where the kernel could do without: its own would count the learned positions as text."""
    return sdpa_mask(*args, **{**kwargs, "allow_is_causal_skip": False})


def _probing_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Note which module attends with how many key heads of which size."""
    _probed.get().append((module, (key.shape[1], key.shape[3])))
    attended: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    return attended


AttentionInterface.register(ATTENTION, _prefixed_attention)
AttentionMaskInterface.register(ATTENTION, _whole_mask)
AttentionInterface.register(PROBE, _probing_attention)
AttentionMaskInterface.register(PROBE, sdpa_mask)


def _shift_positions(backbone: PreTrainedModel, by: int) -> None:
    """Let a decoder's text begin behind the learned positions, as it does where they are a cache of past keys."""
    inner = backbone.base_model
    parameters = inspect.signature(inner.forward).parameters
    has_cache = any(name in parameters for name in _CACHES)
    if not has_cache or "position_ids" not in parameters or not _is_causal(inner):
        return

    def shift(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        positions = kwargs.get("position_ids")
        if positions is None:
            inputs = next(x for x in (kwargs.get("inputs_embeds"), kwargs.get("input_ids"), *args) if x is not None)
            past = next((kwargs[name] for name in _CACHES if kwargs.get(name) is not None), None)
            start = past.get_seq_length() if past is not None else 0
            positions = torch.arange(start, start + inputs.shape[1], device=inputs.device)[None]
        return args, {**kwargs, "position_ids": positions + by}

    inner.register_forward_pre_hook(shift, with_kwargs=True)


def _is_causal(model: nn.Module) -> bool:
    return any(getattr(module, "is_causal", False) for module in model.modules())
