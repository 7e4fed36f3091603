"""Tiny random models of many architectures of transformers."""

from transformers import CONFIG_MAPPING, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

SIZES = {
    "hidden_size": 32, "d_model": 32, "n_embd": 32, "dim": 32, "embedding_size": 32, "emb_dim": 32,
    "num_hidden_layers": 2, "num_layers": 2, "n_layers": 2, "n_layer": 2, "encoder_layers": 2, "decoder_layers": 2,
    "num_decoder_layers": 2, "num_attention_heads": 4, "num_heads": 4, "n_head": 4, "n_heads": 4,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "d_kv": 8,
    "intermediate_size": 48, "d_ff": 48, "ffn_dim": 48, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "n_inner": 48,
    "hidden_dim": 48, "ffn_hidden_size": 48, "vocab_size": 99, "max_position_embeddings": 64, "n_positions": 64,
    "max_seq_len": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 0,
    "num_experts": 4, "num_local_experts": 4, "n_routed_experts": 4, "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16, "num_experts_per_tok": 2, "type_vocab_size": 2, "q_lora_rank": 16,
    "kv_lora_rank": 16, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8,
}  # fmt: skip
"""Sizes by the names that configurations have for them; each takes those that it knows."""

MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_expand": 2, "mamba_d_state": 8}
OWN = {
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "gptj": {"rotary_dim": 8},
    "codegen": {"rotary_dim": 8},
    "jamba": {"attn_layer_offset": 1, "attn_layer_period": 2, "mamba_d_state": 8},
    "recurrent_gemma": {"block_types": ["recurrent", "attention"]},
    "falcon": {"head_dim": None},
    "mobilebert": {"intra_bottleneck_size": 32, "true_hidden_size": 32},
    "m2m_100": {"encoder_layerdrop": 0.0, "decoder_layerdrop": 0.0},
    "deepseek_v2": {"n_group": 1, "topk_group": 1, "num_key_value_heads": 4},
    "deepseek_v3": {"n_group": 1, "topk_group": 1, "first_k_dense_replace": 1, "num_key_value_heads": 4},
    "bamba": {**MAMBA, "attn_layer_indices": [1]},
    "falcon_h1": {**MAMBA, "mamba_d_ssm": 64},
    "granitemoehybrid": {**MAMBA, "layer_types": ["mamba", "attention"]},
    "mamba2": {"num_heads": 8, "head_dim": 8, "expand": 2, "n_groups": 1},
    "zamba2": {"layer_types": ["hybrid", "mamba"], "n_mamba_heads": 8, "num_mem_blocks": 1,
               "hybrid_layer_ids": [0]},
    "nemotron_h": {"layers_block_type": None},
    "prophetnet": {"num_hidden_layers": None, "num_encoder_layers": 2, "num_decoder_layers": 2,
                   "num_encoder_attention_heads": 4, "num_decoder_attention_heads": 4},
}  # fmt: skip
"""What an architecture needs beside, to be small and consistent; None: not this one."""

FAMILIES = {
    "encoder": "albert bert big_bird camembert convbert deberta deberta-v2 distilbert electra ernie eurobert flaubert "
    "fnet layoutlm longformer mobilebert modernbert mpnet nystromformer rembert roberta roformer xlm xlm-roberta",
    "decoder": "bloom codegen cohere ctrl falcon gemma gemma2 gemma3_text glm glm4 gpt2 gpt_bigcode gpt_neo gpt_neox "
    "gptj llama mistral mpt olmo2 opt phi phi3 qwen2 qwen3 smollm3 stablelm starcoder2 xglm",
    "encoder-decoder": "bart blenderbot led m2m_100 marian mbart mt5 pegasus prophetnet t5 umt5 switch_transformers",
    "mixture of experts": "deepseek_v2 deepseek_v3 gpt_oss granitemoe jetmoe mixtral olmoe phimoe qwen2_moe qwen3_moe",
    "state space": "bamba falcon_h1 falcon_mamba granitemoehybrid jamba mamba mamba2 recurrent_gemma zamba2",
}
ALL = [name for names in FAMILIES.values() for name in names.split()]
STACKED_EXPERTS = {*FAMILIES["mixture of experts"].split(), "granitemoehybrid", "jamba"}


def tiny_config(architecture, **settings):
    """Make a configuration of a few thousand parameters."""
    make = CONFIG_MAPPING[architecture]
    known = make()
    sizes = {name: size for name, size in SIZES.items() if hasattr(known, name)}
    chosen = {**sizes, **OWN.get(architecture, {}), **settings}
    return make(**{name: value for name, value in chosen.items() if value is not None})


def tiny_model(architecture, **settings):
    """Make a language model where the architecture has one, else the encoder alone."""
    config = tiny_config(architecture, **settings)
    family = next(family for family, names in FAMILIES.items() if architecture in names.split())
    classes = {"encoder": AutoModel, "encoder-decoder": AutoModelForSeq2SeqLM}
    return classes.get(family, AutoModelForCausalLM).from_config(config)
