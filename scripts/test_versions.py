"""Run the tests with the lowest or the newest versions that pyproject.toml allows, in an environment of its own.

python scripts/test_versions.py lowest                   torch, transformers, peft and accelerate at their lowest
python scripts/test_versions.py newest                   all that is installed at its newest
python scripts/test_versions.py lowest --keep torch      torch as constraints.txt pins it
python scripts/test_versions.py lowest -- tests/adapters with these arguments for pytest
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from environments import PYPROJECT, ROOT, CheckFailedError, Environment

LIBRARIES = ("torch", "transformers", "peft", "accelerate")
SHOW = "import sys, importlib.metadata as found; print(*(f'{n} {found.version(n)}' for n in sys.argv[1:]), sep=', ')"


def lowest() -> dict[str, str]:
    """Return the lowest version that pyproject.toml allows of each of the libraries."""
    found = [
        re.match(r"([\w-]+)>=([\d.]+)", requirement)
        for requirement in PYPROJECT["project"]["optional-dependencies"]["train"]
    ]
    return {match[1]: match[2] for match in found if match and match[1] in LIBRARIES}


def pinned() -> dict[str, str]:
    """Return the versions that constraints.txt pins."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def versions_of(which: str, keep: list[str]) -> dict[str, str]:
    """Return the versions that are asked for; those of all else are the newest that fit.

    Args:
        which: `lowest` or `newest`.
        keep: Libraries that stay as constraints.txt pins them.
    """
    asked = lowest() if which == "lowest" else {}
    return asked | {name: pinned()[name] for name in keep}


def read_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command's arguments.

    Args:
        words: The arguments, or None for the command line's.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("lowest", "newest"))
    parser.add_argument("--keep", nargs="+", default=[], choices=LIBRARIES, help="stay as constraints.txt pins them")
    parser.add_argument("tests", nargs="*", help="arguments for pytest (default: all tests)")
    # Plain parse_args takes no argument for pytest that stands behind an option.
    return parser.parse_intermixed_args(words)


def main() -> int:
    """Make the environment and run the tests in it; exit code 1 where they fail."""
    given = read_arguments()
    with tempfile.TemporaryDirectory() as made:
        constraints = Path(made) / "constraints.txt"
        asked = versions_of(given.which, given.keep)
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in asked.items()), encoding="utf-8")
        environment = Environment(Path(made) / given.which, ("-c", str(constraints)))
        try:
            environment.install("torch")
            environment.install("-e", f"{ROOT}[demo,dev,llm]")
            print(f"{given.which}: {environment.run('python', '-c', SHOW, *LIBRARIES).strip()}", flush=True)
            pytest = ("python", "-m", "pytest", "-q", "--rootdir", str(ROOT))
            environment.run(*pytest, *_within(given.tests), is_shown=True)
        except CheckFailedError as failure:
            print(failure)
            return 1
    return 0


def _within(tests: list[str]) -> list[str]:
    """Return pytest's arguments with paths of the repository made absolute."""
    return [str(ROOT / word) if (ROOT / word).exists() else word for word in tests or ["tests"]]


if __name__ == "__main__":
    sys.exit(main())
