"""A training that starts from the weights of another run."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.starting import start_from
from eventune.adapters.store import trained_weights
from eventune.backbones.load import load_encoder
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus, read_ontology
from eventune.errors import EventuneError
from eventune.events import Document, EventType, Ontology
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.opening import load_run, open_run
from eventune.runs.starting import starting_weights
from eventune.runs.training import train


@pytest.fixture(scope="module")
def detection(tiny_recipe, tmp_path_factory):
    """A run that finds triggers of types by their names alone."""
    folder = tmp_path_factory.mktemp("runs") / "detection"
    own = {"task": "detection", "type_embeddings": False, "num_train_epochs": 8}
    train(Recipe.of({**tiny_recipe, **own, "output_dir": str(folder)}))
    return folder


def loaded(run):
    return load_run(open_run(run), placement=Placement.of("cpu", "float32"), batch_size=8)


def weights(run):
    return load_file(run / "adapter_model.safetensors")


def started(run, adapter, *, source=None, **sizes):
    """Return a run's task, and a model with what `adapter` says attached that starts from the run, or `source`."""
    task = loaded(run).task
    backbone = load_encoder(task.backbone.base)
    plain, anatomy = task.build_model(backbone)
    for name, size in sizes.items():
        setattr(plain.scorer, name, torch.nn.Parameter(torch.zeros(size)))
    model = attach(plain, adapter, anatomy=anatomy, base_name="tiny")
    start_from(model, source or run, anatomy=anatomy)
    return task, model.eval()


def outputs(task, model):
    with torch.inference_mode():
        return task.outputs(model.eval())


def test_the_same_adapter_goes_on_where_the_run_ended(tiny_run):
    task, model = started(tiny_run, AdapterArguments())

    run = loaded(tiny_run)
    with run.active() as trained:
        assert torch.equal(outputs(task, model), outputs(run.task, trained))


@pytest.mark.parametrize(
    "adapter",
    [
        AdapterArguments(lora_r=32, lora_alpha=64),
        AdapterArguments(lora_r=32),
        AdapterArguments(lora_alpha=32),
        AdapterArguments(lora_r=16, use_rslora=True),
        AdapterArguments(lora_r=16, alpha_pattern={"query": 4}, rank_pattern={"key": 64}),
    ],
)
def test_an_adapter_of_a_higher_rank_or_another_scale_says_the_same_before_its_first_step(tiny_run, adapter):
    task, model = started(tiny_run, adapter)

    run = loaded(tiny_run)
    with run.active() as trained:
        torch.testing.assert_close(outputs(task, model), outputs(run.task, trained), atol=1e-4, rtol=1e-4)
    ranks = {tensor.shape[0] for name, tensor in trained_weights(model).items() if ".lora_A." in name}
    assert max(ranks) == max([adapter.lora_r, *adapter.rank_pattern.values()])


def test_what_a_higher_rank_adds_can_learn(tiny_run):
    _, model = started(tiny_run, AdapterArguments(lora_r=32))

    own = trained_weights(model)
    assert all(tensor[8:].any() for name, tensor in own.items() if ".lora_A." in name)
    assert not any(tensor[:, 8:].any() for name, tensor in own.items() if ".lora_B." in name)


def test_full_fine_tuning_goes_on_from_base_and_adapter_merged(tiny_run):
    task, model = started(tiny_run, AdapterArguments(method="full"))

    run = loaded(tiny_run)
    with run.active() as trained:
        torch.testing.assert_close(outputs(task, model), outputs(run.task, trained), atol=1e-4, rtol=1e-4)
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("length", [5, 30])
def test_of_a_vector_of_another_length_the_common_part_is_taken(tiny_run, length):
    own = weights(tiny_run)["base_model.model.scorer.width"]

    _, model = started(tiny_run, AdapterArguments(), width=length)

    width = trained_weights(model)["base_model.model.scorer.width"]
    common = min(length, len(own))
    assert torch.equal(width[:common], own[:common])
    assert not width[common:].any()


