"""Known messages and their fixes."""

import io
import re
import time

import pytest

from eventune.doctor.remedies import LONGEST_PIECE, REMEDIES, find_remedies

LOST_KEYS = "['base_model.model.encoder.layer.0.attention.self.query.lora_A.default.weight']"
# What libraries print, word for word, or how users report it where nothing is printed.
MESSAGES = [
    ("frozen-heads", "after 20 epochs F1 stays at 0.0 on dev"),
    ("frozen-heads", "eval f1 is always 0"),
    ("wrong-task-type", "AttributeError: 'Tagger' object has no attribute 'config'"),
    ("wrong-task-type", "AttributeError: 'M' object has no attribute 'prepare_inputs_for_generation'"),
    ("wrong-task-type", "TypeError: Tagger.forward() got an unexpected keyword argument 'inputs_embeds'"),
    (
        "lora-on-a-head",
        "TypeError: modules_to_save cannot be applied to modules of type <class 'peft.tuners.lora.layer.Linear'>",
    ),
    (
        "target-modules",
        "ValueError: Target modules {'v_proj', 'q_proj'} not found in the base model. Please check the target modules "
        "and try again.",
    ),
    ("target-modules", "ValueError: Target modules ['q_proj', 'v_proj'] not found in the base model. Please check"),
    ("target-modules", "ValueError: Please specify `target_modules` in `peft_config`"),
    ("target-modules", "ValueError: No modules were targeted for adaptation. This might be caused by"),
    (
        "target-modules",
        ") is not supported. Currently, only the following modules are supported: `torch.nn.Linear`,",
    ),
    ("data-parallel", "AttributeError: 'DataParallel' object has no attribute 'config'"),
    ("data-parallel", "AttributeError: 'DistributedDataParallel' object has no attribute 'config'"),
    ("module-prefix", "KeyError: 'base_model.model.head.weight'"),
    (
        "module-prefix",
        "Unexpected keys: ['base_model.model.module.encoder.layer.0.attention.self.query.lora_A.weight']",
    ),
    ("module-prefix", '\tUnexpected key(s) in state_dict: "module.bert.embeddings.word_embeddings.weight"'),
    ("empty-adapter", "-rw-r--r-- 1 me me 443 Jul  3 10:11 adapter_model.bin"),
    ("empty-adapter", "adapter_model.bin is only 443 bytes"),
    ("empty-adapter", "为什么我训练的lora的adapter_model.bin最后只有443字节"),
    ("empty-adapter", "my adapter_model.safetensors has 888 B"),
    ("empty-adapter", f"UserWarning: Found missing adapter keys while loading the checkpoint: {LOST_KEYS}."),
    (
        "empty-adapter",
        "size mismatch for base_model.model.model.layers.0.attn.q_proj.lora_A.default.weight: copying a param with "
        "shape torch.Size([0]) from checkpoint, the shape in current model is torch.Size([8, 4096]).",
    ),
    ("half-and-float", "RuntimeError: expected scalar type Half but found Float"),
    ("half-and-float", "RuntimeError: expected scalar type Float but found BFloat16"),
    ("half-and-float", "RuntimeError: mat1 and mat2 must have the same dtype, but got Half and Float"),
    ("half-and-float", "RuntimeError: expected m1 and m2 to have the same dtype, but got: float != c10::Half"),
    ("unscale-fp16", "ValueError: Attempting to unscale FP16 gradients."),
    ("loss-zero-or-nan", "{'loss': 0.0, 'grad_norm': nan, 'learning_rate': 6.6e-08, 'epoch': 0.07}"),
    ("loss-zero-or-nan", "{'loss': 0.0000, 'learning_rate': 4.9985e-05, 'epoch': 0.03}"),
    ("loss-zero-or-nan", "{'loss': '0', 'grad_norm': 'nan', 'learning_rate': '2e-05'}"),
    ("loss-zero-or-nan", "Epoch 1:   1%|          | 23/4360 [00:32<1:43:33,  1.43s/it, loss=nan, v_num=0]"),
    ("loss-zero-or-nan", "{'eval_loss': nan, 'epoch': 1.0}"),
    ("loss-zero-or-nan", "使用chatglm3-6b进行lora微调时，loss老是为0"),
    ("loss-zero-or-nan", "the loss is NaN from the second step on"),
    ("half-precision-refused", "ValueError: fp16 mixed precision requires a GPU (not 'cpu')."),
    ("half-precision-refused", "ValueError: Your setup doesn't support bf16/gpu. You need to assign use_cpu"),
    (
        "half-precision-refused",
        "FP16 half precision evaluation (`--fp16_full_eval`) can only be used on CUDA or NPU devices",
    ),
    (
        "bitsandbytes-cuda",
        "RuntimeError: CUDA Setup failed despite GPU being available. Please run",
    ),
    ("bitsandbytes-cuda", "===================================BUG REPORT==================================="),
    ("bitsandbytes-cuda", "CUDA SETUP: Detected CUDA version 121"),
    (
        "bitsandbytes-cuda",
        "WARNING: BNB_CUDA_VERSION=124 environment variable detected; loading x.so",
    ),
    ("bitsandbytes-cuda", "Could not find the bitsandbytes CUDA binary at PosixPath('/x/libbitsandbytes_cuda124.so')"),
    ("bitsandbytes-missing", "ModuleNotFoundError: No module named 'bitsandbytes'"),
    (
        "bitsandbytes-missing",
        "ImportError: Using `bitsandbytes` 4-bit quantization requires bitsandbytes: `pip install",
    ),
    ("chatglm-tokenizer", "AttributeError: 'ChatGLMTokenizer' object has no attribute 'tokenizer'"),
    ("chatglm-tokenizer", "AttributeError: 'ChatGLMTokenizer' object has no attribute 'sp_tokenizer'. Did you mean"),
    ("chatglm-eos-token", "AttributeError: can't set attribute 'eos_token'"),
    ("chatglm-eos-token", "AttributeError: property 'eos_token' of 'ChatGLMTokenizer' object has no setter"),
    ("chatglm-cache-shape", "AttributeError: 'str' object has no attribute 'shape'"),
    (
        "chatglm-standardize-cache",
        "TypeError: GenerationMixin._extract_past_from_model_output() got an unexpected keyword argument "
        "'standardize_cache_format'",
    ),
    ("chatglm-padding-side", "TypeError: ChatGLMTokenizer._pad() got an unexpected keyword argument 'padding_side'"),
    ("chatglm-vocab-size", "AttributeError: ChatGLMTokenizer has no attribute vocab_size"),
    (
        "chatglm-extract-past",
        "AttributeError: 'ChatGLMForConditionalGeneration' object has no attribute '_extract_past_from_model_output'",
    ),
    ("chatglm-generate", "AttributeError: 'ChatGLMForConditionalGeneration' object has no attribute 'generate'"),
    (
        "chatglm-generate",
        "ChatGLMForConditionalGeneration has generative capabilities, as `prepare_inputs_for_generation` is explicitly "
        "overwritten. However, it doesn't directly inherit from `GenerationMixin`.",
    ),
    ("chatglm-hidden-layers", "AttributeError: 'ChatGLMConfig' object has no attribute 'num_hidden_layers'"),
    ("chatglm-max-length", "AttributeError: 'ChatGLMConfig' object has no attribute 'max_length'"),
    ("chatglm-property", "TypeError: 'property' object cannot be interpreted as an integer"),
    ("chatglm-tuple-cache", "TypeError: 'DynamicCache' object is not subscriptable"),
    (
        "chatglm-remote-code",
        "ValueError: The repository ./chatglm2-6b contains custom code which must be executed to",
    ),
    ("chatglm-remote-code", "Do you wish to run the custom code? [y/N]"),
    (
        "chatglm-remote-code",
        "ValueError: Loading ./chatglm2-6b requires you to execute the configuration file in that repo on your local",
    ),
    ("chatglm-remote-code", "ModuleNotFoundError: No module named 'transformers_modules.chatglm2-6b'"),
    (
        "chatglm-model-type",
        "ValueError: The checkpoint you are trying to load has model type `chatglm` but Transformers does not "
        "recognize this architecture.",
    ),
    ("chatglm-model-type", "KeyError: 'chatglm'"),
    ("chatglm-model-type", "ValueError: Tokenizer class ChatGLMTokenizer does not exist or is not currently imported."),
    (
        "chatglm-model-type",
        "ValueError: Unrecognized configuration class <class 'transformers_modules.x.ChatGLMConfig'> for this kind",
    ),
    (
        "chatglm-targets",
        "ValueError: Target modules {'query_key_value'} not found in the base model. Please check the target modules",
    ),
    ("chatglm-targets", "error: lora_target_modules: 'query_key_value' matches none of the base's 14 linear layers"),
    (
        "chatglm-random-weights",
        "Some weights of GlmForCausalLM were not initialized from the model checkpoint at x and are newly initialized",
    ),
    ("chatglm-random-weights", "\x1b[1mGlmForCausalLM LOAD REPORT\x1b[0m from: ./converted"),
    (
        "unused-arguments",
        "ValueError: Some specified arguments are not used by the HfArgumentParser: ['--overwrite_output_dir']",
    ),
    (
        "removed-training-arguments",
        "TypeError: TrainingArguments.__init__() got an unexpected keyword argument 'evaluation_strategy'",
    ),
    ("trainer-tokenizer", "TypeError: Trainer.__init__() got an unexpected keyword argument 'tokenizer'"),
    ("load-in-bits", "TypeError: BertModel.__init__() got an unexpected keyword argument 'load_in_8bit'"),
    ("load-in-bits", "TypeError: GlmForCausalLM.__init__() got an unexpected keyword argument 'load_in_4bit'"),
    ("no-checkpoint", "ValueError: Can't find a valid checkpoint at /my_output_dir/checkpoint-300"),
    ("no-checkpoint", "ValueError: No valid checkpoint found in output directory (out)"),
    (
        "no-checkpoint",
        '        Missing key(s) in state_dict: "0.auto_model.embeddings.word_embeddings.weight", '
        '"0.auto_model.encoder.layer.0.attention.self.query.base_layer.weight"',
    ),
    ("no-gradient", "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn"),
    ("prefix-checkpointing", "ValueError: PREFIX_TUNING does not work with gradient checkpointing."),
    ("prompt-cache", "AttributeError: 'DynamicCache' object has no attribute 'key_cache'"),
    ("vllm-heads", "ValueError: Call to add_lora method failed: vLLM only supports modules_to_save being None."),
    ("no-padding-token", "ValueError: Asking to pad but the tokenizer does not have a padding token. Please select"),
    (
        "tied-embeddings",
        "Model with `tie_word_embeddings=True` and the tied_target_modules=['lm_head'] are part of the adapter.",
    ),
    (
        "tied-embeddings",
        "UserWarning: Model has `tie_word_embeddings=True` and a tied layer is part of the adapter, but",
    ),
    ("merge-quantised", "UserWarning: Merge lora module to 4-bit linear may get different generations due to rounding"),
    ("gpu-memory", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."),
    ("gpu-memory", "RuntimeError: MPS backend out of memory (MPS allocated: 8.00 GB)"),
    (
        "memory",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory",
    ),
    ("memory", "Killed"),
    ("memory", "Out of memory: Killed process 4242 (python) total-vm:1kB"),
    ("memory", "error: command terminated with exit code 137"),
    (
        "numpy-2",
        "A module that was compiled using NumPy 1.x cannot be run in NumPy 2.1.0 as it may crash. To support both",
    ),
    (
        "old-accelerate",
        "ImportError: cannot import name 'get_module_size_with_ties' from 'accelerate.utils.modeling' (modeling.py)",
    ),
    (
        "old-accelerate",
        "TypeError: Accelerator.unwrap_model() got an unexpected keyword argument 'keep_torch_compile'",
    ),
    ("old-trainer", "AttributeError: 'TaskTrainer' object has no attribute '_tr_loss'"),
    (
        "package-conflict",
        "ImportError: tokenizers>=0.22.0,<=0.23.0 is required for a normal functioning of this module, but found "
        "tokenizers==0.23.3.",
    ),
    (
        "no-hub",
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files",
    ),
]

HARMLESS = [
    "{'loss': 0.4321, 'grad_norm': 1.03, 'learning_rate': 0.0003, 'epoch': 1.0}",
    "{'loss': 0.05, 'learning_rate': 0.0, 'epoch': 3.0}",
    "{'train_runtime': 81.1, 'train_loss': 0.0123, 'epoch': 3.0}",
    "Epoch 2: loss 0.693 f1 0.0 -> 0.41",
    "{'eval_f1': 0.0, 'epoch': 1.0}",
    "F1 stays at 0.61",
    "F1 is always above 0.5",
    "Some weights of BertForTokenClassification were not initialized from the model checkpoint at bert-base-uncased "
    "and are newly initialized: ['classifier.bias', 'classifier.weight']",
    "Setting `pad_token_id` to `eos_token_id`:2 for open-end generation.",
    "trainable params: 294,912 || all params: 109,779,458 || trainable%: 0.2686",
    "`use_cache=True` is incompatible with gradient checkpointing. Setting `use_cache=False`.",
    'https://hub:443 "HEAD /m/resolve/main/adapter_model.safetensors HTTP/1.1" 200 0',
    "-rw-r--r-- 1 me me 4438880 Jul  3 10:11 adapter_model.safetensors",
    "RuntimeError: expected scalar type Long but found Float",
    "AttributeError: 'Tagger' object has no attribute 'configuration'",
    "TypeError: f() got an unexpected keyword argument 'tokenizer'",
    "CUDA is available: True, killed: 0, memory: 12 GB",
    "the job was not Killed by anyone",
    "GlmForCausalLM loaded in 3.2 s",
    "",
]


@pytest.mark.parametrize(("name", "message"), MESSAGES)
def test_a_known_message_is_found_and_taken_for_nothing_else(name, message):
    assert [match.remedy.name for match in find_remedies(message)] == [name]


@pytest.mark.parametrize("message", HARMLESS)
def test_what_is_no_known_problem_matches_nothing(message):
    assert find_remedies(message) == []


def test_every_remedy_has_a_message_and_a_name_of_its_own():
    names = [remedy.name for remedy in REMEDIES]
    assert len(set(names)) == len(names)
    assert {name for name, _ in MESSAGES} == set(names)


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: remedy.name)
def test_remedies_are_whole(remedy):
    assert remedy.pattern == remedy.pattern.lower()
    assert not re.search(r"(?<!\\)\.[*+]", remedy.pattern), "gaps are bounded"
    assert remedy.cause.endswith(".")
    assert remedy.fix.endswith(".")
    assert all(re.fullmatch(r"[\w.-]+#\d+", thread) for thread in remedy.threads)


