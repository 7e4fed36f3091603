"""Small fine-tunings that the tests share."""

import json

import pytest

from eventune.sft.settings import SftArguments


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory):
    """Forty rows that a small model can learn by heart."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    names = ("red", "green", "blue", "white", "black")
    rows = [
        {"content": f"colour {name} size {size}", "summary": f"a {size} {name} shirt"}
        for name in names
        for size in ("s", "m", "l", "xl", "xs", "xxl", "3l", "4l")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def settings(tiny_llm, rows_file, tmp_path, monkeypatch):
    """A function that makes settings of a short run."""
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path / "cache"))

    def make(**changes):
        values = {
            "model_name_or_path": str(tiny_llm),
            "train_file": str(rows_file),
            "prompt_column": "content",
            "response_column": "summary",
            "max_source_length": 96,
            "max_target_length": 32,
            "lora_r": 8,
            "learning_rate": 0.01,
            "max_steps": 6,
            "per_device_train_batch_size": 4,
            "logging_steps": 2,
            "save_steps": 2,
            "output_dir": str(tmp_path / "run"),
            **changes,
        }
        return SftArguments.of({name: value for name, value in values.items() if value is not None})

    return make
