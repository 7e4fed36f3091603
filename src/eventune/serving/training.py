"""A run that is trained beside the server, in a process of its own, to be served when it is complete."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from eventune.errors import EventuneError
from eventune.serving.runs import ServedRun
from eventune.storage.paths import exists, make_folder, reason_of

IDLE, RUNNING, SERVED, FAILED = "idle", "running", "served", "failed"
_STOP_SECONDS = 10
_logger = logging.getLogger(__name__)

Load = Callable[[], ServedRun]
"""Loads the run that was made."""


class Training:
    """Makes runs by one recipe, one at a time; all methods may be called from any thread.

    Attributes:
        state: How the last one fares: idle, running, served or failed.
        run: Name of the folder that it is made in; empty where there was none.
    """

    def __init__(self, recipe: str, output_dir: Path, load: Callable[[Path], ServedRun]) -> None:
        """Set up.

        Args:
            recipe: The recipe, as `eventune train` takes it.
            output_dir: The folder of the first run; the next ones have its name with a number.
            load: Loads a run from its folder.
        """
        self.state, self.run = IDLE, ""
        self._recipe, self._output_dir, self._load = recipe, output_dir, load
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, exchange: Callable[[Load], None]) -> bool:
        """Begin a run, if none is being made.

        Args:
            exchange: Called with what loads the run when it is complete, from a thread of its own.

        Returns:
            Whether it was begun.

        Raises:
            EventuneError: If its folder's place cannot be written to, or no process can be started.
        """
        with self._lock:
            if self.state == RUNNING:
                return False
            folder = self._next_folder()
            make_folder(folder.parent)
            self._process = self._begun(folder)
            self.state, self.run = RUNNING, folder.name
        arguments = (self._process, folder, exchange)
        threading.Thread(target=self._finish, args=arguments, name="eventune-training", daemon=True).start()
        return True

    def stop(self) -> None:
        """End the process that is at work; `eventune train --resume_from_checkpoint true` goes on with its run."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _begun(self, folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "eventune", "train", self._recipe, "--output_dir", str(folder)]
        try:
            with _log_of(folder).open("wb") as log:
                return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except OSError as error:
            message = f"eventune train: cannot be started with the log {_log_of(folder)}: {reason_of(error)}"
            raise EventuneError(message, "see whether its folder can be written to, or choose another") from None

    def _finish(self, process: subprocess.Popen[bytes], folder: Path, exchange: Callable[[Load], None]) -> None:
        code = process.wait()
        try:
            if code:
                raise EventuneError(f"eventune train: expected exit code 0, found {code}", f"see {_log_of(folder)}")
            exchange(lambda: self._load(folder))
        except Exception as error:
            # Whatever it is, such as too little memory: the next one must be able to begin.
            _logger.warning("%s is not served: %s", folder, error, exc_info=not isinstance(error, EventuneError))
            self.state = FAILED
        else:
            _logger.warning("%s is served now", folder)
            self.state = SERVED

    def _next_folder(self) -> Path:
        number = 1
        folder = self._output_dir
        while exists(folder) or exists(_log_of(folder)):
            number += 1
            folder = self._output_dir.with_name(f"{self._output_dir.name}-{number}")
        return folder


def _log_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.log")
