"""Fine-tuning runs from end to end, on a tiny model."""

import json
import shutil
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import OPTConfig, OPTForCausalLM

from eventune.adapters.store import load_into
from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.resolve import resolve
from eventune.errors import EventuneError
from eventune.runs.merging import merge_run
from eventune.sft.tuning import fine_tune


def losses(run):
    lines = (Path(run) / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [row["loss"] for row in map(json.loads, lines) if "loss" in row]


def weights(run):
    return load_file(next(Path(run).glob("*.safetensors")))


@pytest.mark.parametrize(
    "method",
    [
        {},
        {"lora_r": None},
        {"lora_r": None, "pre_seq_len": 8},
        {"packing": True},
        {"gradient_checkpointing": True},
        {"trained_layers": 1},
        {"trained_layers": 1, "packing": True},
        {"trained_layers": 1, "gradient_checkpointing": True},
    ],
    ids=["lora", "full", "prefix", "packing", "checkpointing", "top", "top, packing", "top, checkpointing"],
)
def test_a_run_learns_saves_and_answers(settings, rows_file, tmp_path, method):
    run = settings(**method, max_steps=40, test_file=str(rows_file), max_predict_samples=3, logging_steps=10)
    result = fine_tune(run)

    folder = tmp_path / "run"
    assert losses(folder)[-1] < losses(folder)[0]
    assert result.scores["test"]["metrics"].keys() >= {"rouge-l", "bleu-4", "bleu", "chrf", "loss", "perplexity"}
    assert result.resources["rows_per_second"] > 0
    assert {path.name for path in folder.iterdir()} >= {
        "recipe.yaml",
        "result.json",
        "history.jsonl",
        "base.json",
        "trainer_state.json",
        "all_results.json",
        "predict_results.json",
        "generated_predictions.txt",
        "predictions.jsonl",
    }
    assert not (folder / "checkpoints").exists()
    predictions = [json.loads(line) for line in (folder / "generated_predictions.txt").read_text().splitlines()]
    assert [row["labels"] for row in predictions] == ["a s red shirt", "a m red shirt", "a l red shirt"]


def test_the_top_layers_alone_learn_what_they_would_learn_above_the_computed_ones(settings, tmp_path):
    def trained(name, **changes):
        # Training in batches of all rows, whose order then makes no difference.
        common = {"max_train_samples": 4, "max_steps": 5, "save_strategy": "no", "output_dir": str(tmp_path / name)}
        fine_tune(settings(**common, **changes))
        return weights(tmp_path / name)

    kept = trained("kept", trained_layers=1)
    computed = trained("computed", lora_target_modules=r".*layers\.1\..*_proj")
    below = {name for name in kept if ".layers.0." in name}
    assert below
    assert all(not kept[name].any() for name in below if "lora_B" in name)
    assert computed.keys() == kept.keys() - below
    # The adapters' first weights differ: one draws them for two layers. What is learned is compared by what it does.
    assert losses(tmp_path / "kept")[-1] == pytest.approx(losses(tmp_path / "computed")[-1], rel=0.02)


def test_top_layers_below_which_the_output_layer_changes_something_are_refused(settings, tiny_llm, tmp_path):
    config = json.loads((tiny_llm / "config.json").read_text())
    tied = shutil.copytree(tiny_llm, tmp_path / "tied")
    (tied / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
    run = settings(model_name_or_path=str(tied), lora_r=None, trained_layers=1)

    with pytest.raises(EventuneError, match="trained_layers: expected embeddings that stay as they are"):
        fine_tune(run)
    fine_tune(settings(model_name_or_path=str(tied), trained_layers=1))


def test_a_small_model_learns_rows_by_heart_and_answers_the_same_when_loaded_again(settings, rows_file, tmp_path):
    run = settings(
        lora_r=None,
        max_steps=300,
        learning_rate=0.005,
        max_train_samples=4,
        test_file=str(rows_file),
        max_predict_samples=4,
        save_strategy="no",
    )
    scores = fine_tune(run).scores["test"]["metrics"]
    again = settings(
        lora_r=None,
        train_file=None,
        test_file=str(rows_file),
        max_predict_samples=4,
        ptuning_checkpoint=str(tmp_path / "run"),
        output_dir=str(tmp_path / "evaluation"),
    )
    evaluated = fine_tune(again).scores["test"]["metrics"]

    assert scores["bleu-4"] > 0.99
    assert evaluated == scores
    texts = [(tmp_path / name / "generated_predictions.txt").read_text() for name in ("run", "evaluation")]
    assert texts[0] == texts[1]


def test_adapter_holds_nothing_of_the_base_and_loads_to_the_same_model(settings, tiny_llm, tmp_path):
    fine_tune(settings())
    saved = weights(tmp_path / "run")
    model = load_into(load_causal_lm(resolve(str(tiny_llm))).model, tmp_path / "run")

    assert all("lora_" in name for name in saved)
    loaded = {name: p for name, p in model.named_parameters() if "lora_" in name}
    assert len(loaded) == len(saved)


def test_accumulated_batches_count_by_their_tokens(settings, tmp_path):
    # Four rows of different lengths: a mean of four means would be another one.
    once = {"max_train_samples": 4, "max_steps": 1, "logging_steps": 1}
    fine_tune(settings(**once, per_device_train_batch_size=4, output_dir=str(tmp_path / "whole")))
    parts = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
    fine_tune(settings(**once, **parts, output_dir=str(tmp_path / "parts")))

    first, second = (
        json.loads((tmp_path / name / "history.jsonl").read_text().splitlines()[0]) for name in ("whole", "parts")
    )
    assert second["loss"] == pytest.approx(first["loss"], rel=1e-5)
    assert second["grad_norm"] == pytest.approx(first["grad_norm"], rel=1e-4)


def test_the_same_settings_give_the_same_bits(settings, tmp_path):
    for name in ("a", "b"):
        fine_tune(settings(output_dir=str(tmp_path / name), lora_dropout=0.1))

    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_killed_run_goes_on_and_ends_in_the_same_bits(settings, forked, tmp_path):
    whole = settings(output_dir=str(tmp_path / "whole"), max_steps=24, save_steps=3, lora_dropout=0.1)
    assert forked(lambda: fine_tune(whole)).wait() == 0
    folder = tmp_path / "killed"
    recipe = tmp_path / "killed.yaml"
    recipe.write_text(whole.to_yaml().replace(str(tmp_path / "whole"), str(folder)), encoding="utf-8")
    command = ["sft", recipe, "--resume_from_checkpoint", "true"]
    process = forked.command(*command)
    deadline = time.monotonic() + 120
    while not list(folder.glob("checkpoints/checkpoint-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (folder / "result.json").exists()

    assert forked.command(*command).wait() == 0

    first, second = weights(tmp_path / "whole"), weights(folder)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dev_fraction": 0.001}, "dev: expected rows, found none"),
        ({"report_to": ["nonsense"], "max_steps": 1}, "training: .*nonsense"),
        ({"lora_target_modules": "nothing_here"}, "nothing_here"),
        ({"prompt_column": "contnt"}, "content"),
        ({"max_source_length": 4000}, "expected 1024 at most"),
        ({"validation_file": "none.json"}, "validation_file: expected an existing file"),
        ({"ptuning_checkpoint": "nowhere"}, "found no trained weights in nowhere"),
    ],
)
def test_bad_input_is_one_message_and_leaves_nothing(settings, tmp_path, changes, message):
    with pytest.raises(EventuneError, match=message):
        fine_tune(settings(**changes))

    assert not (tmp_path / "run").exists()


def test_weights_of_another_base_are_refused(settings, tmp_path):
    fine_tune(settings())
    recorded = json.loads((tmp_path / "run" / "base.json").read_text())
    (tmp_path / "run" / "base.json").write_text(json.dumps({**recorded, "sha256": "0" * 64}))

    with pytest.raises(EventuneError, match="whose weights are not those of"):
        fine_tune(settings(ptuning_checkpoint=str(tmp_path / "run"), output_dir=str(tmp_path / "second")))


def test_an_earlier_run_is_kept_until_the_settings_fit(settings, tmp_path):
    fine_tune(settings())
    for changes in ({"max_source_length": 4000}, {"lora_target_modules": "nothing_here"}):
        with pytest.raises(EventuneError):
            fine_tune(settings(overwrite_output_dir=True, **changes))

    assert (tmp_path / "run" / "adapter_model.safetensors").is_file()


def test_a_run_is_not_evaluated_into_its_own_folder(settings, rows_file, tmp_path):
    fine_tune(settings())
    into_itself = {"ptuning_checkpoint": str(tmp_path / "run"), "overwrite_output_dir": True, "do_predict": True}
    with pytest.raises(EventuneError, match="expected another folder than that of ptuning_checkpoint"):
        fine_tune(settings(test_file=str(rows_file), **into_itself))

    assert (tmp_path / "run" / "adapter_model.safetensors").is_file()


def test_evaluation_by_steps_chooses_the_best_checkpoint(settings, rows_file, tmp_path):
    every = {"eval_strategy": "steps", "eval_steps": 2, "validation_file": str(rows_file), "max_eval_samples": 4}
    best = {"load_best_model_at_end": True, "metric_for_best_model": "perplexity", "predict_with_generate": True}
    result = fine_tune(settings(**every, **best, do_train=True, do_eval=True))

    lines = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    found = [row["eval_perplexity"] for row in map(json.loads, lines) if "eval_perplexity" in row]
    assert len(found) == 3
    assert result.scores["dev"]["metrics"]["perplexity"] == pytest.approx(min(found), rel=1e-5)


def test_packing_is_refused_where_rows_would_see_one_another(settings, tiny_llm, tmp_path):
    # OPT counts positions by the attention mask and not by position ids.
    torch.manual_seed(0)
    folder = tmp_path / "opt"
    shutil.copytree(tiny_llm, folder, ignore=shutil.ignore_patterns("config.json", "*.safetensors"))
    config = OPTConfig(
        vocab_size=259, hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4, word_embed_proj_dim=32
    )
    OPTForCausalLM(config).save_pretrained(folder)

    with pytest.raises(EventuneError, match=r"packing: .* lets rows of one sequence see one another"):
        fine_tune(settings(model_name_or_path=str(folder), packing=True))


def test_a_finished_run_is_not_overwritten_unless_asked(settings):
    fine_tune(settings())

    with pytest.raises(EventuneError, match="exists and is not empty"):
        fine_tune(settings())
    assert fine_tune(settings(overwrite_output_dir=True)).resources["steps"] == 6


def test_a_run_is_merged_into_one_that_answers_the_same(settings, rows_file, tmp_path):
    fine_tune(settings())
    merge_run(tmp_path / "run", tmp_path / "merged")
    found = {}
    for name in ("run", "merged"):
        changes = {"ptuning_checkpoint": str(tmp_path / name), "output_dir": str(tmp_path / f"{name}-scores")}
        found[name] = fine_tune(settings(do_predict=True, train_file=None, test_file=str(rows_file), **changes))
    assert found["merged"].scores["test"]["metrics"]["loss"] == pytest.approx(
        found["run"].scores["test"]["metrics"]["loss"], rel=1e-3
    )