@pytest.mark.parametrize(
    ("adapter", "found"),
    [
        (AdapterArguments(lora_r=32, lora_target_modules=".*query"), "expected weights that fit"),
        (AdapterArguments(init_lora_weights="pissa"), "init_lora_weights: expected pissa, found default"),
        (AdapterArguments(use_dora=True), r"lora_magnitude_vector.*: expected \(\d+,\), found none"),
        (AdapterArguments(init_lora_weights="olora"), "init_lora_weights: expected olora, found default"),
        (AdapterArguments(method="ia3"), "expected weights that fit"),
        (AdapterArguments(method="bitfit"), "expected weights that fit"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(tiny_run, adapter, found):
    with pytest.raises(EventuneError, match=found) as raised:
        started(tiny_run, adapter)

    assert "method: full" in raised.value.hint


def test_an_adapter_of_a_changed_base_goes_on_only_where_the_base_is_changed_in_the_same_way(tiny_run, tmp_path):
    source = shutil.copytree(tiny_run, tmp_path / "source")
    config = json.loads((source / "adapter_config.json").read_text(encoding="utf-8"))
    (source / "adapter_config.json").write_text(json.dumps(config | {"init_lora_weights": "pissa"}), encoding="utf-8")

    for kind in ("default", "olora"):
        with pytest.raises(EventuneError, match=f"init_lora_weights: expected {kind}, found pissa"):
            started(tiny_run, AdapterArguments(init_lora_weights=kind), source=source)
    _, model = started(tiny_run, AdapterArguments(init_lora_weights="pissa"), source=source)
    own = weights(tiny_run)
    assert all(torch.equal(tensor, own[name]) for name, tensor in trained_weights(model).items())


def test_a_recipe_says_which_run_and_less_training_is_needed(tiny_recipe, tiny_run, tmp_path):
    few = {**tiny_recipe, "num_train_epochs": 1, "learning_rate": 1e-5, "head_learning_rate": 1e-5}

    fresh = train(Recipe.of({**few, "output_dir": str(tmp_path / "fresh")}))
    warm = train(Recipe.of({**few, "output_dir": str(tmp_path / "warm"), "init_from": str(tiny_run)}))

    assert warm.scores["dev"]["metrics"]["f1"] > fresh.scores["dev"]["metrics"]["f1"]


def test_a_step_starts_from_the_step_with_its_task(tiny_recipe, tmp_path):
    steps = {**tiny_recipe, "task": "events", "num_train_epochs": 1}
    train(Recipe.of({**steps, "output_dir": str(tmp_path / "first")}))

    train(Recipe.of({**steps, "output_dir": str(tmp_path / "second"), "init_from": str(tmp_path / "first")}))

    base = resolve(tiny_recipe["model_name_or_path"])
    found = starting_weights(str(tmp_path / "second"), task="detection", base=base)
    assert found == tmp_path / "second" / "detection"


def contents(run):
    return {path.relative_to(run): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("source", "output_dir", "settings"),
    [
        ("run", "run", {}),
        ("link", "run", {}),
        ("run/arguments", "run", {}),
        ("run", "run/arguments", {}),
        ("run", "run", {"task": "events"}),
        ("run/arguments", "link", {"task": "events"}),
    ],
)
def test_a_run_that_the_new_one_takes_the_place_of_is_refused_before_anything_is_removed(
    tiny_recipe, tiny_run, tmp_path, source, output_dir, settings
):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    shutil.copytree(tiny_run, run / "arguments")
    (tmp_path / "link").symlink_to(run)
    before = contents(run)
    start, folders = {"init_from": str(tmp_path / source)}, {"output_dir": str(tmp_path / output_dir)}
    own = {"arguments": start} if settings else start

    with pytest.raises(EventuneError, match="init_from: expected a run outside of output_dir") as raised:
        train(Recipe.of({**tiny_recipe, **settings, **own, **folders, "overwrite_output_dir": True}))

    assert raised.value.hint.startswith("choose another output_dir")
    assert contents(run) == before


def test_a_run_may_be_made_beside_or_in_the_one_that_it_starts_from(tiny_recipe, tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    few = {**tiny_recipe, "num_train_epochs": 1, "init_from": str(run)}
    assert train(Recipe.of({**few, "output_dir": str(tmp_path / "run-2")})).scores
    assert train(Recipe.of({**few, "output_dir": str(run / "more")})).scores


def test_a_run_of_another_task_is_refused(tiny_recipe, tiny_run, detection):
    base = resolve(tiny_recipe["model_name_or_path"])

    with pytest.raises(EventuneError, match=r"task: detection, found .* task: extraction"):
        starting_weights(str(tiny_run), task="detection", base=base)


def test_a_run_on_another_base_is_refused(tiny_run, tiny_llm):
    with pytest.raises(EventuneError, match=r"was trained on .* whose weights are not those of"):
        starting_weights(str(tiny_run), task="extraction", base=resolve(str(tiny_llm)))


def test_learned_vectors_of_types_stay_behind_where_the_types_are_others(tiny_recipe, detection, tmp_path):
    own = {"task": "detection", "num_train_epochs": 1, "init_from": str(detection)}
    train(Recipe.of({**tiny_recipe, **own, "output_dir": str(tmp_path / "typed")}))
    typed = loaded(tmp_path / "typed").task

    assert typed.fresh_heads(tmp_path / "typed") == ()
    assert typed.for_ontology(typed.ontology).ontology is typed.ontology
    other = Ontology.of([EventType("landing", ())])
    with pytest.raises(EventuneError, match="type_embeddings: false"):
        typed.for_ontology(other)
    assert loaded(detection).task.for_ontology(other).fresh_heads(detection) == ("prototypes",)


def test_without_learned_vectors_a_run_finds_the_types_of_any_ontology(detection, tiny_run, small_corpus):
    documents = [document.with_events(()) for document in read_corpus(small_corpus / "dev.jsonl").documents]
    ontology = read_ontology(small_corpus / "ontology.yaml")
    renamed = Ontology.of(
        EventType(f"{event_type.name} x", event_type.roles, event_type.description)
        for event_type in (ontology[name] for name in ontology.types)
    )

    extractor = Extractor.load(detection, ontology=renamed)
    found = extractor.extract_all(documents)

    assert not any("prototypes" in name for name in weights(detection))
    assert {event.type for document in found for event in document.events} <= set(renamed.types)
    assert any(document.events for document in found)
    assert extractor.fingerprint != Extractor.load(detection).fingerprint
    arguments = Extractor.load(tiny_run, ontology=renamed)
    assert isinstance(arguments.extract(found[0]), Document)
