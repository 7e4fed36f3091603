import itertools
import shutil

import pytest

from eventune.errors import EventuneError
from eventune.storage.locks import LockedError
from eventune.training.run_directory import CARD, CHECKPOINTS, HISTORY, RECIPE, RESULT, RunDirectory


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "runs" / "first")


def prepare(run, recipe="seed: 0\n", *, overwrite=False, resume=False):
    run.prepare(recipe, command="train", overwrite=overwrite, resume=resume)


def finish(run, tmp_path):
    staging = tmp_path / "staging"
    staging.mkdir()
    (staging / "extractor.json").write_text("{}")
    run.finish(staging, {"seed": 0})


def test_a_new_folder_is_made_and_holds_the_recipe(run):
    prepare(run)

    assert [path.name for path in run.path.iterdir()] == [RECIPE]
    assert (run.path / RECIPE).read_text() == "# eventune train\nseed: 0\n"


def test_an_empty_folder_is_taken(run):
    run.path.mkdir(parents=True)

    prepare(run)


def test_an_existing_run_is_not_touched_unless_asked(run):
    prepare(run)

    with pytest.raises(EventuneError, match=r"exists and is not empty\n.*--resume_from_checkpoint.*--overwrite_output"):
        prepare(run, "seed: 1\n")
    assert (run.path / RECIPE).read_text() == "# eventune train\nseed: 0\n"


def test_a_file_in_the_folder_s_place_is_refused(run):
    run.path.parent.mkdir()
    run.path.touch()

    with pytest.raises(EventuneError, match="expected a folder, found the file"):
        prepare(run, overwrite=True)


@pytest.mark.parametrize("finished", [True, False])
def test_an_earlier_run_is_overwritten_when_asked(run, tmp_path, finished):
    prepare(run)
    run.checkpoints.mkdir()
    if finished:
        finish(run, tmp_path)

    prepare(run, "seed: 1\n", overwrite=True)

    assert [path.name for path in run.path.iterdir()] == [RECIPE]
    assert (run.path / RECIPE).read_text() == "# eventune train\nseed: 1\n"


@pytest.mark.parametrize("files", [["thesis.tex"], ["thesis.tex", RECIPE]])
def test_a_folder_that_is_no_run_is_never_overwritten(run, files):
    run.path.mkdir(parents=True)
    for name in files:
        (run.path / name).touch()

    with pytest.raises(EventuneError, match="holds files but no run"):
        prepare(run, overwrite=True)
    assert {path.name for path in run.path.iterdir()} == set(files)


@pytest.mark.parametrize("mark", [RESULT, CHECKPOINTS])
def test_a_run_that_holds_another_s_file_is_never_overwritten(run, mark):
    prepare(run)
    (run.path / mark).mkdir()
    (run.path / "thesis.tex").touch()

    with pytest.raises(EventuneError, match=r"holds thesis\.tex, which is no file of a run"):
        prepare(run, overwrite=True)
    assert {path.name for path in run.path.iterdir()} == {RECIPE, mark, "thesis.tex"}


@pytest.mark.parametrize("name", ["tokenizer_config.json", "vocab.txt", "spiece.model", ".final.tmp", HISTORY, CARD])
def test_whatever_a_run_leaves_is_overwritten_when_asked(run, name):
    prepare(run)
    run.checkpoints.mkdir()
    (run.path / name).touch()

    prepare(run, overwrite=True)

    assert [path.name for path in run.path.iterdir()] == [RECIPE]


def test_files_that_are_no_run_are_not_resumed(run):
    run.path.mkdir(parents=True)
    (run.path / "thesis.tex").touch()

    with pytest.raises(EventuneError, match="holds files but no run"):
        prepare(run, resume=True)
    assert [path.name for path in run.path.iterdir()] == ["thesis.tex"]


def test_a_recipe_that_cannot_be_written_leaves_no_folder(run, monkeypatch):
    def fail(path, text):
        raise EventuneError("No space left on device")

    monkeypatch.setattr("eventune.training.run_directory.write_atomically", fail)

    with pytest.raises(EventuneError, match="No space left"):
        prepare(run)
    assert not run.path.exists()


def test_an_unfinished_run_of_the_same_recipe_is_resumed(run):
    prepare(run)
    (run.checkpoints / "checkpoint-3").mkdir(parents=True)

    prepare(run, resume=True)

    assert (run.checkpoints / "checkpoint-3").is_dir()


def test_resuming_what_does_not_exist_starts_it(run):
    prepare(run, resume=True)

    assert (run.path / RECIPE).is_file()


def test_an_unfinished_run_of_another_recipe_is_not_resumed(run):
    prepare(run)

    with pytest.raises(EventuneError, match=r"has another recipe: seed 0, not 1 \(see its recipe\.yaml\)"):
        prepare(run, "seed: 1\n", resume=True)


