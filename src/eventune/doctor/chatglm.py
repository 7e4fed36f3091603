"""Error messages of the published ChatGLM code under newer versions of transformers."""

from __future__ import annotations

from eventune.doctor.remedy import Remedy


def _chatglm(name: str, pattern: str, cause: str, *threads: str, also: str = "") -> Remedy:
    fix = (
        "`eventune convert chatglm2 SRC DST` makes a folder for transformers' own GlmForCausalLM, which needs no "
        "remote code; with the published code, model and tokenizer need transformers==4.33.3"
    )
    return Remedy(f"chatglm-{name}", pattern, cause, f"{fix}{f'; {also}' if also else ''}.", threads)


CHATGLM_REMEDIES = (
    _chatglm(
        "tokenizer",
        r"'chatglmtokenizer' object has no attribute '(?:sp_)?tokenizer'",
        "transformers >= 4.34 asks the tokenizer for its vocabulary before the published class has made it.",
        *("ChatGLM2-6B#574", "Langchain-Chatchat#1835"),
        also="a newer tokenization_chatglm.py helps up to 4.41",
    ),
    _chatglm(
        "eos-token",
        r"can't set attribute '?(?:eos|pad|unk)_token|property '(?:eos|pad|unk)_token' of .{0,40} has no setter",
        "A re-saved tokenizer sets tokens that are read-only in the published class.",
        *("LlamaFactory#3028", "LlamaFactory#1902", "LlamaFactory#1307", "ChatGLM3#869", "ChatGLM-Finetuning#121"),
        also="copy the original tokenizer files over the re-saved ones",
    ),
    _chatglm(
        "cache-shape",
        r"'str' object has no attribute 'shape'",
        "With ChatGLM: in transformers 4.42 and 4.43, generation hands the published code a cache it cannot read.",
    ),
    _chatglm(
        "standardize-cache",
        r"unexpected keyword argument 'standardize_cache_format'",
        "transformers >= 4.44 no longer passes the argument that the published code expects, or the other way round.",
        *("ChatGLM3#1321", "GLM-4#439"),
    ),
    _chatglm(
        "padding-side",
        r"_pad\(\) got an unexpected keyword argument 'padding_side'",
        "transformers >= 4.45 passes `padding_side`, which the published tokenizer does not take.",
        *("ChatGLM3#1324", "Kolors#197", "ChatGLM2-6B#685"),
        also="or add padding_side=None to its `_pad`",
    ),
    _chatglm(
        "vocab-size",
        r"chatglmtokenizer'?(?: object)? has no attribute '?vocab_size",
        "transformers >= 4.47 asks the published tokenizer for its size before it has one.",
    ),
    _chatglm(
        "extract-past",
        r"no attribute '_extract_past_from_model_output'",
        "transformers >= 4.49 has removed a method that the published code calls while it generates.",
    ),
    _chatglm(
        "generate",
        r"'chatglm\w*' object has no attribute 'generate'|doesn't directly inherit from `?generationmixin",
        "From 4.50 on, models of transformers cannot generate unless their class inherits GenerationMixin.",
        *("fms#418", "ms-swift#4324"),
    ),
    _chatglm(
        "hidden-layers",
        r"'chatglmconfig' object has no attribute 'num_hidden_layers'",
        "Newer transformers (seen with 4.57) reads `num_hidden_layers`; the published configuration says num_layers.",
    ),
    _chatglm(
        "max-length",
        r"'chatglmconfig' object has no attribute 'max_length'",
        "In transformers 5, configurations no longer hold the settings of generation.",
        *("GLM-4-Voice#181", "ms-swift#8248"),
    ),
    _chatglm(
        "property",
        r"'property' object cannot be interpreted as an integer",
        "With ChatGLM: transformers 5 takes for numbers what are properties of the published tokenizer's class.",
    ),
    _chatglm(
        "tuple-cache",
        r"'dynamiccache' object is not subscriptable|'nonetype' object has no attribute 'shape'.{0,80}past_key_values",
        "The published code expects the cache to be tuples, which transformers 5 has given up.",
        "transformers#41378",
    ),
    _chatglm(
        "remote-code",
        r"contains custom code which must be executed|do you wish to run the custom code"
        r"|requires you to execute the \w+ file in that repo|no module named '?transformers_modules\.",
        "The folder's configuration names Python files of its own (the original ChatGLM's does), which would be run.",
        also="eventune never runs code from a model's folder",
    ),
    _chatglm(
        "model-type",
        r"model type .?chatglm.? but transformers does not recognize|keyerror: 'chatglm'"
        r"|tokenizer class chatglmtokenizer does not exist|unrecognized configuration class .{0,100}chatglmconfig",
        "transformers has no model of the type chatglm: only the folder's own Python files know it.",
    ),
    _chatglm(
        "targets",
        r"target modules .{0,200}\bquery_key_value\b.{0,200}not found in the base model"
        r"|lora_target_modules: 'query_key_value' matches none",
        "An adapter, or its settings, for the published ChatGLM meets a base whose queries, keys and values are apart.",
        also="`eventune convert chatglm2-adapter SRC DST` converts its adapters; on a converted base `eventune sft` "
        "takes query_key_value for q_proj, k_proj and v_proj",
    ),
    _chatglm(
        "random-weights",
        r"some weights of .{0,40}glmforcausallm .{0,200}not (?:initialized|used)|glmforcausallm load report",
        "The file has ChatGLM2's names of weights under Glm's type: what is not found stays random.",
        also="convert once and for all, not while loading",
    ),
)
