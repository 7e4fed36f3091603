"""Known error messages, what causes them and what fixes them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TextIO

from eventune.doctor.chatglm import CHATGLM_REMEDIES
from eventune.doctor.remedy import Remedy

LONGEST_PIECE = 65_536
"""Characters that are read at once: a log may be one endless line. A message on the border of two pieces is missed."""
SHOWN_BEFORE, SHOWN_AFTER = 60, 200
"""Characters of a line that are shown before a message and from its beginning on."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\0": None})


@dataclass(frozen=True, slots=True)
class Match:
    """A known message found in a text.

    Attributes:
        remedy: What is known about it.
        line_number: Number of the first line that holds it, from 1.
        line: The message as it stands there, without colours, shortened around it.
        count: Number of lines that hold it.
    """

    remedy: Remedy
    line_number: int
    line: str
    count: int


def find_remedies(text: str | TextIO) -> list[Match]:
    """Look for known messages.

    Args:
        text: A text, or a stream that is read to its end piece by piece.

    Returns:
        One match for each remedy, in the order of the lines where they are first found.
    """
    stream = io.StringIO(text) if isinstance(text, str) else text
    first: dict[str, tuple[Remedy, int, str]] = {}
    counts: dict[str, int] = {}
    number = 1
    while piece := stream.readline(LONGEST_PIECE):
        # NULs are what is left of UTF-16 (the logs of some shells) when it is read as UTF-8.
        line = _ESCAPE.sub("", piece).translate(_PLAIN).strip()
        # Lower case on both sides is several times faster than ignoring case in the expressions.
        lowered = line.lower()
        for remedy, expression in _EXPRESSIONS if lowered else ():
            found = expression.search(lowered)
            if found:
                first.setdefault(remedy.name, (remedy, number, _excerpt(line, found.start())))
                counts[remedy.name] = counts.get(remedy.name, 0) + 1
        number += piece.endswith("\n")
    return [Match(remedy, number, line, counts[name]) for name, (remedy, number, line) in first.items()]


def _excerpt(line: str, start: int) -> str:
    # Progress bars write over themselves with carriage returns: what stands between two of them was one line.
    before = line[:start].rpartition("\r")[2]
    after = line[start:].partition("\r")[0]
    shown = before[-SHOWN_BEFORE:] + after[:SHOWN_AFTER]
    return ("…" if len(before) > SHOWN_BEFORE else "") + shown + ("…" if len(after) > SHOWN_AFTER else "")


_RENAMED = (
    "Leave it out, or use its new name: evaluation_strategy is eval_strategy, no_cuda is use_cpu, group_by_length is "
    "train_sampling_strategy, warmup_ratio is a fraction in warmup_steps."
)

