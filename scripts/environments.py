"""Environments of their own, with a wheel of this project in them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


class CheckFailedError(Exception):
    """A check that failed; the message says which."""


def build_wheel(folder: Path) -> Path:
    """Build the sdist, and from it the wheel.

    Args:
        folder: Where both go.

    Returns:
        The wheel.

    Raises:
        CheckFailedError: If it cannot be built, or a file of the package that git knows is not in it.
    """
    with tempfile.TemporaryDirectory() as made:
        environment = Environment(Path(made) / "build")
        environment.install("build")
        environment.run("python", "-m", "build", "--outdir", str(folder), str(ROOT))
    wheel = max(folder.glob("eventune-*.whl"), key=lambda path: path.stat().st_mtime)
    listed = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, check=False, capture_output=True, text=True)
    # Nothing is listed where this is no clone, but an unpacked archive.
    with zipfile.ZipFile(wheel) as archive:
        lacking = {line.removeprefix("src/") for line in listed.stdout.splitlines()} - set(archive.namelist())
    if lacking:
        raise CheckFailedError(f"{wheel.name} lacks {', '.join(sorted(lacking))}")
    return wheel


class Environment:
    """A virtual environment in an empty folder, in which commands run as a stranger runs them."""

    def __init__(self, folder: Path, constraints: Sequence[str] = ()) -> None:
        """Make it.

        Args:
            folder: Where; it must not exist.
            constraints: pip's options that say which versions are taken.
        """
        self._venv, self._work = folder / "venv", folder / "work"
        self._work.mkdir(parents=True)
        self._constraints = constraints
        subprocess.run([sys.executable, "-m", "venv", self._venv], check=True)

    def install(self, *words: str) -> None:
        """Run `pip install`."""
        self.run("pip", "install", "-q", *self._constraints, *words)

    def run(self, *words: str, is_shown: bool = False) -> str:
        """Run a command outside the repository and return what it prints.

        Args:
            words: The command.
            is_shown: Whether what it prints is seen as it comes; nothing is returned then.

        Raises:
            CheckFailedError: If it fails.
        """
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        path = f"{self._venv / 'bin'}{os.pathsep}{inherited['PATH']}"
        done = subprocess.run(
            words, cwd=self._work, env={**inherited, "PATH": path}, capture_output=not is_shown, text=True, check=False
        )
        out, errors = done.stdout or "", done.stderr or ""
        if done.returncode:
            raise CheckFailedError(f"{' '.join(words)}: exit code {done.returncode}\n{out[-2000:]}{errors[-2000:]}")
        return out

    def megabytes(self) -> int:
        """Return the size of all that is installed."""
        return sum(path.lstat().st_size for path in self._venv.rglob("*") if not path.is_dir()) // 10**6
