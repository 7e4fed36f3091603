"""What mutated inputs once ended in a traceback or never ended, each as a case of its own: now it is one error."""

# ruff: noqa: E501

import json
import os
import shutil
from pathlib import Path

import pytest

from .harness import change, run_words

DEEP = 20_000


def field(file, **fields):
    return lambda folder: change(folder / file, **fields)


def content(file, text):
    return lambda folder: (folder / file).write_text(text)


def a_folder(file):
    def make(folder):
        (folder / file).unlink()
        (folder / file).mkdir()

    return make


def a_pipe(file):
    def make(folder):
        (folder / file).unlink()
        os.mkfifo(folder / file)

    return make


def a_token_numbered(number):
    """Give a token of a run's tokenizer a number that the model has no embedding for."""

    def make(folder):
        tokenizer = json.loads((folder / "tokenizer.json").read_text())
        vocabulary = tokenizer["model"]["vocab"]
        vocabulary[max(vocabulary, key=vocabulary.get)] = number
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))

    return make


EXTRACT = ("extract", "RUN", "dev.jsonl", "-o", "found.jsonl")
CHAT = ("chat", "RUN", "--once", "hi", "--max_new_tokens", "2")
INSPECT = ("inspect", "RUN")
MERGE = ("merge", "RUN", "out")
DEEP_JSON = '{"scores": ' + "[" * DEEP + "]" * DEEP + "}"
LONG_NUMBER = '{"scores": {}, "seed": ' + "7" * 5_000 + "}"

