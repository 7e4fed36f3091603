"""What a release consists of beside the package: citation, workflows, issue templates."""

import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

import eventune

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
versions = importlib.import_module("test_versions")

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == eventune.__version__
    assert citation.keys() >= {"cff-version", "message", "title", "authors"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_do_nothing_but_call_makes_targets(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    commands = [step["run"].split() for job in jobs.values() for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        assert command[0] == "make"
        assert command[1] in targets


def test_there_are_the_workflows_that_a_release_needs():
    assert {"tests.yml", "lint.yml", "wheel.yml", "docs.yml"} <= {path.name for path in WORKFLOWS}


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.stem != "config"], ids=lambda path: path.name)
def test_issue_templates_ask_for_something(path):
    template = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert template["name"]
    assert template["description"]
    assert any(part.get("validations", {}).get("required") for part in template["body"])


def test_the_arguments_that_pages_give_to_the_trials_of_versions_are_taken():
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "CONTRIBUTING.md")]
    given = [shlex.split(found) for page in pages for found in re.findall(r'ARGS="([^"]+)"', page)]
    assert len(given) == len(pages)
    for words in given:
        arguments = versions.read_arguments(["lowest", *words])
        assert (arguments.keep, arguments.tests) == (["torch"], ["tests/adapters"])


def test_each_library_whose_versions_are_tried_has_a_lowest_one():
    assert versions.lowest().keys() == set(versions.LIBRARIES)
