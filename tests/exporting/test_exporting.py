"""Runs as graphs: what is written, and that it finds without torch what the run finds."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventune import Client
from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.exporting.exporting import export_run
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.training import train
from tests.installations import command_without, missing_without

HEAVY = ("torch", "transformers", "peft", "accelerate", "safetensors", "onnx", "scipy", "matplotlib")
IMAGE = Path(__file__).parents[2] / "deploy" / "Dockerfile"


@pytest.fixture(scope="module")
def run(tiny_recipe, tmp_path_factory):
    """A run of two steps that reads twice for arguments, with margins that let many candidates pass."""
    folder = tmp_path_factory.mktemp("events") / "run"
    arguments = {"near_window": 16, "role_descriptions": True}
    changes = {"task": "events", "arguments": arguments, "num_train_epochs": 1, "output_dir": str(folder)}
    train(Recipe.of({**tiny_recipe, **changes}))
    settings = json.loads((folder / "events.json").read_text(encoding="utf-8"))
    settings["detection"] = {"alone": -2.0, "overlapping": 0.5}
    settings["arguments"] = {"first": -4.0, "further": -2.0}
    (folder / "events.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    return export_run(run, tmp_path_factory.mktemp("exports") / "events", int8=True)


@pytest.fixture
def copied(exported, tmp_path):
    return shutil.copytree(exported.path, tmp_path / "copy")


@pytest.fixture(scope="module")
def gold(small_corpus):
    return read_corpus(small_corpus / "dev.jsonl").documents


def bare(documents):
    return [document.with_events(()) for document in documents]


def found(extractor, documents):
    """Everything that is found, scores to four digits."""
    return [
        (
            document.id,
            event.type,
            event.trigger,
            pytest.approx(event.attributes.get("score"), abs=1e-4),
            [(a.role, a.span, pytest.approx(a.score, abs=1e-4)) for a in event.arguments],
        )
        for document in extractor.extract_all(documents)
        for event in document.events
    ]


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_export_is_graphs_settings_and_words(exported):
    step = {"export.json", "extractor.json", "model.float32.onnx", "model.int8.onnx", "ontology.yaml", "recipe.yaml"}
    steps = {f"{name}/{file}" for name in ("detection", "arguments") for file in {*step, "tokenizer.json"}}
    assert files(exported.path) == {"events.json", "export.json", "ontology.yaml", "recipe.yaml", *steps}
    assert exported.record.differences["float32"] <= exported.tolerance
    assert exported.record.differences.keys() == exported.bytes.keys() == {"float32", "int8"}
    assert exported.bytes["int8"] < exported.bytes["float32"]


def test_a_graph_tells_nothing_of_the_machine_that_wrote_it(exported):
    content = (exported.path / "arguments" / "model.float32.onnx").read_bytes()
    assert str(Path(sys.prefix)).encode() not in content
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b".py" not in content


def test_graphs_find_what_torch_finds(run, exported, gold):
    for step, documents in (("", bare(gold)), ("", gold), ("detection", bare(gold)), ("arguments", gold)):
        expected = found(Extractor.load(run / step), documents)
        assert expected
        assert found(Extractor.load(exported.path / step, dtype="float32"), documents) == expected


def test_what_is_found_does_not_depend_on_the_batch(exported, gold):
    one = Extractor.load(exported.path, dtype="float32", batch_size=1)
    heard = []
    assert found(one, bare(gold)) == found(Extractor.load(exported.path, dtype="float32"), bare(gold))
    one.extract_all(gold, on_batch=lambda *told: heard.append(told))
    # Each event is read twice.
    assert heard[-1][0] == heard[-1][1] == 2 * sum(len(document.events) for document in gold)


def test_int8_is_used_where_it_is_there(exported, gold):
    quick, exact = Extractor.load(exported.path), Extractor.load(exported.path, dtype="float32")
    assert quick.fingerprint == Extractor.load(exported.path, dtype="int8").fingerprint != exact.fingerprint
    assert quick.extract_all(bare(gold)) == Extractor.load(exported.path, dtype="int8").extract_all(bare(gold))


def test_types_that_are_read_by_themselves_are_part_of_the_graph(tiny_recipe, gold, tmp_path):
    settings = {**tiny_recipe, "task": "detection", "type_reading": "vectors", "num_train_epochs": 1}
    train(Recipe.of({**settings, "output_dir": str(tmp_path / "run")}))
    export_run(tmp_path / "run", tmp_path / "export")
    for folder in ("run", "export"):
        path = tmp_path / folder / "extractor.json"
        own = {**json.loads(path.read_text(encoding="utf-8")), "margins": {"alone": -3.0, "overlapping": 0.0}}
        path.write_text(json.dumps(own), encoding="utf-8")

    expected = found(Extractor.load(tmp_path / "run"), bare(gold))

    assert expected
    assert found(Extractor.load(tmp_path / "export"), bare(gold)) == expected


def test_an_export_of_arguments_takes_another_ontology(run, exported, gold):
    ontology = Extractor.load(exported.path).ontology
    some = {name: ontology[name].roles for name in list(ontology.types)[:3]}
    smaller = type(ontology).of(ontology[name] for name in some)
    of_run = found(Extractor.load(run / "arguments", ontology=smaller), gold)
    assert found(Extractor.load(exported.path / "arguments", ontology=smaller, dtype="float32"), gold) == of_run
    with pytest.raises(EventuneError, match="whose types are part of it"):
        Extractor.load(exported.path, ontology=smaller)


def test_an_export_needs_no_model_library(exported, small_corpus):
    code = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None
from eventune import Extractor
from eventune.cli import main
text = "Rebels shelled the old bridge of Orsha in May."
document = Extractor.load({str(exported.path)!r}).extract(text)
assert document.events
assert main(["extract", {str(exported.path)!r}, "--text", text]) == 0
for step in ("", "/arguments", "/detection"):
    assert main(["evaluate", {str(exported.path)!r} + step, "--test_file", {str(small_corpus / "dev.jsonl")!r}]) == 0
assert not [name for name in {HEAVY!r} if sys.modules[name] is not None]
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_an_export_is_served_with_what_the_image_installs_and_answers_as_it_does_itself(exported, gold, tmp_path):
    [extras] = re.findall(r"whl\)\[([\w,]+)\]", IMAGE.read_text(encoding="utf-8"))
    missing = missing_without(extras)
    assert missing >= set(HEAVY)
    code = command_without(missing)
    words = ["serve", str(exported.path), "--port", "0", "--json", "--dtype", "float32"]
    extractor = Extractor.load(exported.path, dtype="float32")
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            line = process.stdout.readline()
            assert line, (tmp_path / "log").read_text(encoding="utf-8")
            with Client(json.loads(line)["url"]) as client:
                [model] = client.models()
                assert (model["id"], model["fingerprint"]) == ("events", extractor.fingerprint)
                found = client.extract_all(bare(gold))
                assert found == extractor.extract_all(bare(gold))
                assert any(event.arguments for document in found for event in document.events)
                assert client.score(gold)["scorer"] == "textee"
        finally:
            process.terminate()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detection": "other"}, "detection: expected none with the export"),
        ({"model_name_or_path": "minilm"}, "model_name_or_path: expected none"),
        ({"device": "cuda"}, "device: expected auto or cpu"),
        ({"dtype": "float16"}, "dtype: expected auto or float32 or int8"),
    ],
)
def test_what_belongs_to_runs_alone_is_refused(exported, options, message):
    with pytest.raises(EventuneError, match=message):
        Extractor.load(exported.path, **options)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("arguments/model.int8.onnx", "expected the file model.int8.onnx"),
        ("detection/tokenizer.json", "expected the file tokenizer.json"),
        ("arguments/export.json", "export.json"),
        ("events.json", "events.json"),
    ],
)
def test_a_missing_file_is_named(copied, name, message):
    (copied / name).unlink()
    with pytest.raises(EventuneError, match=message):
        Extractor.load(copied)


@pytest.mark.parametrize(
    "name", ["model.int8.onnx", "tokenizer.json", "ontology.yaml", "export.json", "extractor.json"]
)
def test_a_file_that_was_cut_off_is_one_error(copied, name):
    path = copied / "arguments" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(EventuneError, match=name.replace(".", r"\.")):
        Extractor.load(copied)


def test_what_cannot_be_exported_is_refused_and_leaves_nothing(tiny_recipe, tmp_path):
    settings = {**tiny_recipe, "num_train_epochs": 1}
    train(Recipe.of({**settings, "method": "prefix", "output_dir": str(tmp_path / "prefix")}))
    with pytest.raises(EventuneError, match="with an adapter that can be merged"):
        export_run(tmp_path / "prefix", tmp_path / "out")
    train(Recipe.of({**settings, "extractor": "question", "output_dir": str(tmp_path / "question")}))
    with pytest.raises(EventuneError, match="expected a run with extractor: joint"):
        export_run(tmp_path / "question", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"prefix", "question"}