@pytest.mark.parametrize(
    "remedy", [one for one in REMEDIES if one.name.startswith("chatglm-")], ids=lambda one: one.name
)
def test_cures_for_chatglm_name_the_native_way_and_the_version_that_works(remedy):
    assert "GlmForCausalLM" in remedy.fix
    assert "transformers==4.33.3" in remedy.fix
    assert "`eventune convert chatglm2 SRC DST`" in remedy.fix


@pytest.mark.parametrize(
    ("version", "error"),
    [
        ("4.34", "'ChatGLMTokenizer' object has no attribute 'tokenizer'"),
        ("4.42", "'str' object has no attribute 'shape'"),
        ("4.44", "_extract_past_from_model_output() got an unexpected keyword argument 'standardize_cache_format'"),
        ("4.47", "ChatGLMTokenizer has no attribute vocab_size"),
        ("4.49", "'ChatGLMForConditionalGeneration' object has no attribute '_extract_past_from_model_output'"),
        ("4.57", "'ChatGLMConfig' object has no attribute 'num_hidden_layers'"),
        ("5", "'ChatGLMConfig' object has no attribute 'max_length'"),
        ("5", "'property' object cannot be interpreted as an integer"),
    ],
)
def test_each_version_s_failure_of_the_published_code_is_known(version, error):
    (match,) = find_remedies(f"Error: {error}")
    assert match.remedy.name.startswith("chatglm-")
    assert version in match.remedy.cause


