import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.merging import merge_run
from eventune.runs.training import train


def extracted(run, documents):
    return [
        (argument.role, argument.span, pytest.approx(argument.score, abs=1e-3))
        for document in Extractor.load(run).extract_all(documents)
        for event in document.events
        for argument in event.arguments
    ]


@pytest.fixture(scope="module")
def documents(small_corpus):
    return read_corpus(small_corpus / "dev.jsonl").documents


def test_a_merged_run_is_a_run_that_extracts_the_same(tiny_run, documents, tmp_path):
    merged = merge_run(tiny_run, tmp_path / "merged")

    assert merged.difference < 1e-4
    assert extracted(tmp_path / "merged", documents) == extracted(tiny_run, documents)
    files = {path.name for path in (tmp_path / "merged").iterdir()}
    assert "model.safetensors" in files
    assert not {"adapter_model.safetensors", "adapter_config.json"} & files
    result = json.loads((tmp_path / "merged" / "result.json").read_text(encoding="utf-8"))
    assert result["merged"]["method"] == "lora"
    assert result["merged"]["saved_bytes"] == (tmp_path / "merged" / "model.safetensors").stat().st_size


@pytest.mark.parametrize("changes", [{"method": "ia3"}, {"method": "vera", "vera_r": 16}], ids=["ia3", "vera"])
def test_a_run_of_another_method_than_lora_is_merged(changes, tiny_recipe, documents, tmp_path):
    run = tmp_path / "run"
    train(Recipe.of({**tiny_recipe, **changes, "num_train_epochs": 1, "output_dir": str(run)}))

    assert merge_run(run, tmp_path / "merged").difference < 1e-4
    assert extracted(tmp_path / "merged", documents) == extracted(run, documents)


def test_half_precision_halves_the_file_and_says_what_it_cost(tiny_run, documents, tmp_path):
    full = merge_run(tiny_run, tmp_path / "full")
    half = merge_run(tiny_run, tmp_path / "half", dtype="bfloat16")

    assert half.saved_bytes < 0.6 * full.saved_bytes
    assert half.difference == pytest.approx(full.difference, abs=1e-5)
    assert half.difference_after_cast > half.difference
    assert len(extracted(tmp_path / "half", documents)) > 0
    loaded = Extractor.load(tmp_path / "half").annotator.loaded
    assert {parameter.dtype for parameter in loaded.task.backbone.model.parameters()} == {torch.bfloat16}


def test_an_adapter_of_a_quantised_base_is_merged_into_what_it_was_trained_on(tiny_recipe, documents, tmp_path):
    run = tmp_path / "run"
    train(Recipe.of({**tiny_recipe, "num_train_epochs": 1, "quantization_bit": 4, "output_dir": str(run)}))

    merged = merge_run(run, tmp_path / "merged")

    assert merged.difference < 1e-4
    assert extracted(tmp_path / "merged", documents) == extracted(run, documents)


def test_what_cannot_be_merged_is_refused_and_nothing_is_left(tiny_run, tiny_recipe, tmp_path):
    with pytest.raises(EventuneError, match="exists already"):
        merge_run(tiny_run, tmp_path)
    run = tmp_path / "run"
    train(Recipe.of({**tiny_recipe, "num_train_epochs": 1, "method": "bitfit", "output_dir": str(run)}))
    with pytest.raises(EventuneError, match="expected a run with an adapter that can be merged") as raised:
        merge_run(run, tmp_path / "merged")
    assert raised.value.hint == "train it with a method that can be merged"
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_a_merge_leaves_torch_as_it_was(tiny_run, tmp_path):
    state = torch.get_rng_state()
    merge_run(tiny_run, tmp_path / "merged")
    assert torch.is_grad_enabled()
    assert torch.get_rng_state().shape == state.shape


def test_a_merged_causal_lm_extracts_the_same_and_is_a_model_that_others_load(tiny_llm, small_corpus, tmp_path):
    settings = {
        "task": "generation",
        "model_name_or_path": str(tiny_llm),
        "train_file": str(small_corpus / "dev.jsonl"),
        "ontology_file": str(small_corpus / "ontology.yaml"),
        "num_train_epochs": 1,
        "learning_rate": 1e-2,
        "max_new_tokens": 128,
    }
    train(Recipe.of({**settings, "output_dir": str(tmp_path / "run")}))
    merged = merge_run(tmp_path / "run", tmp_path / "merged")
    assert merged.difference < 1e-4
    documents = read_corpus(small_corpus / "dev.jsonl").documents[:2]
    assert extracted(tmp_path / "merged", documents) == extracted(tmp_path / "run", documents)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", output_loading_info=True)
    assert not loaded[1]["missing_keys"]
    with pytest.raises(EventuneError, match="expected a run with an adapter that can be merged") as raised:
        merge_run(tmp_path / "merged", tmp_path / "again")
    assert "merged already" in raised.value.hint
