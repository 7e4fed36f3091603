"""Several runs as one."""

import json
import shutil
from dataclasses import replace

import pytest
from safetensors.torch import load_file, save_file

from eventune.backbones.placement import Placement
from eventune.corpora import read_corpus, read_ontology, write_corpus, write_ontology
from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.ensembles import make_ensemble
from eventune.runs.joining import join, load_steps
from eventune.runs.opening import load_run, open_run
from eventune.runs.training import train
from eventune.scoring import score

CPU = Placement.of("cpu")


@pytest.fixture(scope="module")
def other_run(tiny_recipe, tmp_path_factory):
    """A second run on the same documents, which reads what is near a trigger twice."""
    folder = tmp_path_factory.mktemp("runs") / "other"
    train(Recipe.of({**tiny_recipe, "seed": 1, "near_window": 16, "output_dir": str(folder)}))
    return folder


@pytest.fixture(scope="module")
def ensemble(tiny_run, other_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensembles") / "both"
    make_ensemble([tiny_run, other_run], folder, scorer="rams", placement=CPU)
    return folder


@pytest.fixture
def documents(tiny_recipe):
    return read_corpus(tiny_recipe["dev_file"]).documents


def candidates(run, documents):
    """What a run finds for each role of each event, best first."""
    loaded = load_run(open_run(run), placement=CPU, batch_size=8)
    with loaded.active() as model:
        return loaded.task.candidates(model, documents)[1]


def readings(run, documents):
    loaded = load_run(open_run(run), placement=CPU, batch_size=8)
    with loaded.active() as model:
        return loaded.task.readings(model, documents)


def test_log_odds_are_the_mean_of_all_readings(ensemble, tiny_run, other_run, documents):
    found = candidates(ensemble, documents)
    of_both = [readings(run, documents) for run in (tiny_run, other_run)]
    assert {len(own) for own in of_both[0].values()} == {1}
    assert max(len(own) for own in of_both[1].values()) == 2
    for place, roles in found.items():
        own = [reading for run in of_both for reading in run[place]]
        for number, chosen in enumerate(roles):
            odds = [{candidate.span: candidate.log_odds for candidate in reading[number]} for reading in own]
            for candidate in chosen:
                # Of a span that a reading does not list, it says a little less than of its last.
                told = [each.get(candidate.span, min(each.values()) - 1) for each in odds]
                assert candidate.log_odds == pytest.approx(sum(told) / len(told), abs=1e-5)


def test_a_run_twice_finds_what_it_finds_once(tiny_run, documents, tmp_path):
    make_ensemble([tiny_run, tiny_run], tmp_path / "twice", scorer="rams", placement=CPU)
    once, twice = candidates(tiny_run, documents), candidates(tmp_path / "twice", documents)
    assert once.keys() == twice.keys()
    for place, roles in once.items():
        for own, found in zip(roles, twice[place], strict=True):
            assert [candidate.span for candidate in found] == [candidate.span for candidate in own]
            assert [c.log_odds for c in found] == pytest.approx([c.log_odds for c in own], abs=1e-5)


def test_it_is_opened_by_itself_and_scores_as_it_was_told(ensemble, documents, tmp_path):
    moved = shutil.copytree(ensemble, tmp_path / "moved")
    extractor = Extractor.load(moved, device="cpu")
    found = extractor.extract_all(documents)
    told = json.loads((moved / "result.json").read_text(encoding="utf-8"))
    assert told["scores"]["dev"]["metrics"]["f1"] == score(documents, found, scorer="rams").f1
    settings = json.loads((moved / "ensemble.json").read_text(encoding="utf-8"))
    assert settings["members"] == 2
    assert 0 < settings["margins"]["threshold"] <= 1, "it has a calibration of its own"


def test_a_member_s_weights_are_part_of_its_fingerprint(ensemble, tiny_run, other_run, tmp_path):
    changed = shutil.copytree(ensemble, tmp_path / "changed")
    shutil.copyfile(tiny_run / "adapter_model.safetensors", changed / "members" / "2" / "adapter_model.safetensors")
    edited = shutil.copytree(ensemble, tmp_path / "edited")
    settings = edited / "members" / "2" / "extractor.json"
    settings.write_text(settings.read_text("utf-8").replace('"near_window": 16', '"near_window": 32'), "utf-8")
    fingerprints = {Extractor.load(run, device="cpu").fingerprint for run in (ensemble, changed, edited, tiny_run)}
    assert len(fingerprints) == 4


def test_it_finds_the_types_of_another_ontology(ensemble, documents):
    ontology = Extractor.load(ensemble, device="cpu").ontology
    name = next(iter(ontology.types))
    other = type(ontology).of([replace(ontology[name], name="renamed")])
    extractor = Extractor.load(ensemble, ontology=other, device="cpu")
    assert list(extractor.ontology.types) == ["renamed"]
    extractor.extract("Rebels [[shelled|renamed]] the old bridge.")


def test_members_on_one_base_share_it(ensemble):
    loaded = load_run(open_run(ensemble), placement=CPU, batch_size=8)
    bases = {id(member.base.backbone.model) for member in loaded.task._members}
    assert len(bases) == 1


def test_what_finds_the_triggers_shares_it_too(tiny_recipe, ensemble, tmp_path):
    train(Recipe.of({**tiny_recipe, "task": "detection", "num_train_epochs": 1, "output_dir": str(tmp_path / "run")}))
    steps = load_steps(join(open_run(ensemble), open_run(tmp_path / "run")), placement=CPU, batch_size=8)
    bases = {id(member.base) for member in (steps.detection, *steps.arguments.task._members)}
    assert len(bases) == 1


def test_a_base_that_has_moved_is_told(tiny_recipe, tiny_run, tmp_path):
    base = shutil.copytree(tiny_recipe["model_name_or_path"], tmp_path / "base")
    moved = shutil.copytree(tiny_run, tmp_path / "run")
    record = json.loads((moved / "base.json").read_text(encoding="utf-8"))
    (moved / "base.json").write_text(json.dumps({**record, "name_or_path": str(tmp_path / "gone")}), encoding="utf-8")
    with pytest.raises(EventuneError, match="gone"):
        make_ensemble([moved, tiny_run], tmp_path / "both", scorer="rams", placement=CPU)
    make_ensemble([moved, tiny_run], tmp_path / "both", scorer="rams", model_name_or_path=str(base), placement=CPU)


def test_a_base_that_is_told_is_that_of_the_runs_that_were_trained_on_it(tiny_recipe, ensemble, tmp_path):
    other = shutil.copytree(tiny_recipe["model_name_or_path"], tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, other / "model.safetensors", {"format": "pt"})
    Extractor.load(ensemble, model_name_or_path=str(other), device="cpu")


def test_a_role_has_as_many_fillers_as_any_member_allows(tiny_run, tmp_path):
    generous = shutil.copytree(tiny_run, tmp_path / "generous")
    ontology = read_ontology(generous / "ontology.yaml")
    types = [replace(e, roles=tuple(replace(r, multiplicity=4) for r in e.roles)) for e in ontology.types.values()]
    write_ontology(Ontology.of(types), generous / "ontology.yaml")
    make_ensemble([tiny_run, generous], tmp_path / "both", scorer="rams", placement=CPU)
    found = read_ontology(tmp_path / "both" / "ontology.yaml")
    assert {role.multiplicity for event_type in found.types.values() for role in event_type.roles} == {4}


def test_what_the_runs_do_not_know_of_a_dev_file_is_left_out(tiny_run, tiny_recipe, tmp_path):
    [first, *others] = read_corpus(tiny_recipe["dev_file"]).documents
    strange = first.with_events([replace(event, type="unheard of") for event in first.events])
    write_corpus([strange, *others], tmp_path / "dev.jsonl", "jsonl")
    told = []
    options = {"dev_file": tmp_path / "dev.jsonl", "scorer": "rams", "placement": CPU, "notice": told.append}
    result = make_ensemble([tiny_run, tiny_run], tmp_path / "both", **options)
    assert result.data["dev"]["events"] == sum(len(document.events) for document in others)
    assert "what the runs' ontology lacks, left out" in told[0]


def test_documents_of_the_user_s_choice_calibrate_it(tiny_run, other_run, tiny_recipe, tmp_path):
    result = make_ensemble(
        [tiny_run, other_run], tmp_path / "own", dev_file=tiny_recipe["train_file"], scorer="textee", placement=CPU
    )
    assert result.scores["dev"]["scorer"] == "textee"
    assert result.data["dev"]["documents"] == len(read_corpus(tiny_recipe["train_file"]).documents)


def test_what_does_not_fit_together_is_refused(tiny_run, tiny_recipe, tmp_path):
    def refused(runs, **options):
        with pytest.raises(EventuneError) as caught:
            make_ensemble(runs, tmp_path / "out", scorer="rams", placement=CPU, **options)
        assert not (tmp_path / "out").exists()
        return str(caught.value)

    assert "expected two runs or more, 32 at most, found 1" in refused([tiny_run])
    assert "expected the types and roles of" in refused([tiny_run, "warmup"])
    split = shutil.copytree(tiny_run, tmp_path / "split")
    recipe = (split / "recipe.yaml").read_text(encoding="utf-8")
    (split / "recipe.yaml").write_text(recipe.replace("split_seed: 0", "split_seed: 1"), encoding="utf-8")
    assert "whose split_seed is 0, found 1" in refused([tiny_run, split])
    (split / "recipe.yaml").write_text(recipe.replace("train.jsonl", "gone.jsonl"), encoding="utf-8")
    with pytest.raises(EventuneError, match=r"gone\.jsonl") as caught:
        make_ensemble([tiny_run, split], tmp_path / "out", scorer="rams", placement=CPU)
    assert caught.value.hint == "give --dev_file, with documents that no run was trained on"
    ontology = read_ontology(split / "ontology.yaml")
    types = [replace(event_type, roles=event_type.roles[::-1]) for event_type in ontology.types.values()]
    write_ontology(Ontology.of(types), split / "ontology.yaml")
    assert "the same in another order" in refused([tiny_run, split])
    bare = tmp_path / "bare.jsonl"
    bare.write_text('{"id": "a", "text": "Nothing."}\n', encoding="utf-8")
    assert "expected annotated arguments to score against" in refused([tiny_run, tiny_run], dev_file=bare)
    (tmp_path / "there").mkdir()
    with pytest.raises(EventuneError, match="exists already"):
        make_ensemble([tiny_run, tiny_run], tmp_path / "there", scorer="rams", placement=CPU)
