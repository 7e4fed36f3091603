"""Files that are right, for all that are made wrong."""

import shutil

import pytest

from .jobs import add_templates, make_templates


@pytest.fixture(scope="session")
def templates(tiny_encoder, tiny_llm, small_corpus, tmp_path_factory):
    """Folder of models, corpora, settings, and runs."""
    folder = tmp_path_factory.mktemp("fuzz") / "templates"
    make_templates(folder, encoder=tiny_encoder, llm=tiny_llm, corpus=small_corpus)
    return folder


@pytest.fixture(scope="session")
def all_templates(templates, tmp_path_factory):
    """The same, with runs of every method and kind."""
    folder = tmp_path_factory.mktemp("fuzz-all") / "templates"
    shutil.copytree(templates, folder)
    add_templates(folder)
    return folder
