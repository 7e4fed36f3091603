import json


def test_a_run_is_merged_and_the_difference_told(run, tiny_run, tmp_path):
    shown = run("merge", tiny_run, tmp_path / "merged")

    assert shown.code == 0
    assert "MB in float32; greatest difference of the scores from the run's:" in " ".join(shown.out.split())
    extracted = run("extract", tmp_path / "merged", "--text", "Rebels [[shelled|attack]] the old bridge.")
    assert extracted.code == 0


def test_json_is_one_object(run, tiny_run, tmp_path):
    result = json.loads(run("merge", tiny_run, tmp_path / "merged", "--dtype", "float16", "--json").out)

    assert result["dtype"] == "float16"
    assert result["saved_bytes"] == (tmp_path / "merged" / "model.safetensors").stat().st_size
    assert result["difference"] <= result["difference_after_cast"]


def test_wrong_input_is_one_clear_error(refused, tiny_run, tmp_path):
    assert "no such run directory" in refused("merge", tmp_path / "absent", tmp_path / "out")
    assert "exists already" in refused("merge", tiny_run, tmp_path)
    assert not (tmp_path / "out").exists()