REMEDIES = (
    Remedy(
        "frozen-heads",
        r"\bf1\b.{0,20}\b(?:stays|stuck|always|remains)\b.{0,10}\b0(?:\.0+)?\b(?!\.?\d)",
        "PEFT froze the new heads: it knows only the names `classifier` and `score`, and warns of nothing.",
        "List every new module in `modules_to_save`. `eventune train` finds, trains and saves heads, and refuses to "
        "start where one is frozen; `eventune inspect MODEL` shows them.",
        ("peft#1070", "peft#577", "peft#465", "peft#417", "sentence-transformers#3980", "unsloth#3317"),
    ),
    Remedy(
        "wrong-task-type",
        r"'(?!(?:distributed)?dataparallel)\w+' object has no attribute '(?:config|prepare_inputs_for_generation)'"
        r"|forward\(\) got an unexpected keyword argument 'inputs_embeds'",
        "PEFT's `task_type` wraps a model that is not one of transformers' own in a class that expects it to be one.",
        "Leave `task_type` out (None) and give the heads as `modules_to_save`; `eventune train` does both.",
        ("peft#1070", "peft#577"),
    ),
    Remedy(
        "lora-on-a-head",
        r"modules_to_save.{0,20} cannot be applied to modules of type",
        "The same module is a LoRA target and a head: `all-linear` takes heads as well.",
        "Restrict `target_modules` to the base; `eventune train` does, and `eventune inspect MODEL` shows targets.",
        ("peft#2027", "peft#2033", "peft#2267"),
    ),
    Remedy(
        "target-modules",
        r"target modules (?!.{0,200}\bquery_key_value\b).{0,500}not found in the base model"
        r"|no modules were targeted for adaptation|please specify `?target_modules`? in `?peft_config"
        r"|is not supported\. currently, only the following modules",
        "The LoRA targets are no linear layers of this model: layers are named otherwise in each architecture.",
        "`eventune inspect MODEL` shows the targets. BERT: query, key, value, dense; Llama and Glm: q_proj, k_proj, "
        "v_proj, o_proj; published ChatGLM: query_key_value.",
        ("torchkeras#58", "torchkeras#69", "LlamaFactory#181", "LlamaFactory#3597", "Firefly#134"),
    ),
    Remedy(
        "data-parallel",
        r"'(?:distributed)?dataparallel' object has no attribute",
        "The model was wrapped for several GPUs before PEFT; the Trainer also does so when it sees more than one.",
        "Call `get_peft_model` first and wrap afterwards; show one GPU (CUDA_VISIBLE_DEVICES=0) or use torchrun.",
        ("peft#114", "peft#1296", "transformers#30445"),
    ),
    Remedy(
        "module-prefix",
        r"base_model\.model\.module\.|key\(s\) in state_dict: [\"']module\.|keyerror: [\"']base_model\.model\.",
        "The file's keys are not the model's: it was saved from a DataParallel wrapper (`module.`), or lacks a head.",
        "`eventune convert adapter CHECKPOINT OUT` takes `module.` out of a whole state; save the unwrapped model.",
        ("peft#114", "peft#1296"),
    ),
    Remedy(
        "empty-adapter",
        r"(?<![:.])\b(?:443|888)\b.{0,40}\badapter_model|adapter_model.{0,40}(?<!\d)(?:443|888)[ -]?(?:bytes?|b\b|字节)"
        r"|found missing adapter keys|param with shape torch\.size\(\[0\]\) from checkpoint",
        "The adapter's file lacks weights: a script replaced the model's `state_dict`, or the file fits another base.",
        "Save by `save_pretrained` alone; `eventune train` checks that every trained parameter is in the file.",
        ("alpaca-lora#293", "transformers#24551"),
    ),
    Remedy(
        "half-and-float",
        r"expected scalar type (?:half|float|bfloat16) but found (?:half|float|bfloat16)"
        r"|mat1 and mat2 .{0,40}same dtype.{0,20}(?:half|float)|expected m1 and m2 to have the same dtype",
        "Weights of two precisions meet: half-precision base, float32 adapter or heads.",
        "Evaluate under autocast as well, or load all in one precision; `eventune.adapters.attach` does the former.",
        ("peft#88", "LlamaFactory#724", "Chinese-LLaMA-Alpaca-2#110", "ChatGLM-Efficient-Tuning#261"),
    ),
    Remedy(
        "unscale-fp16",
        r"attempting to unscale fp16 gradients",
        "Mixed precision with fp16 needs trainable weights in float32; these are fp16.",
        "Load the model in float32, or cast what is trained; peft >= 0.12 does so for adapters. bf16 needs no scaling.",
    ),
    Remedy(
        "loss-zero-or-nan",
        r"(?:\b|_)loss\b['\"]?(?:\s*[:=]|\s+(?:is|became|stays|at))?\s*['\"]?(?:nan|0(?:\.0+)?)\b(?!\.\d)"
        r"|grad_norm['\"]?\s*[:=]\s*['\"]?nan\b|loss\s?[一直老是总为变成]{1,6}\s?(?:nan|0)(?!\.?\d)",
        "Activations overflow in fp16 (those of ChatGLM and GLM often do), or the learning rate is too high.",
        "Use bf16, or float32 where `eventune doctor` shows no bf16; with Qwen, switch flash attention off. If it is "
        "float32 already, lower the learning rate.",
        ("LlamaFactory#4031", "ChatGLM3#767", "chatGLM-6B-QLoRA#42", "ms-swift#1099", "GLM-4#96", "LlamaFactory#8088"),
    ),
    Remedy(
        "half-precision-refused",
        r"fp16 mixed precision requires a|fp16_full_eval.{0,20} can only be used on|your setup doesn't support bf16",
        "fp16 was asked for without a GPU, or bf16 on one that has none.",
        "Leave it out, or take what `eventune doctor` shows as fast on this machine.",
    ),
    Remedy(
        "bitsandbytes-cuda",
        r"cuda setup failed despite|cuda setup: |={5}\s?bug report\s?={5}|could not find the bitsandbytes cuda binary"
        r"|bnb_cuda_version=.{1,20} environment|bitsandbytes was compiled without gpu support",
        "bitsandbytes has no library for torch's CUDA version, or BNB_CUDA_VERSION overrides it. Its banner alone is "
        "harmless.",
        "Unset BNB_CUDA_VERSION, upgrade bitsandbytes, and compare the versions in `eventune doctor`. Who does not "
        "quantise can uninstall it.",
        ("bitsandbytes#572", "bitsandbytes#651", "bitsandbytes#1193", "bitsandbytes#1307"),
    ),
    Remedy(
        "bitsandbytes-missing",
        r"no module named 'bitsandbytes'|no package metadata was found for bitsandbytes"
        r"|quantization requires .{0,30}bitsandbytes",
        "4-bit or 8-bit weights were asked for, and bitsandbytes is missing or too old.",
        "pip install 'eventune[llm]', or leave quantisation out.",
    ),
    *CHATGLM_REMEDIES,
    Remedy(
        "unused-arguments",
        r"are not used by the hfargumentparser",
        "Arguments that are misspelt or that transformers 5 no longer has, such as --overwrite_output_dir.",
        _RENAMED,
    ),
    Remedy(
        "removed-training-arguments",
        r"unexpected keyword argument '(?:evaluation_strategy|overwrite_output_dir|warmup_ratio|logging_dir|no_cuda"
        r"|group_by_length|save_safetensors|per_gpu_\w+_batch_size|use_mps_device|fp16_backend|half_precision_backend)'",
        "transformers 5 has removed this training argument.",
        _RENAMED,
    ),
    Remedy(
        "trainer-tokenizer",
        r"trainer\.__init__\(\) got an unexpected keyword argument 'tokenizer'",
        "In transformers 5 the Trainer's `tokenizer` is called `processing_class`.",
        "Write Trainer(processing_class=tokenizer).",
    ),
    Remedy(
        "load-in-bits",
        r"unexpected keyword argument 'load_in_[48]bit'",
        "transformers 5 takes quantisation as a configuration only.",
        "from_pretrained(…, quantization_config=BitsAndBytesConfig(load_in_4bit=True)).",
    ),
    Remedy(
        "old-accelerate",
        r"cannot import name 'get_module_size_with_ties'|unexpected keyword argument 'keep_torch_compile'",
        "transformers 5 calls what accelerate has from 1.3 on, and does not look at its version.",
        "pip install 'accelerate>=1.8'.",
    ),
    Remedy(
        "old-trainer",
        r"'tasktrainer' object has no attribute '_tr_loss'",
        "Before transformers 5.3 the Trainer does not hold the loss that a checkpoint keeps.",
        "pip install 'transformers>=5.21,<6'.",
    ),
    Remedy(
        "package-conflict",
        r"is required for a normal functioning of this module, but found",
        "transformers was installed with another version of a library than the one that is here now.",
        "Upgrade transformers, or take the version that the message names; `eventune doctor` lists all such pairs.",
    ),
    Remedy(
        "no-checkpoint",
        r"can't find a valid checkpoint at|no valid checkpoint found in output directory"
        r"|missing key\(s\) in state_dict: .{0,2000}\bbase_layer\.",
        "The checkpoint holds an adapter alone, or one under another name, where a whole model is looked for.",
        "Name the adapter `default`. `eventune train RECIPE --resume_from_checkpoint true` goes on from checkpoints of "
        "its own, which hold adapter, heads, optimizer and random state.",
        ("transformers#24252", "transformers#28531", "sentence-transformers#3402", "axolotl#198", "qlora#50"),
    ),
    Remedy(
        "no-gradient",
        r"element 0 of tensors does not require grad",
        "Nothing on the way to the loss is trainable: gradient checkpointing over a frozen embedding cuts the gradient "
        "off, or everything is frozen.",
        "Call model.enable_input_require_grads() before training, or switch gradient checkpointing off. It unfreezes "
        "nothing. `eventune train` fails before the first step where a parameter gets no gradient.",
        ("transformers#26334", "transformers#21598", "transformers#42489"),
    ),
    Remedy(
        "prefix-checkpointing",
        r"does not work with gradient checkpointing",
        "Prefix tuning works through the cache, which gradient checkpointing switches off.",
        "Switch checkpointing off, or use `method: prefix` of eventune, which works with it, or LoRA.",
        ("peft#2191",),
    ),
    Remedy(
        "prompt-cache",
        r"'\w*cache' object has no attribute 'key_cache'",
        "The cache of newer transformers (seen with 4.57) has another form than peft <= 0.17.1 reads.",
        "Upgrade peft to 0.21 or newer.",
        ("peft#2821", "peft#1962", "peft#2096"),
    ),
    Remedy(
        "vllm-heads",
        r"only supports modules_to_save being none",
        "vLLM serves LoRA matrices alone; this adapter also holds whole modules: heads, or resized embeddings.",
        "Merge (`eventune merge RUN OUT`) and serve the result, or train without resizing the vocabulary.",
        ("vllm#9280", "LlamaFactory#9545"),
    ),
    Remedy(
        "no-padding-token",
        r"asking to pad but the tokenizer does not have a padding token",
        "The tokenizer has no padding token.",
        "Set one that stands for nothing else: with pad = eos, collators mask the real end as well.",
        ("transformers#23530", "trl#976"),
    ),
    Remedy(
        "tied-embeddings",
        r"tie_word_embeddings=true` and (?:a|the) .{0,120}part of the adapter",
        "Embedding and output layer are one matrix in the base; adapted apart, they come out wrong when merged.",
        "Use `ensure_weight_tying=True`, or `trainable_token_indices` where only a few tokens are new.",
        ("peft#2777", "peft#2803", "unsloth#9331"),
    ),
    Remedy(
        "merge-quantised",
        r"merge lora module to [48]-bit",
        "Merging into quantised weights rounds the adapter away in part.",
        "Merge in float32, compare, quantise last; `eventune merge RUN OUT` merges into the dequantised base.",
        ("peft#1043", "peft#2105", "peft#2321", "transformers#31293", "peft#1388"),
    ),
    Remedy(
        "gpu-memory",
        r"(?:cuda|mps|hip)(?: backend)? out of memory|cuda error: out of memory|outofmemoryerror",
        "The GPU's memory is too small for batch, length and model together.",
        "Halve per_device_train_batch_size and double gradient_accumulation_steps, shorten the input, or use bf16.",
    ),
    Remedy(
        "memory",
        r"defaultcpuallocator: |cannot allocate memory|^killed$|oom-kill|out of memory: killed process|^memoryerror\b"
        r"|exit code:? (?:137|-9)\b|exitcode *: *-9\b",
        "The machine or its container ran out of memory, and the system may have ended the process.",
        "Halve the batch; use fewer workers; `eventune doctor` shows the memory and the container's limit.",
    ),
    Remedy(
        "numpy-2",
        r"compiled using numpy 1.{1,9} cannot be run in",
        "A library was built for NumPy 1 and meets NumPy 2.",
        "Upgrade that library (torch >= 2.3), or: pip install 'numpy<2'.",
    ),
    Remedy(
        "no-hub",
        r"couldn't connect to '?http.{1,200} to load|localentrynotfounderror|offlinemodeisenabled",
        "The model is not on this machine, and the hub cannot be reached or is switched off by HF_HUB_OFFLINE.",
        "Give a local folder or a packaged model (`eventune doctor` lists them), or set HF_ENDPOINT to a mirror; "
        "`eventune doctor --network` tries the hub.",
    ),
)

_EXPRESSIONS = tuple((remedy, re.compile(remedy.pattern)) for remedy in REMEDIES)
