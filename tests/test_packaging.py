"""What pyproject.toml promises to install is what the code imports, and what constraints.txt pins."""

import ast
import re
import sys
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, SETUPTOOLS = PYPROJECT["project"], PYPROJECT["tool"]["setuptools"]
EXTRAS = {name: found for name, found in PROJECT["optional-dependencies"].items() if name not in {"dev", "docs"}}
DOCS = PROJECT["optional-dependencies"]["docs"]
MODULE_OF = {"pyyaml": "yaml"}
COMES_ALONG = {"huggingface_hub", "packaging", "pyarrow", "pydantic_core", "starlette"}
"""What transformers, datasets, pydantic and fastapi bring with them."""


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def modules_of(requirements):
    return {MODULE_OF.get(name, name.replace("-", "_")) for name in map(name_of, requirements)}


OPTIONAL = modules_of(chain(*EXTRAS.values()))


@cache
def imported(folder):
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                # Libraries of extras are imported by name.
                found |= {node.value.partition(".")[0]} & OPTIONAL
    return found


def test_every_library_that_is_imported_is_installed():
    known = modules_of(PROJECT["dependencies"]) | OPTIONAL | COMES_ALONG
    assert imported("src") - known - sys.stdlib_module_names - {"eventune"} == set()


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_extra_has_code_that_uses_it(extra):
    folders = ["tests/serving/browser"] if extra == "browser" else ["src", "benchmarks"]
    assert modules_of(EXTRAS[extra]) <= set().union(*map(imported, folders))


def test_every_dependency_is_pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {name_of(line) for line in lines if "==" in line} | {"eventune"}
    assert set(map(name_of, chain(PROJECT["dependencies"], DOCS, *EXTRAS.values()))) - pinned == set()


def test_every_file_of_the_package_goes_into_the_wheel():
    package = ROOT / "src" / "eventune"
    patterns = SETUPTOOLS["package-data"]["eventune"]
    packed = {path for pattern in patterns for path in package.glob(pattern)}
    others = {path for path in package.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert others - packed == set()


def test_the_version_has_one_source():
    assert "version" not in PROJECT
    assert SETUPTOOLS["dynamic"]["version"] == {"attr": "eventune.__version__"}


def test_what_is_tried_after_an_installation_belongs_to_an_extra():
    assert PYPROJECT["tool"]["eventune"]["install-check"].keys() <= {"core", *EXTRAS}
