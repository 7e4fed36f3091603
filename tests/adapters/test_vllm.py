"""Adapters held against vLLM's rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from eventune.adapters import AdapterArguments, attach, save_trained
from eventune.adapters.vllm import problems_in_vllm, vllm_command
from eventune.cli import main
from eventune.errors import EventuneError


def saved(tiny_llm: Path, folder: Path, **settings: Any) -> Path:
    model = AutoModelForCausalLM.from_pretrained(tiny_llm, dtype=torch.float32)
    save_trained(attach(model, AdapterArguments(**settings), base_name="tiny"), folder)
    return folder


def test_a_lora_adapter_can_be_served_with_the_command_given(tiny_llm: Path, tmp_path: Path) -> None:
    folder = saved(tiny_llm, tmp_path, lora_r=24)
    assert problems_in_vllm(folder) == []
    assert vllm_command(folder) == (
        f"vllm serve tiny --enable-lora --max-lora-rank 32 --lora-modules arguments={folder}"
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"alpha_pattern": {"q_proj": 4}}, "alpha_pattern"),
        ({"modules_to_save": ["model.norm"]}, "modules_to_save"),
        ({"method": "ia3"}, "expected LoRA, found IA3"),
        ({"method": "prefix", "pre_seq_len": 4}, "expected LoRA, found PREFIX_TUNING"),
    ],
)
def test_what_vllm_cannot_serve_is_named(tiny_llm: Path, tmp_path: Path, settings: dict[str, Any], named: str) -> None:
    assert any(problem.startswith(named) for problem in problems_in_vllm(saved(tiny_llm, tmp_path, **settings)))


def test_the_command_can_be_pasted_into_a_shell_whatever_the_adapter_says(tiny_llm: Path, tmp_path: Path) -> None:
    folder = saved(tiny_llm, tmp_path)
    config = json.loads((folder / "adapter_config.json").read_text())
    changed = {**config, "base_model_name_or_path": "x; echo pwned #"}
    (folder / "adapter_config.json").write_text(json.dumps(changed))
    assert vllm_command(folder).startswith("vllm serve 'x; echo pwned #' --enable-lora")
    (folder / "adapter_config.json").write_text(json.dumps({**config, "r": 513}))
    assert problems_in_vllm(folder) == ["r: expected an integer from 1 to 512, found 513"]
    (folder / "adapter_config.json").write_text(json.dumps({**config, "r": None}))
    with pytest.raises(EventuneError, match="r: expected a valid integer, found null"):
        problems_in_vllm(folder)


def test_a_folder_without_an_adapter_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EventuneError, match="expected an adapter"):
        problems_in_vllm(tmp_path)


def test_doctor_says_whether_and_how_vllm_serves_a_run(
    tiny_llm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tiny_llm, tmp_path)
    assert main(["doctor", "--vllm", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": str(folder), "problems": [], "command": vllm_command(folder)}
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "bias": "all"}))
    assert main(["doctor", "--vllm", str(folder)]) == 1
    assert "bias: expected none, found all" in capsys.readouterr().out
