"""What killed processes left beside a file is cleared away by the next one that writes it."""

import shutil
from pathlib import Path

import pytest

from eventune.errors import EventuneError
from eventune.storage.atomic import atomic_file, atomic_folder, remove_staged, require_new, write_atomically
from eventune.storage.locks import creating

LONGEST = f"{'文' * 83}.jsonl"
"""A name of 255 bytes, which leaves no room for an ending."""


def test_what_a_killed_process_left_of_a_file_is_removed_when_it_is_made_again(tmp_path):
    (tmp_path / ".out.jsonl.123.tmp").write_text("half of it")
    (tmp_path / ".out.jsonl.124.tmp").mkdir()
    (tmp_path / ".other.jsonl.123.tmp").write_text("somebody else's")

    with creating(tmp_path / "out.jsonl"):
        write_atomically(tmp_path / "out.jsonl", "whole\n")

    assert {path.name for path in tmp_path.iterdir()} == {"out.jsonl", ".other.jsonl.123.tmp"}


@pytest.mark.parametrize("name", ["file", "folder", "link"])
def test_what_exists_is_not_made_again(name, tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(EventuneError, match=f"{name}: exists already\nchoose another place"), creating(tmp_path / name):
        raise AssertionError("entered")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder", "link"}


def test_a_file_that_is_to_be_made_is_not_there_and_its_folder_is(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(EventuneError, match=r"--html: .*link: exists already"):
        require_new(tmp_path / "link", flag="--html")
    with pytest.raises(EventuneError, match=r"--html: .*absent/x: its folder does not exist"):
        require_new(tmp_path / "absent" / "x", flag="--html")
    require_new(tmp_path / "x", flag="--html")


def test_a_folder_whose_place_was_removed_is_not_made(tmp_path):
    (tmp_path / "runs").mkdir()
    with (
        pytest.raises(EventuneError, match=r"new: cannot be written: .*\nits folder is not there"),
        atomic_folder(tmp_path / "runs" / "new"),
    ):
        shutil.rmtree(tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def test_a_current_folder_that_was_removed_is_one_clear_error(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with (
        pytest.raises(EventuneError, match=r"out: cannot be written: .*\nits folder is not there"),
        creating(Path("out")),
    ):
        raise AssertionError("entered")
    monkeypatch.chdir(tmp_path)


def test_a_name_that_is_as_long_as_a_name_can_be_is_written(tmp_path):
    with creating(tmp_path / LONGEST):
        write_atomically(tmp_path / LONGEST, "whole\n")
    with atomic_folder(tmp_path / LONGEST.replace("jsonl", "brats")) as staging:
        (staging / "file").touch()

    assert {path.name for path in tmp_path.iterdir()} == {LONGEST, LONGEST.replace("jsonl", "brats")}


def test_what_a_kill_left_of_a_file_with_a_long_name_is_removed_and_that_of_another_stays(tmp_path):
    left = []
    for name in (LONGEST, f"{LONGEST[:-6]}.other"):
        with atomic_file(tmp_path / name) as staging:
            staging.touch()
        staging.touch()
        left.append(staging)

    remove_staged(tmp_path / LONGEST)

    assert [staging.exists() for staging in left] == [False, True]


@pytest.mark.parametrize("name", ["文" * 86, "file/below"], ids=["too long", "below a file"])
def test_a_place_where_no_file_can_be_is_one_clear_error(name, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EventuneError, match="cannot be written: "):
        write_atomically(tmp_path / name, "x")
