"""What the tasks on an encoder have in common."""

import shutil

import pytest
from transformers import BertConfig, BertModel

from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.events import Document, Event, Span
from eventune.recipe import Recipe
from eventune.runs.splits import read_splits


@pytest.fixture
def made(tiny_recipe, tiny_encoder, tmp_path):
    """Makes a task of a training on a random encoder that reads 100 tokens."""
    folder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    config = BertConfig.from_pretrained(folder, max_position_embeddings=100)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)

    def made(**changes):
        own = {"model_name_or_path": str(folder), "output_dir": str(tmp_path / "run")}
        recipe = Recipe.of({**tiny_recipe, **own, **changes})
        documents = read_splits(recipe.data, print)
        return recipe.task.load().from_recipe(recipe, documents, resolve(str(folder)), Placement.of("cpu"))

    return made


@pytest.mark.parametrize("name", ["extraction", "detection"])
def test_windows_of_long_texts_are_padded_within_what_the_encoder_reads(made, name):
    task = made(task=name)
    model, _ = task.build_model(task.backbone)
    kind = next(kind for kind in task.ontology.types if task.ontology[kind].roles)
    document = Document.from_sentences("long", [["bridge"] * 300], events=[Event(kind, Span(7, 8))])

    part, _ = task.candidates(model.eval(), [document])

    assert 88 < max(len(example.input_ids) for example in part.examples) <= 96


def test_a_length_that_is_asked_for_is_kept(made):
    assert made(max_length=90).settings.max_length == 90
    assert made(max_length=200).settings.max_length == 96


def test_dropout_that_a_base_has_no_place_for_is_told(made, monkeypatch):
    assert not any("hidden_dropout" in notice for notice in made().notices())
    monkeypatch.setattr("eventune.backbones.load.HIDDEN_DROPOUT", ())

    (notice,) = (notice for notice in made().notices() if "hidden_dropout" in notice)
    assert notice.startswith("hidden_dropout: 0.1 changes nothing: the configuration of a bert model")
    assert not any("hidden_dropout" in notice for notice in made(hidden_dropout=0.0).notices())