RUNS = {
    # results.py: any JSON file of a run
    "result nested deeply": ("run-lora", EXTRACT, content("result.json", DEEP_JSON), "result.json: expected JSON"),
    "result with 5,000 digits": (
        "run-lora",
        EXTRACT,
        content("result.json", LONG_NUMBER),
        "result.json: expected JSON",
    ),
    "settings nested deeply": ("run-lora", EXTRACT, content("extractor.json", DEEP_JSON), "extractor.json: expected"),
    "a folder for base.json": ("run-lora", EXTRACT, a_folder("base.json"), "lacks its base.json"),
    "a folder for adapter_config.json": ("run-lora", EXTRACT, a_folder("adapter_config.json"), "adapter_config.json"),
    "a pipe for the ontology": ("run-lora", EXTRACT, a_pipe("ontology.yaml"), "lacks its ontology.yaml"),
    "a pipe for the template": ("run-generation", EXTRACT, a_pipe("prompt.jinja"), "lacks its prompt.jinja"),
    # backbones/resolve.py, runs/opening.py: base.json
    "a base that is a number": ("run-lora", EXTRACT, field("base.json", name_or_path=7), "name_or_path: expected"),
    "a base that is a list": ("run-lora", EXTRACT, field("base.json", name_or_path=["x"]), "name_or_path: expected"),
    "a base without a name": ("run-lora", EXTRACT, field("base.json", name_or_path=""), "name_or_path: expected"),
    "a hash that is a number": ("run-lora", EXTRACT, field("base.json", sha256=7), "sha256: expected"),
    "a hash that is none": ("run-lora", EXTRACT, field("base.json", sha256="x"), "sha256: expected"),
    "an id with odd characters": ("run-lora", EXTRACT, field("base.json", name_or_path="a b/?*"), "was not found"),
    "an id with NUL": ("run-lora", EXTRACT, field("base.json", name_or_path="a\x00b"), "was not found"),
    "an id of 4,000 letters": ("run-lora", EXTRACT, field("base.json", name_or_path="a/" * 2_000), "was not found"),
    "the home of nobody": ("run-lora", EXTRACT, field("base.json", name_or_path="~no-such-user"), "was not found"),
    "a revision that is a list": ("run-lora", EXTRACT, field("base.json", revision=[]), "revision: expected"),
    # adapters/store.py, adapters/merged.py: PEFT's fields
    "ranks that are texts": ("run-lora", EXTRACT, field("adapter_config.json", r="2"), "r: expected a valid integer"),
    "patterns that are lists": ("run-lora", MERGE, field("adapter_config.json", rank_pattern=[1]), "rank_pattern"),
    "targets that are numbers": ("run-lora", EXTRACT, field("adapter_config.json", target_modules=7), "target_modules"),
    "heads that are numbers": ("run-ia3", MERGE, field("adapter_config.json", modules_to_save=[7]), "modules_to_save"),
    "an unknown method": ("run-lora", EXTRACT, field("adapter_config.json", peft_type="x"), "expected LORA or IA3"),
    "another adapter": (
        "run-lora",
        MERGE,
        field("adapter_config.json", peft_type="PREFIX_TUNING"),
        "adapter_config.json",
    ),
    "a prefix of another length": (
        "run-prefix",
        EXTRACT,
        field("adapter_config.json", num_virtual_tokens=9),
        "found 9",
    ),
    "a prefix of a text": (
        "run-prefix",
        EXTRACT,
        field("adapter_config.json", num_virtual_tokens="x"),
        "virtual_tokens",
    ),
    "another method": ("run-lora", EXTRACT, field("extractor.json", method="full"), "lacks its model.safetensors"),
    "no method": ("run-lora", EXTRACT, field("extractor.json", method="x"), "method: expected lora or full"),
    "bits that are a text": (
        "run-lora",
        EXTRACT,
        content("quantisation.json", '{"quantization_bit": "x"}'),
        "bit: expected",
    ),
    "bits that are none": ("run-lora", EXTRACT, content("quantisation.json", "{}"), "bit: expected"),
    # extraction/model.py, generation: a tokenizer of another model
    "a token beyond a merged model's": ("run-lora", MERGE, a_token_numbered(10**6), "found the token 1000000"),
    "a token beyond the encoder's": ("run-lora", EXTRACT, a_token_numbered(10**6), "found the token 1000000"),
    "a token beyond the LLM's": ("run-generation", EXTRACT, a_token_numbered(10**6), "found the token 1000000"),
    # sizes that no memory has
    "spans of 10**12 words": ("run-lora", EXTRACT, field("extractor.json", max_span_length=10**12), "max_span_length"),
    "a rank of 10**9": ("run-lora", EXTRACT, field("adapter_config.json", r=10**9), "r: expected"),
    # chat
    "a base of a chat": ("run-responses", CHAT, field("base.json", name_or_path={}), "name_or_path: expected"),
    "a prefix that is no text": (
        "run-responses",
        CHAT,
        field("generator.json", source_prefix=7),
        "source_prefix: expected",
    ),
    "endless chat template": (
        *("run-responses", CHAT),
        content(
            "chat_template.jinja", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
        ),
        "which no prompt has",
    ),
    "huge chat template": (
        "run-responses",
        CHAT,
        content("chat_template.jinja", "{{ 'x' * 10**10 }}"),
        "no prompt has",
    ),
    "endless prompt": (
        *("run-generation", EXTRACT),
        content("prompt.jinja", "{% for i in range(99999) %}{{ text() }}{{ 'x' * 99999 }}{% endfor %}"),
        "which no prompt has",
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_run_as_it_may_come(place, case):
    run, words, damage, message = RUNS[case]
    damage(place(run, "run"))

    found = run_words(["run" if word == "RUN" else word for word in words])

    assert found.kind == "refused", f"{found.place}\n{found.detail}"
    assert message in found.detail


MODELS = {
    "dtype that is a number": {"dtype": "0"},
    "architectures that are numbers": {"architectures": [1, 2]},
    "architectures that are a number": {"architectures": 7},
    "sizes that are texts": {"hidden_size": "large"},
    "no heads": {"num_attention_heads": 0},
    "a model type that is a list": {"model_type": ["bert"]},
    "a model type that is nothing": {"model_type": ""},
    "layers without end": {"num_hidden_layers": 10**7},
    "a vocabulary without end": {"vocab_size": 10**9},
    "a kernel from elsewhere": {"attn_implementation": "someone/kernel"},
    "a kernel from elsewhere, inside": {"_attn_implementation": "someone/kernel"},
    "weights from elsewhere": {"transformers_weights": "../elsewhere.safetensors"},
    "another configuration": {"configuration_files": ["config.0.0.1.json"]},
    "quantisation by others": {"quantization_config": {"quant_method": "fp8"}},
    "quantised weights that are plain ones": {
        "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}
    },
    "code of its own": {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}},
    "labels that are a list": {"id2label": [1]},
}
HARMLESS = {"architectures that are numbers", "a vocabulary without end", "quantised weights that are plain ones"}
"""Of these `inspect` makes something, since it needs no weights."""


@pytest.mark.parametrize("case", MODELS)
@pytest.mark.parametrize("model", ["encoder", "llm"])
def test_a_base_as_it_may_come(place, model, case):
    change(place(model) / "config.json", **MODELS[case])
    run, command = ("run-lora", EXTRACT) if model == "encoder" else ("run-responses", CHAT)
    place(run, "run")

    for words in (("inspect", model), ["run" if word == "RUN" else word for word in command]):
        found = run_words(words)
        assert found.kind in {"ok", "refused"}, f"{found.place}\n{found.detail}"
        if case not in HARMLESS | {"labels that are a list", "architectures that are a number"}:
            assert found.kind == "refused"


def test_a_token_numbered_beyond_the_base_s(place, templates):
    a_token_numbered(2**31)(place("encoder"))
    shutil.copyfile(templates / "recipe.yaml", "recipe.yaml")

    found = run_words(("train", "recipe.yaml"))
    assert found.kind == "refused", f"{found.place}\n{found.detail}"
    assert "found the token 2147483648" in found.detail


@pytest.mark.parametrize("end", [{"": None}, "x", [[1]], -1, True])
def test_ends_of_a_text_that_are_no_tokens_are_not_obeyed(place, end):
    (place("llm") / "generation_config.json").write_text(json.dumps({"eos_token_id": end}))

    found = run_words(("chat", "llm", "--once", "hi", "--max_new_tokens", "2"))
    assert found.kind in {"ok", "refused"}, f"{found.place}\n{found.detail}"


def test_an_adapter_with_a_name_that_no_file_has(place):
    found = run_words(("doctor", "--vllm", "x" * 5_000))
    assert found.kind == "refused", f"{found.place}\n{found.detail}"


@pytest.mark.parametrize("text", ["{", "[" * DEEP, '{"model_type": ' + "7" * 5_000 + "}", '{"a": "\\ud800"}', "7", ""])
def test_a_configuration_that_is_no_json(place, text):
    (place("encoder") / "config.json").write_text(text)

    found = run_words(("inspect", "encoder"))
    assert found.kind == "refused", f"{found.place}\n{found.detail}"
    assert "config.json: expected" in found.detail


RECIPES = {
    "nested deeply": ("lora_r: " + "[" * 1_000, "nested too deeply"),
    "aliases that multiply": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
        "g: &g [*e,*e,*e,*e,*e,*e,*e,*e,*e]\nh: [*g,*g,*g,*g,*g,*g]\n",
        "values at the most",
    ),
    "a date that does not exist": ("seed: 2024-02-30", "seed: expected an integer, found '2024-02-30'"),
    "a time that does not exist": ("seed: 2024-01-01 25:61:61", "seed: expected an integer"),
    "a tagged date that does not exist": ("seed: !!timestamp 2024-02-30", "expected YAML"),
    "an integer of 5,000 digits": (f"seed: {'7' * 5_000}", "expected YAML"),
    "a list that holds itself": ("seed: &a [*a]", "refers to itself"),
    "keys that are lists": ("? [a]\n: 1", "expected YAML"),
    "epochs without end": ("num_train_epochs: 1000000000000000000", "num_train_epochs: expected an integer <= 100,000"),
    "a batch without end": ("per_device_train_batch_size: 1.0e+18", "per_device_train_batch_size: expected"),
    "steps without end": ("gradient_accumulation_steps: 1000000000", "gradient_accumulation_steps: expected"),
    "spans without end": ("max_span_length: 1000000000", "max_span_length: expected an integer <= 1,000"),
    "ranks without end": ("lora_r: 1000000000", "lora_r: expected an integer <= 4,096"),
    "ranks of a pattern without end": (
        "rank_pattern: {query: 1000000000}",
        "rank_pattern: expected integers from 1 to",
    ),
    "prefixes without end": ("pre_seq_len: 1000000000", "pre_seq_len: expected an integer <= 8,192"),
    "iterations without end": ("init_lora_weights: pissa_niter_999999999", "init_lora_weights: expected"),
    "a number beyond all": (f"learning_rate: 1{'0' * 400}", "learning_rate: expected a number"),
    "a file that is a number": ("train_file: 7", "train_file: expected"),
    "a file that is a list": ("ontology_file: [a]", "ontology_file: expected a text"),
    "a file that is true": ("dev_file: true", "dev_file: expected"),
    "a file's name of 5,000 letters": (f"train_file: {'x' * 5_000}", "train_file: expected an existing file"),
    "a file's name with NUL": ('train_file: "a\\0b"', "train_file: expected an existing file"),
    "a folder's name of 5,000 letters": (f"output_dir: {'x' * 5_000}", "cannot be written: File name too long"),
    "a folder's name with NUL": ('output_dir: "a\\0b"', "cannot be written: embedded null byte"),
    "half a surrogate pair": ('output_dir: "\\ud800"', "half a surrogate pair"),
}