def test_case_colours_and_curly_quotes_do_not_matter():
    coloured = (
        "\x1b[1;31mATTRIBUTEERROR\x1b[0m: \x1b]8;;file\x07’DataParallel’\x1b]8;;\x07 object \x1b[1mhas\x1b[0m "
        "no attribute ‘config’"
    )
    (match,) = find_remedies(coloured)
    assert match.remedy.name == "data-parallel"
    assert match.line == "ATTRIBUTEERROR: 'DataParallel' object has no attribute 'config'"


def test_matches_come_in_the_order_of_the_text_with_first_line_and_count():
    text = "start\r\nKilled\n\nValueError: Attempting to unscale FP16 gradients.\nKilled\n"
    found = [(match.remedy.name, match.line_number, match.line, match.count) for match in find_remedies(text)]
    assert found == [
        ("memory", 2, "Killed", 2),
        ("unscale-fp16", 4, "ValueError: Attempting to unscale FP16 gradients.", 1),
    ]


def test_one_line_can_hold_two_messages():
    text = "RuntimeError: CUDA out of memory after ValueError: Attempting to unscale FP16 gradients."
    assert {match.remedy.name for match in find_remedies(text)} == {"gpu-memory", "unscale-fp16"}


def test_a_message_between_progress_bars_is_shown_without_them():
    bars = "\r".join(f"step {step}/1000 " + "#" * 50 for step in range(400))
    (match,) = find_remedies(f"{bars}\rRuntimeError: CUDA out of memory\r{bars}")
    assert match.line == "RuntimeError: CUDA out of memory"
    assert match.line_number == 1


