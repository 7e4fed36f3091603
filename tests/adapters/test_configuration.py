"""What PEFT is told of an adapter: its file is a stranger's, and PEFT never reads it."""

import json
import shutil
import sys

import pytest
import torch

from eventune.adapters.configuration import read_adapter_config, read_adapter_fields
from eventune.adapters.patterns import quick_expression
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor


@pytest.fixture
def adapter(tiny_run, tmp_path):
    return shutil.copytree(tiny_run, tmp_path / "run")


def change(folder, **fields):
    path = folder / "adapter_config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, **fields}))


MEGATRON = {"megatron_config": {"tensor_model_parallel_size": 1}, "megatron_core": "megatron.core"}


@pytest.fixture
def trace(tmp_path, monkeypatch):
    """A file that a package `megatron` on the path leaves when it is imported."""
    package, trace = tmp_path / "packages" / "megatron", tmp_path / "trace"
    (package / "core").mkdir(parents=True)
    for file in (package / "__init__.py", package / "core" / "__init__.py"):
        file.write_text(f"open({str(trace)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(package.parent)
    yield trace
    for name in ("megatron", "megatron.core"):
        sys.modules.pop(name, None)


def test_a_run_with_megatron_settings_is_refused_and_nothing_is_imported(adapter, trace):
    change(adapter, **MEGATRON)

    with pytest.raises(EventuneError, match=r"adapter_config\.json: megatron_config: expected a field that"):
        Extractor.load(adapter)
    assert not trace.exists()
    change(adapter, megatron_config=None)
    Extractor.load(adapter)
    assert not trace.exists()


def test_peft_itself_would_import_it(adapter, trace):
    """Else the test above could not fail."""
    from peft import PeftConfig, PeftModel

    change(adapter, **MEGATRON, target_modules=["0"], modules_to_save=None)
    with pytest.raises(AttributeError, match="tensor_parallel"):
        PeftModel(torch.nn.Sequential(torch.nn.Linear(2, 2)), PeftConfig.from_pretrained(adapter))

    assert trace.exists()


def test_a_base_that_came_with_an_adapter_is_refused_and_nothing_is_imported(adapter, tiny_encoder, trace, tmp_path):
    """transformers would put the adapter on the base by itself."""
    base = shutil.copytree(tiny_encoder, tmp_path / "base")
    change(adapter, **MEGATRON)
    shutil.copyfile(adapter / "adapter_config.json", base / "adapter_config.json")
    shutil.copyfile(adapter / "adapter_model.safetensors", base / "adapter_model.safetensors")
    change(adapter, megatron_config=None)

    with pytest.raises(EventuneError, match=r"expected a model, found an adapter \(adapter_config\.json\) beside it"):
        Extractor.load(adapter, model_name_or_path=str(base))
    assert not trace.exists()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("peft_type", "RANDLORA", "LORA or IA3 or VERA or PREFIX_TUNING"),
        ("peft_type", ["LORA"], "LORA or IA3 or VERA or PREFIX_TUNING"),
        ("layer_replication", [[0, 2], [1, 2]], "a field that eventune or PEFT's usual adapters have"),
        ("loftq_config", {"loftq_bits": 4}, "a field that eventune or PEFT's usual adapters have"),
        ("use_qalora", True, "a field that eventune or PEFT's usual adapters have"),
        ("alora_invocation_tokens", [1], "a field that eventune or PEFT's usual adapters have"),
        ("a_field_of_tomorrow", 1, "a field that eventune or PEFT's usual adapters have"),
        ("r", "8", "a valid integer"),
        ("r", 10**9, "less than or equal to"),
        ("r", 2_000, "the rank of its weights"),
        ("lora_alpha", 0, "greater than 0"),
        ("lora_dropout", 1.5, "less than 1"),
        ("target_modules", 7, "a valid"),
        ("target_modules", "(a+)+$", "names, choices of words"),
        ("target_modules", ["query", 7], "a valid"),
        ("modules_to_save", "scorer", "a valid array"),
        ("rank_pattern", {"query": 0}, "greater than or equal to 1"),
        ("rank_pattern", {"(.*a)*": 2}, "names, choices of words"),
        ("rank_pattern", ["query"], "an object"),
        ("init_lora_weights", "eva", "true, false, or one of gaussian"),
        ("init_lora_weights", "pissa_niter_999999999", "true, false, or one of gaussian"),
        ("trainable_token_indices", {"embedding": [-1]}, "greater than or equal to 0"),
        ("task_type", "EVERYTHING", "'SEQ_CLS'"),
        ("use_dora", "yes", "a valid boolean"),
        ("bias", "some", "'none', 'all' or 'lora_only'"),
        ("base_model_name_or_path", 7, "a valid string"),
    ],
)
def test_fields_are_refused_by_name(adapter, field, value, expected):
    change(adapter, **{field: value})

    with pytest.raises(EventuneError, match=rf"adapter_config\.json: {field}.*expected .*{expected}"):
        Extractor.load(adapter)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("megatron_config", None),
        ("megatron_core", "megatron.core"),
        ("qalora_group_size", 16),
        ("auto_mapping", {"base_model_class": "BertModel", "parent_library": "transformers.models.bert"}),
        ("peft_version", "99.0"),
        ("runtime_config", {"ephemeral_gpu_offload": False}),
        ("a_field_of_tomorrow", None),
        ("another_field_of_tomorrow", False),
        ("task_type", "TOKEN_CLS"),
        ("layers_pattern", None),
    ],
)
def test_fields_that_change_nothing_are_passed_over(adapter, tiny_run, field, value):
    change(adapter, **{field: value})

    assert read_adapter_config(adapter).to_dict() | {"task_type": None} == read_adapter_config(tiny_run).to_dict()


def test_an_adapter_that_does_not_fit_the_model_is_one_error(adapter):
    change(adapter, target_modules="no_such_layer")

    with pytest.raises(EventuneError, match=r"run: the adapter does not fit the model: No modules were targeted"):
        Extractor.load(adapter)


def test_settings_of_an_adapter_are_those_that_peft_reads(tiny_run):
    from peft import PeftConfig

    ours, theirs = read_adapter_config(tiny_run), PeftConfig.from_pretrained(tiny_run)
    theirs.inference_mode = True

    assert ours == theirs
    assert read_adapter_fields(tiny_run).r == ours.r


@pytest.mark.parametrize(
    "expression",
    [
        "q_proj",
        "all-linear",
        r"encoder\.layer\.(0|1)\.attention\.self\.query|encoder\.layer\.(0|1)\.output\.dense",
        r".*decoder.*(SelfAttention|EncDecAttention).*(q|v)$",
        r"^model\.layers\.[0-9]+\.self_attn\.(?:q|k|v)_proj$",
        r"model\.layers\.\d+\.mlp",
    ],
)
def test_usual_expressions_are_taken(expression):
    assert quick_expression(expression) == expression


@pytest.mark.parametrize(
    "expression",
    [
        "(a+)+$",
        "(a|a)*$",
        "(.|.)(.|.)",
        r"(\w+\s?)*",
        ".*.*.*.*.*x",
        ".*^.*^.*^.*^.*",
        r"(a)\1",
        "a{1000}",
        "((a))",
        "(",
    ],
)
def test_expressions_that_may_take_years_are_refused(expression):
    with pytest.raises(ValueError, match="names, choices of words and 4 repeated characters"):
        quick_expression(expression)