def test_a_finished_run_is_not_resumed(run, tmp_path):
    prepare(run)
    finish(run, tmp_path)

    message = "is finished, there is nothing to resume\ngive --overwrite_output_dir true to make it again"
    with pytest.raises(EventuneError, match=message):
        prepare(run, resume=True)


@pytest.mark.parametrize("command", ["train", "sft"])
def test_more_epochs_of_a_finished_run_are_answered_with_what_can_be_done(run, tmp_path, command):
    settings = "num_train_epochs: {}\nprompt_column: q\n"
    run.prepare(settings.format(8), command=command, overwrite=False)
    finish(run, tmp_path)

    with pytest.raises(EventuneError) as raised:
        run.check(settings.format(12), overwrite=False, resume=True)

    assert "is finished, and its checkpoints are gone, so it cannot go on with num_train_epochs 12, not 8" in str(
        raised.value
    )
    assert "train anew, into another output_dir or over this run with --overwrite_output_dir true" in raised.value.hint
    assert (f"--ptuning_checkpoint {run.path} and another output_dir" in raised.value.hint) == (command == "sft")


def test_every_setting_that_differs_is_named_with_both_values(run):
    prepare(run, "seed: 0\nlearning_rate: 0.001\nsave_steps: 0\n")

    message = (
        r"another recipe: learning_rate 0\.001, not 0\.01, lora_r unknown to the version that made it, not 8 \(see"
    )
    with pytest.raises(EventuneError, match=message):
        prepare(run, "seed: 0\nlearning_rate: 0.01\nlora_r: 8\nsave_steps: 50\n", resume=True)


def test_an_unfinished_run_may_save_more_often(run):
    prepare(run, "seed: 0\nsave_steps: 0\n")
    (run.checkpoints / "checkpoint-3").mkdir(parents=True)

    prepare(run, "seed: 0\nsave_steps: 50\n", resume=True)

    assert (run.checkpoints / "checkpoint-3").is_dir()
    assert "save_steps: 50" in (run.path / RECIPE).read_text()


def test_finishing_moves_the_files_in_and_removes_checkpoints_and_staging(run, tmp_path):
    prepare(run)
    run.checkpoints.mkdir()

    finish(run, tmp_path)

    assert {path.name for path in run.path.iterdir()} == {RECIPE, RESULT, "extractor.json"}
    assert not (tmp_path / "staging").exists()
    run.require("extractor.json")


def test_a_run_given_up_before_its_first_checkpoint_leaves_no_folder(run):
    prepare(run)
    run.checkpoints.mkdir()

    run.abandon()

    assert not run.path.exists()


def test_a_run_given_up_in_its_pretraining_keeps_the_pretraining_s_checkpoint(run):
    prepare(run)
    (run.checkpoints / "pretraining" / "checkpoint-3").mkdir(parents=True)

    run.abandon()

    assert (run.checkpoints / "pretraining" / "checkpoint-3").is_dir()
    assert (run.path / RECIPE).is_file()


def test_a_run_given_up_keeps_its_checkpoints_and_what_is_not_its_own(run):
    prepare(run)
    (run.path / "note.txt").touch()
    run.abandon()
    assert [path.name for path in run.path.iterdir()] == ["note.txt"]

    (run.path / RECIPE).touch()
    (run.checkpoints / "checkpoint-3").mkdir(parents=True)
    run.abandon()
    assert {path.name for path in run.path.iterdir()} == {"note.txt", RECIPE, CHECKPOINTS}


def test_a_folder_that_does_not_exist_is_no_run(run):
    with pytest.raises(EventuneError, match="no such run directory"):
        run.require()


def test_a_folder_of_something_else_is_no_run(tmp_path):
    with pytest.raises(EventuneError, match=r"expected a run directory, found no result\.json"):
        RunDirectory(tmp_path).require()


@pytest.mark.parametrize(
    ("verb", "recipe"),
    [
        ("train", "# eventune train\nseed: 0\n"),
        ("sft", "# eventune sft\nseed: 0\n"),
        # Earlier versions did not say it.
        ("train", "ontology_file: ''\n"),
        ("sft", "prompt_column: 'ontology_file: a'\n"),
    ],
)
def test_an_unfinished_run_says_how_to_go_on(run, verb, recipe):
    prepare(run)
    (run.path / RECIPE).write_text(recipe)

    with pytest.raises(
        EventuneError, match=rf"the run is not finished\neventune {verb} .* --resume_from_checkpoint true"
    ):
        run.require()


def test_a_missing_file_is_named(run, tmp_path):
    prepare(run)
    finish(run, tmp_path)

    with pytest.raises(EventuneError, match=r"the run lacks its base\.json"):
        run.require("extractor.json", "base.json")


