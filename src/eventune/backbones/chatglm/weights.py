"""Names of ChatGLM2's tensors and of Glm's, both ways: some are renamed, one is cut into rows, none is permuted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transformers import GlmConfig

from eventune.backbones.tensor_files import Rows

DROPPED = ("transformer.rotary_pos_emb.inv_freq",)
"""What is computed anew."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """One tensor of ChatGLM2, and the tensors of Glm that hold its rows in turn.

    Attributes:
        published: ChatGLM2's name.
        native: Glm's names.
        rows: Rows of each of these.
        columns: What follows the rows in the shape.
    """

    published: str
    native: tuple[str, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which tensors are expected, and which are made of them.

    Attributes:
        expected: Shape of each tensor of the source.
        made: For each tensor to write, the rows that it is made of, in turn.
        dropped: Tensors of the source that may be there and are not needed.
    """

    expected: dict[str, tuple[int, ...]]
    made: dict[str, tuple[Rows, ...]]
    dropped: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: GlmConfig, *, to_native: bool) -> Layout:
        """Return the layout of a conversion.

        Args:
            config: The model, in Glm's terms.
            to_native: Whether Glm's tensors are made of ChatGLM2's; the other way round otherwise.
        """
        expected: dict[str, tuple[int, ...]] = {}
        made: dict[str, tuple[Rows, ...]] = {}
        for pair in counterparts(config):
            start = 0
            if to_native:
                expected[pair.published] = (sum(pair.rows), *pair.columns)
            else:
                made[pair.published] = tuple(Rows(k, 0, n) for k, n in zip(pair.native, pair.rows, strict=True))
            for name, count in zip(pair.native, pair.rows, strict=True):
                if to_native:
                    made[name] = (Rows(pair.published, start, start + count),)
                else:
                    expected[name] = (count, *pair.columns)
                start += count
        return cls(expected, made, DROPPED if to_native else ())


def counterparts(config: GlmConfig) -> Iterable[Counterpart]:
    """Yield all tensors of a model, in the order in which they are computed with.

    Args:
        config: The model.
    """
    hidden, inner, vocabulary = config.hidden_size, config.intermediate_size, config.vocab_size
    width = int(config.head_dim or hidden // config.num_attention_heads)
    heads, groups = config.num_attention_heads * width, int(config.num_key_value_heads or 1) * width
    yield Counterpart(
        "transformer.embedding.word_embeddings.weight", ("model.embed_tokens.weight",), (vocabulary,), (hidden,)
    )
    for number in range(config.num_hidden_layers):
        own, native = f"transformer.encoder.layers.{number}", f"model.layers.{number}"
        qkv = tuple(f"{native}.self_attn.{name}_proj" for name in "qkv")
        rows = (heads, groups, groups)
        yield Counterpart(f"{own}.input_layernorm.weight", (f"{native}.input_layernorm.weight",), (hidden,), ())
        fused = f"{own}.self_attention.query_key_value"
        yield Counterpart(f"{fused}.weight", tuple(f"{name}.weight" for name in qkv), rows, (hidden,))
        if config.attention_bias:
            yield Counterpart(f"{fused}.bias", tuple(f"{name}.bias" for name in qkv), rows, ())
        dense = f"{native}.self_attn.o_proj.weight"
        yield Counterpart(f"{own}.self_attention.dense.weight", (dense,), (hidden,), (heads,))
        norm = "post_attention_layernorm.weight"
        yield Counterpart(f"{own}.{norm}", (f"{native}.{norm}",), (hidden,), ())
        up, down = f"{native}.mlp.gate_up_proj.weight", f"{native}.mlp.down_proj.weight"
        yield Counterpart(f"{own}.mlp.dense_h_to_4h.weight", (up,), (2 * inner,), (hidden,))
        yield Counterpart(f"{own}.mlp.dense_4h_to_h.weight", (down,), (hidden,), (inner,))
    yield Counterpart("transformer.encoder.final_layernorm.weight", ("model.norm.weight",), (hidden,), ())
    yield Counterpart("transformer.output_layer.weight", ("lm_head.weight",), (vocabulary,), (hidden,))
