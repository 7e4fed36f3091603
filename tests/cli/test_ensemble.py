import json


def test_runs_are_put_together_and_scored(run, tiny_run, tmp_path):
    shown = run("ensemble", tiny_run, tiny_run, "-o", tmp_path / "both")

    assert shown.code == 0
    assert "2 runs (rams); dev: P" in " ".join(shown.out.split())
    assert run("extract", tmp_path / "both", "--text", "Rebels [[shelled|attack]] the old bridge.").code == 0


def test_json_is_one_object(run, tiny_run, tmp_path):
    result = json.loads(run("ensemble", tiny_run, tiny_run, "-o", tmp_path / "both", "--json").out)

    assert result["output_dir"] == str(tmp_path / "both")
    assert result["scores"]["dev"]["scorer"] == "rams"


def test_wrong_input_is_one_clear_error(refused, tiny_run, tmp_path):
    assert "no such run directory" in refused("ensemble", tiny_run, tmp_path / "absent", "-o", tmp_path / "out")
    assert "expected two runs or more" in refused("ensemble", tiny_run, "-o", tmp_path / "out")
    assert "exists already" in refused("ensemble", tiny_run, tiny_run, "-o", tmp_path)
    assert not (tmp_path / "out").exists()


def test_export_and_merge_say_what_can_be_done_in_its_place(run, refused, tiny_run, tmp_path):
    run("ensemble", tiny_run, tiny_run, "-o", tmp_path / "both")

    assert "export its members one by one" in refused("export", tmp_path / "both", tmp_path / "exported")
    assert "merge its members one by one" in refused("merge", tmp_path / "both", tmp_path / "merged")
    assert {path.name for path in tmp_path.iterdir()} == {"both"}
