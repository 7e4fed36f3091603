"""Files that are right, for all that are made wrong."""

import pytest

from .jobs import make_templates


@pytest.fixture(scope="session")
def templates(tiny_encoder, tiny_llm, small_corpus, tmp_path_factory):
    """Folder of models, corpora, settings, and finished runs of every method."""
    folder = tmp_path_factory.mktemp("fuzz") / "templates"
    make_templates(folder, encoder=tiny_encoder, llm=tiny_llm, corpus=small_corpus)
    return folder
