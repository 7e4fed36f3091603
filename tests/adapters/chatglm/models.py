"""Tiny models: GlmForCausalLM, and the same with queries, keys and values in one layer, as the published one."""

import torch
from torch import nn
from transformers import GlmConfig, GlmForCausalLM

SIZES = (64, 32, 32)


def tiny_glm(seed=0, **settings):
    config = GlmConfig(
        vocab_size=96,
        hidden_size=64,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_hidden_layers=2,
        intermediate_size=48,
        head_dim=16,
        attention_bias=True,
        max_position_embeddings=128,
        eos_token_id=2,
        pad_token_id=0,
        **settings,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GlmForCausalLM(config).eval()


class Attention(nn.Module):
    """The published layers of a block's attention, under their names."""

    def __init__(self, native):
        super().__init__()
        self.query_key_value = nn.Linear(64, sum(SIZES))
        self.dense = native.o_proj
        parts = (native.q_proj, native.k_proj, native.v_proj)
        with torch.no_grad():
            self.query_key_value.weight.copy_(torch.cat([part.weight for part in parts]))
            self.query_key_value.bias.copy_(torch.cat([part.bias for part in parts]))


class Part(nn.Module):
    """One of queries, keys and values, out of the fused layer."""

    def __init__(self, attention, index):
        super().__init__()
        self.__dict__["attention"], self.index = attention, index

    def forward(self, x):
        return self.__dict__["attention"].query_key_value(x).split(SIZES, dim=-1)[self.index]


class Out(nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.__dict__["attention"] = attention

    def forward(self, x):
        return self.__dict__["attention"].dense(x)


class Published(nn.Module):
    """A GlmForCausalLM that computes with layers of the published names."""

    def __init__(self, native):
        super().__init__()
        self.config = native.config
        blocks = []
        for layer in native.model.layers:
            attention = Attention(layer.self_attn)
            for index, name in enumerate(("q_proj", "k_proj", "v_proj")):
                setattr(layer.self_attn, name, Part(attention, index))
            layer.self_attn.o_proj = Out(attention)
            blocks.append(nn.ModuleDict({"self_attention": attention}))
        self.transformer = nn.ModuleDict(
            {
                "encoder": nn.ModuleDict({"layers": nn.ModuleList(blocks)}),
                "embedding": nn.ModuleDict({"word_embeddings": native.model.embed_tokens}),
                "output_layer": native.lm_head,
            }
        )
        self.__dict__["native"] = native

    def forward(self, input_ids, **kwargs):
        # PEFT may have put wrappers around these.
        native = self.__dict__["native"]
        native.model.embed_tokens = self.transformer["embedding"]["word_embeddings"]
        native.lm_head = self.transformer["output_layer"]
        return native(input_ids=input_ids, **kwargs)