def test_long_lines_are_shortened_around_the_message():
    (match,) = find_remedies("a" * 500 + " CUDA out of memory " + "b" * 500)
    assert match.line.startswith("…a")
    assert "CUDA out of memory" in match.line
    assert match.line.endswith("b…")
    assert len(match.line) < 300


def test_lines_longer_than_a_piece_are_numbered_as_one():
    (match,) = find_remedies("x" * (3 * LONGEST_PIECE) + "\nCUDA out of memory\n")
    assert match.line_number == 2


def test_a_log_in_utf_16_that_was_read_as_utf_8_is_understood():
    text = "RuntimeError: CUDA out of memory\n".encode("utf-16").decode("utf-8", errors="replace")
    assert [match.remedy.name for match in find_remedies(text)] == ["gpu-memory"]


def test_streams_are_read_to_their_end():
    stream = io.StringIO("fine\n" * 1000 + "CUDA out of memory")
    (match,) = find_remedies(stream)
    assert match.line_number == 1001
    assert stream.read() == ""


@pytest.mark.parametrize(
    "beginning",
    ["target modules ", "missing key(s) in state_dict: ", "adapter_model ", "f1 stays ", "loss ", "\x1b[", "'a", "="],
)
def test_time_is_linear_in_lines_that_are_made_of_beginnings(beginning):
    started = time.process_time()
    assert find_remedies(beginning * (200_000 // len(beginning))) == []
    assert time.process_time() - started < 2