@pytest.mark.parametrize("case", RECIPES)
def test_a_recipe_as_it_may_come(place, templates, case):
    text, message = RECIPES[case]
    own = text.partition(":")[0]
    lines = (templates / "recipe.yaml").read_text().splitlines(keepends=True)
    with Path("recipe.yaml").open("w") as file:
        file.writelines([*(line for line in lines if not line.startswith(f"{own}:")), text])

    found = run_words(("train", "recipe.yaml"))
    assert found.kind == "refused", f"{found.place}\n{found.detail}"
    assert message in found.detail


ARGUMENTS = {
    "files that are no texts": ({"train_file": [1]}, "train_file"),
    "a file's name of 5,000 letters": ({"train_file": "x" * 5_000}, "train_file: expected an existing file"),
    "a file's name with NUL": ({"validation_file": "a\x00b"}, "validation_file: expected an existing file"),
    "a template that is no text": ({"chat_template": {"a": 1}}, "chat_template"),
    "a template's name of 5,000 letters": ({"chat_template": "x" * 5_000}, "chat_template: expected"),
    "a checkpoint's name of 5,000 letters": ({"ptuning_checkpoint": "x" * 5_000}, "ptuning_checkpoint: expected"),
    "a base that is no text": ({"model_name_or_path": {"a": 1}}, "model_name_or_path"),
    "steps without end": ({"max_steps": 10**18}, "max_steps: expected an integer"),
    "epochs without end": ({"max_steps": -1, "num_train_epochs": 1e300}, "num_train_epochs: expected a number"),
    "beams without end": ({"num_beams": 10**9}, "num_beams: expected an integer <= 1,000"),
    "workers without end": ({"preprocessing_num_workers": 10**9}, "preprocessing_num_workers: expected"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_as_they_may_come(place, case):
    changes, message = ARGUMENTS[case]
    path = place("arguments.json")
    change(path, **changes)

    found = run_words(("sft", "arguments.json"))
    assert found.kind == "refused", f"{found.place}\n{found.detail}"
    assert message in found.detail


def test_what_is_no_text_is_printed_as_an_escape(place):
    """Names of files need not be text, on the command line or in an error."""
    name = os.fsdecode(b"caf\xe9.jsonl")
    shutil.copyfile("dev.jsonl", name)

    for words in (("data", "stats", name), ("data", "stats", name, "--json"), ("data", "check", name)):
        found = run_words(words)
        assert found.kind == "ok", f"{found.place}\n{found.detail}"
        assert r"caf\udce9.jsonl" in found.detail


@pytest.mark.parametrize(
    "words", [("extract", "run", "--text", "a [[\udc80|attack]] b"), ("chat", "llm", "--once", "\udc80")]
)
def test_a_text_that_is_none_is_refused(place, words):
    place("run-lora", "run")

    found = run_words(words)
    assert found.kind == "refused", f"{found.place}\n{found.detail}"


@pytest.mark.parametrize("words", [EXTRACT, ("evaluate", "RUN", "--test_file", "dev.jsonl"), MERGE])
def test_a_name_in_a_run_leads_to_no_download(place, monkeypatch, words):
    asked = []

    def snapshot_download(name, **options):
        asked.append(options.get("local_files_only", False))
        raise OSError("not here")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    change(place("run-lora", "run") / "base.json", name_or_path="someone/else")
    words = ["run" if word == "RUN" else word for word in words]

    found = run_words(words)
    assert found.kind == "refused"
    assert "give it yourself, as --model_name_or_path someone/else" in found.detail
    assert asked == [True]
    assert run_words([*words, "--model_name_or_path", "someone/else"]).kind == "refused"
    assert asked == [True, True, False]


def test_a_base_of_a_chat_is_not_downloaded_either(place, monkeypatch):
    asked = []

    def snapshot_download(name, **options):
        asked.append(options.get("local_files_only", False))
        raise OSError("not here")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    change(place("run-responses", "run") / "base.json", name_or_path="someone/else")

    for words in (("chat", "run", "--once", "hi"), ("chat", "run", "--once", "hi", "--convert")):
        assert run_words(words).kind == "refused"
    assert set(asked) == {True}
