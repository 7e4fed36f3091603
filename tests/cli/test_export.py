import json

import pytest

from eventune.exporting import exporting


def test_a_run_is_exported_and_measured(run, tiny_run, small_corpus, tmp_path):
    dev = small_corpus / "dev.jsonl"
    found = run("export", tiny_run, tmp_path / "out", "--int8", "--dev_file", dev, "--json")

    assert found.code == 0
    result = json.loads(found.out)
    assert result["scores"].keys() == {"torch", "float32", "int8"}
    assert abs(result["scores"]["torch"]["f1"] - result["scores"]["float32"]["f1"]) < 1e-6
    assert all(measured["documents_per_second"] > 0 for measured in result["scores"].values())
    assert result["differences"]["float32"] <= result["tolerance"]
    evaluated = json.loads(run("evaluate", tmp_path / "out", "--test_file", dev, "--dtype", "float32", "--json").out)
    assert evaluated["metrics"]["f1"] == result["scores"]["torch"]["f1"]


@pytest.mark.slow
def test_int8_that_loses_too_much_is_left_out(run, tiny_run, small_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "MOST_LOSS", -2.0)
    shown = run("export", tiny_run, tmp_path / "out", "--int8", "--dev_file", small_corpus / "dev.jsonl")

    assert shown.code == 0
    assert "float32 is kept" in shown.err
    assert "documents/s" in shown.out
    assert not (tmp_path / "out" / "model.int8.onnx").exists()
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["precisions"] == ["float32"]
    assert "points of F1" in record["int8_refused"]


def test_wrong_input_is_one_clear_error(refused, tiny_run, tmp_path):
    assert "no such run directory" in refused("export", tmp_path / "absent", tmp_path / "out")
    assert "exists already" in refused("export", tiny_run, tmp_path)
    document = {"id": "a", "text": "None.", "tokens": [[0, 4], [4, 5]], "sentences": [[0, 2]], "events": []}
    (tmp_path / "bare.jsonl").write_text(json.dumps(document), encoding="utf-8")
    assert "--dev_file" in refused("export", tiny_run, tmp_path / "out", "--dev_file", tmp_path / "bare.jsonl")
    assert not (tmp_path / "out").exists()
