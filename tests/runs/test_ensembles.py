"""Several runs as one."""

import json
import shutil
from dataclasses import replace

import pytest

from eventune.backbones.placement import Placement
from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.ensembles import make_ensemble
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
    fingerprints = {Extractor.load(run, device="cpu").fingerprint for run in (ensemble, changed, tiny_run)}
    assert len(fingerprints) == 3


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
    bare = tmp_path / "bare.jsonl"
    bare.write_text('{"id": "a", "text": "Nothing."}\n', encoding="utf-8")
    assert "expected annotated arguments to score against" in refused([tiny_run, tiny_run], dev_file=bare)
    (tmp_path / "there").mkdir()
    with pytest.raises(EventuneError, match="exists already"):
        make_ensemble([tiny_run, tiny_run], tmp_path / "there", scorer="rams", placement=CPU)
