"""Benchmarks and scripts, which no other test runs: what they take of the package is there."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted([*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "scripts").rglob("*.py")])


def taken(script):
    """Yields the modules of the package that a script imports, and the names that it takes from each."""
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "eventune":
            yield node.module, [alias.name for alias in node.names]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_what_a_script_imports_exists(script):
    for name, names in taken(script):
        module = importlib.import_module(name)
        missing = [each for each in names if not hasattr(module, each)]
        for each in missing:
            importlib.import_module(f"{name}.{each}")
