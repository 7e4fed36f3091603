"""The run that comes with the package."""

from pathlib import Path

from safetensors.torch import load_file

from eventune.corpora import read_ontology
from eventune.corpora.warmup import make_ontology
from eventune.events import EventType, Ontology, Role
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe, read_changed
from eventune.runs.shipped import located
from eventune.storage.yaml_files import read_yaml

LAYOFF = Ontology.of([EventType("layoff", (Role("employer"), Role("number of employees"), Role("place")))])


def test_a_folder_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert located(Path("warmup")).is_absolute()
    (tmp_path / "warmup").mkdir()
    assert located(Path("warmup")) == Path("warmup")
    assert located(Path("other")) == Path("other")


def test_it_finds_events_of_its_own_types():
    found = Extractor.load("warmup").extract("Gunmen shot three soldiers in Mosul on Monday.")

    [event] = found.events
    filled = {
        argument.role: " ".join(found.words[argument.span.start : argument.span.end]) for argument in event.arguments
    }
    assert found.words[event.trigger.start] == "shot"
    assert filled == {"target": "three soldiers", "attacker": "Gunmen", "place": "Mosul"}


def test_it_finds_events_of_types_that_it_has_never_seen():
    found = Extractor.load("warmup", ontology=LAYOFF).extract("In May, Volvo dismissed 1,300 workers in Gothenburg.")

    [event] = found.events
    assert (event.type, found.words[event.trigger.start]) == ("layoff", "dismissed")
    assert {argument.role for argument in event.arguments} == {"employer", "number of employees", "place"}


def test_it_was_trained_by_its_recipe():
    run = located(Path("warmup"))

    shipped = Recipe.of(read_yaml(run / "recipe.yaml")).to_dict()
    assert shipped == Recipe.of(read_changed("warmup", {})[0]).to_dict()
    assert shipped["output_dir"] == "runs/warmup"
    assert read_ontology(run / "ontology.yaml") == make_ontology()


def test_its_weights_take_four_megabytes_at_the_most():
    files = list(located(Path("warmup")).rglob("*.safetensors"))

    assert len(files) == 2
    assert sum(path.stat().st_size for path in files) < 4e6
    assert not any("prototypes" in name for path in files for name in load_file(path))
