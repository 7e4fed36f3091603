import os
import time

import pytest

from eventune.errors import EventuneError
from eventune.storage.cache import cache_folder, kept


def writes(text):
    """Makes a folder with one file."""

    def write(folder):
        folder.mkdir(parents=True)
        (folder / "weights").write_text(text)

    return write


def test_who_comes_second_keeps_the_files_of_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path))

    def write(folder):
        kept("model", writes("of the first"))
        writes("of the second")(folder)

    folder = kept("model", write)

    assert (folder / "weights").read_text() == "of the first"
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"EVENTUNE_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own"),
        ({"EVENTUNE_CACHE": "", "XDG_CACHE_HOME": "/xdg"}, "/xdg/eventune"),
        ({"EVENTUNE_CACHE": "", "XDG_CACHE_HOME": ""}, os.path.expanduser("~/.cache/eventune")),  # noqa: PTH111
    ],
)
def test_the_cache_is_where_the_environment_says(monkeypatch, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert str(cache_folder()) == expected


def test_what_a_kill_left_an_hour_ago_is_removed_and_what_another_process_is_at_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path))
    old, young = tmp_path / ".model-old", tmp_path / ".model-young"
    for folder in (old, young):
        writes("half")(folder)
    hours_ago = time.time() - 7_200
    os.utime(old, (hours_ago, hours_ago))

    folder = kept("model", writes("whole"))

    assert sorted(tmp_path.iterdir()) == sorted([young, folder])


def test_without_a_home_folder_the_setting_is_named(monkeypatch):
    def no_home(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("EVENTUNE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.expanduser", no_home)
    with pytest.raises(EventuneError, match=r"expected a home folder.*\n.*set EVENTUNE_CACHE"):
        cache_folder()
