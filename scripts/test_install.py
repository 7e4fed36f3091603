"""Install each extra of pyproject.toml from the wheel in an environment of its own, and try it.

python scripts/test_install.py             all extras, and `core` without any
python scripts/test_install.py core llm    these

What is tried stands in pyproject.toml, [tool.eventune.install-check]; the extra's libraries are imported in any case.
What one extra makes for another is in {shared}.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
import time
from pathlib import Path

from environments import PYPROJECT, ROOT, CheckFailedError, Environment, build_wheel

CORE = "core"
EXTRAS: dict[str, list[str]] = {
    CORE: PYPROJECT["project"]["dependencies"],
    **PYPROJECT["project"]["optional-dependencies"],
}
COMMANDS: dict[str, list[str]] = PYPROJECT["tool"]["eventune"]["install-check"]
MAKER = "export"
"""The extra that makes what others use."""
IMPORT_ALL = """
import importlib, importlib.metadata as metadata, sys
modules = {}
for module, names in metadata.packages_distributions().items():
    for name in names:
        modules.setdefault(name.lower().replace("_", "-"), []).append(module)
for name in sys.argv[1:]:
    for module in modules[name]:
        if module.isidentifier() and not module.startswith("_"):
            importlib.import_module(module)
"""


def check(extra: str, wheel: Path, folder: Path, shared: Path) -> str:
    """Install an extra and try it.

    Args:
        extra: Its name, or `CORE`.
        wheel: The wheel.
        folder: Where the environment goes.
        shared: Where an extra's commands put what those of another one use.

    Returns:
        What it took.

    Raises:
        CheckFailedError: If a command fails.
    """
    started = time.monotonic()
    environment = Environment(folder, ("-c", str(ROOT / "constraints.txt")))
    if _needs_torch(extra):
        # First of all, so that the index of the user's choice decides which build it is.
        environment.install("torch")
    environment.install(str(wheel) if extra == CORE else f"{wheel}[{extra}]")
    environment.run("pip", "check")
    installed = time.monotonic()
    libraries = [re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-") for requirement in EXTRAS[extra]]
    environment.run("python", "-c", IMPORT_ALL, *libraries)
    for command in COMMANDS.get(extra, []):
        environment.run(*(word.format(root=ROOT, shared=shared) for word in shlex.split(command)))
    tried = time.monotonic()
    seconds = f"installed in {installed - started:.0f} s, tried in {tried - installed:.0f} s"
    return f"{seconds}, {environment.megabytes():,} MB on the disk"


def _needs_torch(extra: str) -> bool:
    named = {re.split(r"[^\w.-]", requirement)[0] for requirement in EXTRAS[extra]}
    return bool(named & {"torch", "eventune"})


def main() -> int:
    """Check the extras and say how each fared; exit code 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extras", metavar="EXTRA", nargs="*", help=", ".join(EXTRAS))
    chosen = parser.parse_args().extras or list(EXTRAS)
    if unknown := set(chosen) - EXTRAS.keys():
        parser.error(f"expected {', '.join(EXTRAS)}, found {', '.join(unknown)}")
    if MAKER not in chosen and any("{shared}" in command for extra in chosen for command in COMMANDS.get(extra, [])):
        chosen = [MAKER, *chosen]
    failed = 0
    with tempfile.TemporaryDirectory() as built:
        wheel = build_wheel(Path(built))
        for extra in chosen:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    outcome = check(extra, wheel, Path(folder) / extra, Path(built))
                except CheckFailedError as failure:
                    outcome, failed = f"FAILED: {failure}", failed + 1
            print(f"{extra}: {outcome}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
