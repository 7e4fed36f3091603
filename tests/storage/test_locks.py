"""One process at a time writes a file or a folder."""

import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from eventune.errors import EventuneError
from eventune.storage import locks
from eventune.storage.locks import LockedError, locked

HOLD = """
import sys, time
from pathlib import Path
from eventune.storage.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
COUNT = """
import sys
from pathlib import Path
from eventune.storage.locks import locked
counter = Path(sys.argv[1])
for _ in range(25):
    with locked(counter, wait=lambda _: None):
        counter.write_text(str(int(counter.read_text()) + 1))
"""
LEND = """
import subprocess, sys
from pathlib import Path
from eventune.storage.locks import locked
with locked(Path(sys.argv[1])) as descriptor:
    child = subprocess.Popen(["sleep", "60"], pass_fds=(descriptor,), stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    child.wait()
"""


@contextmanager
def another(target):
    """Another process that holds the lock; it can be killed in the block."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(target)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_lock_leaves_nothing_behind(tmp_path):
    with locked(tmp_path / "run"):
        assert [path.name for path in tmp_path.iterdir()] == [".run.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_refused_with_the_first_one_s_number(tmp_path):
    with another(tmp_path / "run") as process:
        message = rf"run: another eventune process \(pid {process.pid}\) is writing it\nwait for it, or choose another"
        with pytest.raises(LockedError, match=message), locked(tmp_path / "run"):
            raise AssertionError("entered")
        with locked(tmp_path / "other"):
            pass


def test_another_name_of_a_folder_is_the_same_folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    for name in ("link", "run/../run", "./run"):
        with locked(tmp_path / "run"), pytest.raises(LockedError), locked(tmp_path / name):
            raise AssertionError("entered")


def test_threads_exclude_each_other_as_processes_do(tmp_path):
    refused = []

    def attempt():
        try:
            with locked(tmp_path / "run"):
                pass
        except LockedError as error:
            refused.append(error)

    with locked(tmp_path / "run"):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    with another(tmp_path / "run") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / ".run.lock").is_file()
        with locked(tmp_path / "run"):
            assert (tmp_path / ".run.lock").read_text().split()[0] == str(os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_who_waits_hears_for_whom_and_comes_next(tmp_path):
    with another(tmp_path / "run") as process:
        heard = []

        def hear(message):
            heard.append(message)
            process.kill()

        with locked(tmp_path / "run", wait=hear):
            pass
    assert heard == [f"waiting for another eventune process (pid {process.pid}), which is writing {tmp_path / 'run'}"]


def test_no_two_processes_are_inside_at_once_though_the_file_comes_and_goes(tmp_path):
    (tmp_path / "counter").write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path / "counter")]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert (tmp_path / "counter").read_text() == "100"


def test_a_child_that_was_lent_the_lock_holds_it_when_its_parent_is_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", LEND, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    try:
        parent.kill()
        parent.communicate()
        with pytest.raises(LockedError), locked(tmp_path / "run"):
            raise AssertionError("entered")
    finally:
        os.kill(child, signal.SIGKILL)
    with locked(tmp_path / "run", wait=lambda _: None):
        pass


def test_folders_above_are_made_and_removed_again_where_nothing_came_into_them(tmp_path):
    with locked(tmp_path / "a" / "b" / "run", makes_parents=True):
        (tmp_path / "a" / "file").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "file"]


def test_a_folder_that_is_missing_is_named(tmp_path):
    message = "absent/out: cannot be written: No such file or directory"
    with pytest.raises(EventuneError, match=message), locked(tmp_path / "absent" / "out"):
        raise AssertionError("entered")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(name, tmp_path):
    with pytest.raises(EventuneError, match="cannot be written"), locked(tmp_path / name):
        raise AssertionError("entered")


def test_a_folder_that_nothing_can_be_written_beside_is_locked_from_the_inside(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    # The superuser may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with locked(tmp_path / "run"):
        assert [path.name for path in (tmp_path / "run").iterdir()] == [locks.INSIDE]
        with pytest.raises(LockedError), locked(tmp_path / "run"):
            raise AssertionError("entered")


def test_a_file_system_without_flock_is_locked_by_the_file_itself(tmp_path, monkeypatch):
    class WithoutFlock(locks.FileLock):
        def _acquire(self):
            raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "FileLock", WithoutFlock)
    message = rf"another eventune process \(pid {os.getpid()}\) is writing it\n.*remove .*\.run\.lock"
    with locked(tmp_path / "run") as descriptor:
        assert descriptor is None
        with pytest.raises(LockedError, match=message), locked(tmp_path / "run"):
            raise AssertionError("entered")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_a_folder_that_was_removed_and_made_again_is_left_alone(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    with locked(folder / "run"):
        (folder / ".run.lock").unlink()
        with another(folder / "run"):
            pass
        assert (folder / ".run.lock").is_file()
    assert (folder / ".run.lock").is_file()


def test_folders_whose_names_are_too_long_together_are_one_error(tmp_path):
    with (
        pytest.raises(EventuneError, match="File name too long"),
        locked(tmp_path / ("a/" * 3000 + "b"), makes_parents=True),
    ):
        pass
