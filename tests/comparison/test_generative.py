"""An encoder and a causal LM in one comparison: the same documents, the same scorer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eventune.cli import main
from eventune.corpora import write_corpus, write_ontology
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span


@pytest.mark.slow
def test_an_encoder_and_a_causal_lm_stand_in_one_table(
    tiny_encoder: Path, tiny_llm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = Event("attack", Span(1, 2), (Argument("attacker", Span(0, 1)), Argument("target", Span(2, 3))))
    words = [["Rebels", "shot", "guards", "."], ["Gunmen", "shot", "soldiers", "."]]
    documents = [Document.from_sentences(f"d{n}", [words[n % 2]], events=[event]) for n in range(12)]
    write_corpus(documents, tmp_path / "train.jsonl")
    write_ontology(Ontology.of([EventType("attack", (Role("attacker"), Role("target")))]), tmp_path / "ontology.yaml")
    files = {f"{part}_file": str(tmp_path / "train.jsonl") for part in ("train", "dev", "test")}
    base: dict[str, Any] = {
        **files,
        "ontology_file": str(tmp_path / "ontology.yaml"),
        "model_name_or_path": str(tiny_encoder),
        "learning_rate": 5e-3,
        "num_train_epochs": 2,
    }
    llm = {"task": "generation", "model_name_or_path": str(tiny_llm), "max_new_tokens": 120}
    (tmp_path / "recipe.yaml").write_text(json.dumps(base))
    (tmp_path / "arms.yaml").write_text(json.dumps({"spans": {}, "llm": llm}))
    output = tmp_path / "table"
    command = ["compare", str(tmp_path / "recipe.yaml"), "--arms", str(tmp_path / "arms.yaml")]
    assert main([*command, "--output_dir", str(output), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [arm["name"] for arm in result["arms"]] == ["spans", "llm"]
    for arm in ("spans", "llm"):
        score = json.loads((output / f"runs/{arm}/seed-0/run/result.json").read_text())["scores"]["test"]
        assert score["scorer"] == "rams"
        assert score["counts"]["gold"] == 24
