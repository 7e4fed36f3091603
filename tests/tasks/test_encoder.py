"""What the tasks on an encoder have in common."""

import json
import shutil

import pytest
from transformers import BertConfig, BertModel

from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.errors import InvalidValueError
from eventune.events import Document, Event, Span
from eventune.recipe import Recipe
from eventune.runs.splits import read_splits
from eventune.storage.validation import read_settings
from eventune.tasks.encoder_settings import DetectionSettings
from eventune.tasks.limits import MOST_LENGTH


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


@pytest.mark.parametrize(("name", "most"), [("max_trigger_length", 1_000), ("max_length", MOST_LENGTH)])
def test_lengths_in_a_run_s_settings_are_bounded(tmp_path, name, most):
    path = tmp_path / "extractor.json"
    own = {"method": "lora", "max_length": 96, "max_trigger_length": 4, "type_reading": "beside"}
    own["margins"] = {"alone": 0.0, "overlapping": 2.0}
    path.write_text(json.dumps(own | {name: most}), encoding="utf-8")
    assert getattr(read_settings(path, DetectionSettings), name) == most
    path.write_text(json.dumps(own | {name: most + 1}), encoding="utf-8")

    with pytest.raises(InvalidValueError, match=name):
        read_settings(path, DetectionSettings)
