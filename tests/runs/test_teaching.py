"""A training that learns from another run beside the annotation."""

import pytest
import torch
from safetensors.torch import load_file

from eventune.backbones.placement import Placement
from eventune.corpora import read_corpus, read_ontology
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.reporter import SilentReporter
from eventune.runs.ensembles import make_ensemble
from eventune.runs.teaching import teacher_of
from eventune.runs.training import train

CPU = Placement.of("cpu", "float32")


def taught(tiny_recipe, folder, teacher, **settings):
    return train(Recipe.of({**tiny_recipe, "output_dir": str(folder), "teacher": str(teacher), **settings}))


def weights(run):
    return load_file(run / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def pupil(tiny_recipe, tiny_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught") / "pupil"
    taught(tiny_recipe, folder, tiny_run)
    return folder


def test_a_run_learns_from_another_and_opens_without_it(pupil, tiny_run, small_corpus):
    own, alone = weights(pupil), weights(tiny_run)
    assert any(not torch.equal(tensor, alone[name]) for name, tensor in own.items())
    gold = read_corpus(small_corpus / "dev.jsonl").documents
    assert Extractor.load(pupil).extract_all(gold)
    assert str(tiny_run) in (pupil / "recipe.yaml").read_text(encoding="utf-8")


def test_the_same_teacher_gives_the_same_bits(pupil, tiny_recipe, tiny_run, tmp_path):
    taught(tiny_recipe, tmp_path / "again", tiny_run)
    again = weights(tmp_path / "again")
    assert all(torch.equal(tensor, again[name]) for name, tensor in weights(pupil).items())


def test_a_batch_in_parts_takes_the_step_of_the_whole(pupil, tiny_recipe, tiny_run, tmp_path):
    taught(tiny_recipe, tmp_path / "parts", tiny_run, activation_memory=1e-4, head_dropout=0.0, hidden_dropout=0.0)
    taught(tiny_recipe, tmp_path / "whole", tiny_run, activation_memory=0, head_dropout=0.0, hidden_dropout=0.0)
    whole = weights(tmp_path / "whole")
    for name, tensor in weights(tmp_path / "parts").items():
        torch.testing.assert_close(tensor, whole[name], atol=2e-3, rtol=2e-3)


def test_an_ensemble_teaches_what_its_members_say(tiny_recipe, tiny_run, pupil, tmp_path):
    make_ensemble([tiny_run, pupil], tmp_path / "both", scorer="rams", placement=CPU)
    documents = read_corpus(tiny_recipe["dev_file"]).documents
    ontology = read_ontology(tiny_run / "ontology.yaml")
    both, first, second = (
        teacher_of(str(run), device="cpu", batch_size=8, reporter=SilentReporter())(documents, ontology)
        for run in (tmp_path / "both", tiny_run, pupil)
    )
    assert both == {place: [*readings, *second[place]] for place, readings in first.items()}


def test_a_run_with_steps_teaches_arguments(tiny_recipe, tmp_path):
    events = {**tiny_recipe, "task": "events", "num_train_epochs": 1}
    train(Recipe.of({**events, "output_dir": str(tmp_path / "teacher")}))
    own = {"arguments": {"teacher": str(tmp_path / "teacher")}}
    assert train(Recipe.of({**events, **own, "output_dir": str(tmp_path / "pupil")})).scores


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"teacher": "absent"}, "absent"),
        ({"extractor": "question"}, "expected extractor: joint"),
        ({"task": "detection"}, "teacher"),
    ],
)
def test_what_cannot_teach_or_learn_is_refused(tiny_recipe, tiny_run, tmp_path, settings, told):
    with pytest.raises(EventuneError, match=told):
        taught(tiny_recipe, tmp_path / "run", **{"teacher": tiny_run, **settings})
    assert not (tmp_path / "run" / "result.json").exists()


def test_a_run_that_scores_no_spans_is_no_teacher(tiny_recipe, tmp_path):
    detection = {**tiny_recipe, "task": "detection", "num_train_epochs": 1, "output_dir": str(tmp_path / "triggers")}
    train(Recipe.of(detection))
    with pytest.raises(EventuneError, match="expected a run with task: extraction or ensemble"):
        taught(tiny_recipe, tmp_path / "run", tmp_path / "triggers")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"dev_file": "", "dev_fraction": 0.2}, "with dev_file: '', found"),
        ({"train_file": "dev", "dev_file": "train"}, "which is scored here"),
    ],
)
def test_a_teacher_that_has_seen_what_is_scored_is_refused(tiny_recipe, tiny_run, tmp_path, settings, told):
    files = {"dev": tiny_recipe["dev_file"], "train": tiny_recipe["train_file"]}
    changes = {name: files.get(value, value) if "file" in name else value for name, value in settings.items()}
    with pytest.raises(EventuneError, match=told):
        taught(tiny_recipe, tmp_path / "run", tiny_run, **changes)


def test_a_teacher_draws_none_of_the_training_s_random_numbers(tiny_run, tiny_recipe):
    read = teacher_of(str(tiny_run), device="cpu", batch_size=8, reporter=SilentReporter())
    state = torch.random.get_rng_state()
    read(read_corpus(tiny_recipe["dev_file"]).documents, read_ontology(tiny_run / "ontology.yaml"))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_new_run_cannot_take_its_teacher_s_place(tiny_recipe, pupil):
    with pytest.raises(EventuneError, match="teacher: expected a run outside of output_dir"):
        taught(tiny_recipe, pupil, pupil, overwrite_output_dir=True)
    assert (pupil / "result.json").exists()