def test_a_result_that_was_cut_off_is_noticed(run, tmp_path):
    prepare(run)
    finish(run, tmp_path)
    (run.path / RESULT).write_text('{"seed": ')

    with pytest.raises(EventuneError, match=r"result\.json: expected JSON"):
        run.require()


def test_the_lock_of_a_folder_is_no_content_of_it(run):
    run.path.mkdir(parents=True)
    (run.path / ".lock").touch()

    prepare(run)
    prepare(run, "seed: 1\n", overwrite=True)

    assert {path.name for path in run.path.iterdir()} == {RECIPE, ".lock"}


def test_a_run_behind_another_name_of_its_folder_is_overwritten(run, tmp_path):
    prepare(run)
    run.checkpoints.mkdir()
    (tmp_path / "link").symlink_to(run.path)

    prepare(RunDirectory(tmp_path / "link"), "seed: 1\n", overwrite=True)

    assert [path.name for path in run.path.iterdir()] == [RECIPE]


def test_a_run_whose_folder_was_removed_is_not_finished(run, tmp_path):
    prepare(run)
    shutil.rmtree(run.path)

    with pytest.raises(EventuneError, match="was removed while the run went on"):
        finish(run, tmp_path)
    run.abandon()
    assert not run.path.exists()


def test_a_folder_that_cannot_be_made_is_told_by_the_setting_s_name(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(EventuneError, match=r"^output_dir: .*file/run: cannot be written"),
        RunDirectory(tmp_path / "file" / "run").locked(),
    ):
        pass


def test_a_folder_that_another_process_writes_is_told_by_the_setting_s_name(run):
    with run.locked(), pytest.raises(LockedError, match=r"^output_dir: .* is writing it"), run.locked():
        pass


def test_an_error_while_the_folder_is_held_stays_as_it_is(run):
    with pytest.raises(EventuneError, match=r"^train_file: no such file"), run.locked():
        raise EventuneError("train_file: no such file")


def test_a_setting_of_the_recipe_is_told_and_one_that_is_not_there_is_none(run):
    prepare(run, "scorer: textee\n")

    assert run.setting("scorer") == "textee"
    assert run.setting("nothing") is None
    assert RunDirectory(run.path / "nowhere").setting("scorer") is None


def trained_run(run):
    shutil.rmtree(run.path, ignore_errors=True)
    prepare(run)
    (run.checkpoints / "checkpoint-3").mkdir(parents=True)
    return staged(run)


def staged(run):
    staging = run.path / "final"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    for name in ("extractor.json", "adapter_model.safetensors"):
        (staging / name).write_text("{}")
    return staging


def test_an_overwriting_that_was_killed_at_any_change_can_be_done_again(run, killed_before):
    for number in itertools.count(1):
        run.finish(trained_run(run), {"seed": 0})
        step = RunDirectory(run.path / "detection")
        prepare(step)
        (step.path / "extractor.json").write_text("{}", encoding="utf-8")
        was_killed = killed_before(number, lambda: prepare(run, "seed: 1\n", overwrite=True))
        # What is left of the earlier run is not taken for a whole one.
        assert not run.is_complete() or len(list(run.path.iterdir())) == 5
        with run.locked():
            # A run in steps looks at its first step's folder before its own is claimed.
            step.check("seed: 1\n", overwrite=True, resume=False)
            prepare(run, "seed: 1\n", overwrite=True)
        assert {path.name for path in run.path.iterdir()} == {RECIPE}
        if not was_killed:
            break
    assert number > 8


def test_a_run_that_was_killed_at_any_change_of_its_end_is_finished_when_it_goes_on(run, killed_before):
    for number in itertools.count(1):
        staging = trained_run(run)
        was_killed = killed_before(number, lambda staging=staging: run.finish(staging, {"seed": 0}))
        with run.locked():
            if not run.is_complete():
                prepare(run, resume=True)
                run.finish(staged(run), {"seed": 0})
        names = {path.name for path in run.path.iterdir()}
        assert names == {RECIPE, RESULT, "extractor.json", "adapter_model.safetensors"}
        if not was_killed:
            break
    assert number > 5


def test_a_folder_that_no_run_wrote_is_looked_at_and_left_as_it_is(run):
    run.path.mkdir(parents=True)
    (run.path / "result.json").write_text("{}", encoding="utf-8")
    run.checkpoints.mkdir()
    (run.checkpoints / "mine").write_text("mine", encoding="utf-8")

    with run.locked(), pytest.raises(EventuneError, match="exists and is not empty"):
        prepare(run)

    assert (run.checkpoints / "mine").read_text(encoding="utf-8") == "mine"
