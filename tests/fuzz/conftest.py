"""Files that are right, for all that are made wrong."""

import shutil

import pytest

from .jobs import add_templates, make_templates

NAMES = ("dev.jsonl", "train.jsonl", "ontology.yaml", "rows.jsonl", "encoder", "llm")


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


@pytest.fixture
def place(templates, tmp_path, monkeypatch):
    """The working directory, with copies of all templates that are asked for; others are links."""
    for name in NAMES:
        (tmp_path / name).symlink_to(templates / name)
    monkeypatch.chdir(tmp_path)

    def copy(name, to=""):
        target = tmp_path / (to or name)
        if target.is_symlink():
            target.unlink()
        (shutil.copytree if (templates / name).is_dir() else shutil.copyfile)(templates / name, target)
        return target

    return copy
