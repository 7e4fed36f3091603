import io
import json
import sys

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path / "cache"))
    # A question on stdin would be answered with the end of the input, and fail.
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    return tmp_path / "cache"


def test_a_folder_is_converted_once(run, tiny_chatglm2, tmp_path) -> None:
    shown = run("convert", "chatglm2", tiny_chatglm2, tmp_path / "glm")
    again = run("convert", "chatglm2", tiny_chatglm2, tmp_path / "glm")

    assert (shown.code, again.code) == (0, 0)
    assert "parameters" in shown.out
    assert "model-00001-of-" in shown.err
    assert "nothing was done" in again.out
    assert (tmp_path / "glm" / "conversion.json").is_file()


def test_json_is_one_object(run, tiny_chatglm2, tmp_path) -> None:
    result = json.loads(run("convert", "chatglm2", tiny_chatglm2, tmp_path / "glm", "--json").out)

    assert result["is_new"]
    assert result["notes"] == []
    assert result["bytes"] == sum((tmp_path / "glm" / name).stat().st_size for name in result["files"])


def test_a_dry_run_shows_the_plan_and_writes_nothing(run, tiny_chatglm2, tmp_path) -> None:
    shown = run("convert", "chatglm2", tiny_chatglm2, tmp_path / "glm", "--dry-run")
    words = ("convert", "chatglm2", tiny_chatglm2, tmp_path / "glm", "--dry-run", "--json", "--dtype", "float16")
    plan = json.loads(run(*words).out)

    assert "model.layers.1.self_attn.k_proj.weight" in shown.out
    assert "rms_norm_eps" in shown.out
    assert plan["bytes"] == 2 * plan["parameters"] == sum(file["bytes"] for file in plan["files"])
    assert plan["config"]["dtype"] == "float16"
    tensors = {name: tensor for file in plan["files"] for name, tensor in file["tensors"].items()}
    fused = "transformer.encoder.layers.0.self_attention.query_key_value.weight"
    assert tensors["model.layers.0.self_attn.k_proj.weight"]["from"] == [f"{fused}[32:48]"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_goes_back(run, tiny_glm, tiny_chatglm2, tmp_path) -> None:
    shown = run("convert", "chatglm2", tiny_glm, tmp_path / "back", "--back")

    assert shown.code == 0
    assert "the published code (*.py, auto_map) is not written" in shown.out
    assert "copy tokenizer.model from the original folder" in shown.out
    for path in tiny_chatglm2.glob("*.safetensors"):
        assert path.read_bytes() == (tmp_path / "back" / path.name).read_bytes()


def test_wrong_input_is_one_clear_error(refused, tiny_chatglm2, tiny_glm, tmp_path) -> None:
    def convert(*words):
        return refused("convert", "chatglm2", *words)

    assert "no such file" in convert(tmp_path / "absent", tmp_path / "glm")
    assert "expected model_type 'chatglm', found 'glm'" in convert(tiny_glm, tmp_path / "glm")
    assert "--back" in convert(tiny_glm, tmp_path / "glm")
    assert "expected model_type 'glm', found 'chatglm'" in convert(tiny_chatglm2, tmp_path / "glm", "--back")
    assert "found one with other contents" in convert(tiny_chatglm2, tiny_glm)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["inspect", "chat", "sft", "train"])
def test_commands_name_the_conversion_and_ask_nothing(refused, tiny_chatglm2, tmp_path, verb) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"instruction": "a", "output": "b"}\n', encoding="utf-8")
    words = {
        "sft": ("--train_file", rows, "--output_dir", tmp_path / "run", "--model_name_or_path"),
        "train": ("--train_file", "sample:train", "--output_dir", tmp_path / "run", "--model_name_or_path"),
    }
    message = refused(verb, *words.get(verb, ()), tiny_chatglm2)

    assert "found ChatGLM2" in message
    assert not (tmp_path / "run").exists()
    assert f"eventune convert chatglm2 {tiny_chatglm2} {tiny_chatglm2}-glm" in message


def test_inspect_converts_where_it_is_told_to(run, tiny_chatglm2, cache) -> None:
    shown = run("inspect", tiny_chatglm2, "--convert")
    later = run("inspect", tiny_chatglm2)

    assert "GlmForCausalLM" in shown.out
    assert later.out == shown.out
    assert "model-00001-of-" not in later.err
    assert len(list(cache.iterdir())) == 1


def test_a_run_on_a_converted_model_is_found_under_the_name_that_was_given(run, tiny_chatglm2, tmp_path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"instruction": "a", "output": "b"}\n' * 4, encoding="utf-8")
    trained = run(
        *("sft", "--convert", "--model_name_or_path", tiny_chatglm2, "--train_file", rows, "--lora_r", 2),
        *("--output_dir", tmp_path / "run", "--max_steps", 2, "--max_source_length", 64, "--max_target_length", 8),
    )
    answer = run("chat", tmp_path / "run", "--once", "a", "--max_new_tokens", 4, "--json")

    assert trained.code == 0, trained.err
    base = json.loads((tmp_path / "run" / "base.json").read_text(encoding="utf-8"))
    assert base["name_or_path"] == str(tiny_chatglm2)
    assert json.loads(answer.out)["answers"]


def test_a_run_whose_base_has_lost_its_conversion_converts_it_anew(run, refused, tiny_chatglm2, tmp_path) -> None:
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    (run_folder / "base.json").write_text(
        json.dumps({"name_or_path": str(tiny_chatglm2), "sha256": "0" * 64}), encoding="utf-8"
    )

    assert "found ChatGLM2" in refused("chat", run_folder, "--once", "a")
    run("chat", run_folder, "--once", "a", "--convert")
    assert run("inspect", tiny_chatglm2).code == 0


def test_an_adapter_is_converted_by_the_same_command(run, refused, reference_folder, tmp_path) -> None:
    adapter = reference_folder / "chatglm2" / "adapter_fused"
    if not adapter.is_dir():
        pytest.skip(f"needs {adapter}")
    shown = run("convert", "chatglm2", adapter, tmp_path / "native", "--json")
    assert json.loads(shown.out)["method"] == "lora"
    assert (tmp_path / "native" / "adapter_model.safetensors").is_file()
    assert "leave --dry-run out" in refused("convert", "chatglm2", adapter, tmp_path / "other", "--dry-run")
