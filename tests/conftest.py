"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpora_folder():
    """Published corpora, which are no part of the repository."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    return Path(os.environ.get("EVENTUNE_CORPORA", beside))


@pytest.fixture(scope="session")
def rams_folder(corpora_folder):
    folder = corpora_folder / "rams"
    if not (folder / "dev.jsonlines").is_file():
        pytest.skip(f"needs RAMS 1.0 in {folder}; set EVENTUNE_CORPORA to the folder that holds rams/dev.jsonlines")
    return folder


@pytest.fixture(scope="session")
def rams_dev(rams_folder):
    from eventune.corpora import read_corpus

    return read_corpus(rams_folder / "dev.jsonlines")


@pytest.fixture(scope="session")
def reference_folder():
    """Outputs of the published scorers, which are no part of the repository."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    folder = Path(os.environ.get("EVENTUNE_REFERENCE", beside))
    if not (folder / "scorers").is_dir():
        pytest.skip(f"needs the official scorers' outputs in {folder}/scorers; set EVENTUNE_REFERENCE to the folder")
    return folder
