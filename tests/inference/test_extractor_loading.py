"""Opening runs: those of earlier versions, several on one base, devices, and fingerprints."""

import json
import shutil

import pytest
import torch

from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.events import parse_marked_text
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.results import RunResult
from eventune.runs.training import train


def test_a_run_of_the_first_version_opens_and_gives_what_it_gave(fixtures):
    run = fixtures / "run-0.1.0"
    extractor = Extractor.load(run / "run", model_name_or_path=str(run / "base"))

    (event,) = extractor.extract(parse_marked_text("rebels [[shot|attack]] sailors.")).events

    found = [[a.role, a.span.start, a.span.end, pytest.approx(a.score, abs=1e-5)] for a in event.arguments]
    assert found == json.loads((run / "expected.json").read_text())


def test_the_result_of_the_first_version_is_read(fixtures):
    result = RunResult.read(fixtures / "run-0.1.0" / "run" / "result.json")

    assert result.scores["dev"]["metrics"]["f1"] == 1.0


def test_a_result_without_a_field_of_today_is_read(tiny_run, tmp_path):
    values = json.loads((tiny_run / "result.json").read_text())
    del values["hardware"], values["data"]
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**values, "a field of tomorrow": 1}))

    assert RunResult.read(path).hardware == {}


@pytest.fixture(scope="module")
def other_run(tiny_recipe, tmp_path_factory):
    """A run on the same base with another rank, other targets, and heads of another shape."""
    folder = tmp_path_factory.mktemp("other") / "run"
    changes = {
        "lora_r": 2,
        "lora_target_modules": "attention-qv",
        "max_span_length": 5,
        "seed": 3,
        "num_train_epochs": 1,
    }
    train(Recipe.of({**tiny_recipe, **changes, "output_dir": str(folder)}))
    return folder


def test_several_runs_share_one_base_and_each_gives_what_it_gives_alone(tiny_run, other_run, small_corpus):
    documents = read_corpus(small_corpus / "dev.jsonl").documents
    alone = {run: Extractor.load(run).extract_all(documents) for run in (tiny_run, other_run)}

    first = Extractor.load(tiny_run)
    second = Extractor.load(other_run, base=first.base)

    assert second.base is first.base
    for _ in range(2):
        assert first.extract_all(documents) == alone[tiny_run]
        assert second.extract_all(documents) == alone[other_run]
    assert alone[tiny_run] != alone[other_run]


def test_a_shared_base_is_loaded_once(tiny_run, other_run, monkeypatch):
    first = Extractor.load(tiny_run)

    def fail(*_, **__):
        raise AssertionError("loaded again")

    monkeypatch.setattr("eventune.tasks.span_extraction.load_encoder", fail)
    Extractor.load(other_run, base=first.base)


def test_a_run_of_another_base_is_refused_on_a_shared_one(tiny_run, other_run, tmp_path):
    copy = shutil.copytree(other_run, tmp_path / "copy")
    base = json.loads((copy / "base.json").read_text())
    (copy / "base.json").write_text(json.dumps({**base, "sha256": "0" * 64}))

    with pytest.raises(EventuneError, match="whose weights are not those of"):
        Extractor.load(copy, base=Extractor.load(tiny_run).base)


def test_a_run_trained_in_full_cannot_share_its_base(tiny_run, tiny_recipe, tmp_path):
    folder = tmp_path / "full"
    train(Recipe.of({**tiny_recipe, "method": "full", "num_train_epochs": 1, "output_dir": str(folder)}))

    assert Extractor.load(folder).base is None
    with pytest.raises(EventuneError, match=r"found method full.*\nload it without base"):
        Extractor.load(folder, base=Extractor.load(tiny_run).base)


def test_the_tokenizer_is_loaded_once(tiny_run, monkeypatch):
    from transformers import AutoTokenizer

    loaded = []
    original = AutoTokenizer.from_pretrained
    monkeypatch.setattr(
        AutoTokenizer, "from_pretrained", lambda folder, **o: loaded.append(folder) or original(folder, **o)
    )
    Extractor.load(tiny_run)

    assert loaded == [tiny_run]


def test_weights_of_a_run_are_hashed_when_its_fingerprint_is_asked_for(tiny_run, monkeypatch):
    hashed = []
    monkeypatch.setattr("eventune.inference.runs.sha256_of", lambda path: hashed.append(path.name) or "00")
    extractor = Extractor.load(tiny_run)
    assert hashed == []

    assert len(extractor.fingerprint) == 12
    assert "adapter_model.safetensors" in hashed


def test_runs_with_other_weights_types_or_settings_have_other_fingerprints(tiny_run, other_run, tmp_path):
    copy = shutil.copytree(tiny_run, tmp_path / "copy")
    assert Extractor.load(copy).fingerprint == Extractor.load(tiny_run).fingerprint
    assert Extractor.load(other_run).fingerprint != Extractor.load(tiny_run).fingerprint

    assert Extractor.load(copy, dtype="float32").fingerprint == Extractor.load(tiny_run).fingerprint
    assert Extractor.load(copy, dtype="bfloat16").fingerprint != Extractor.load(tiny_run).fingerprint

    settings = json.loads((copy / "extractor.json").read_text())
    (copy / "extractor.json").write_text(json.dumps({**settings, "margins": {"first": 1.0, "further": 0.0}}))
    assert Extractor.load(copy).fingerprint != Extractor.load(tiny_run).fingerprint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("adapter_config.json", '{"lora_alpha": 99}'),
        ("quantisation.json", '{"quantization_bit": 8}'),
        ("tokenizer.json", "{}"),
        ("tokenizer_config.json", "{}"),
        ("chat_template.jinja", "{{ messages }}"),
    ],
)
def test_what_decides_how_weights_are_used_and_texts_are_read_is_part_of_the_fingerprint(
    name, content, tiny_run, tmp_path
):
    copy = shutil.copytree(tiny_run, tmp_path / "copy")
    annotator = Extractor.load(copy).annotator
    before = annotator.fingerprint()
    (copy / name).write_text(content)
    assert annotator.fingerprint() != before


def test_a_device_that_the_machine_lacks_is_refused(tiny_run):
    with pytest.raises(EventuneError, match=r"device: expected one that this machine has: .*, found 'cuda:9'"):
        Extractor.load(tiny_run, device="cuda:9")
    with pytest.raises(EventuneError, match=r"device: expected auto, cpu, cuda, cuda:N or mps, found 'gpu'"):
        Extractor.load(tiny_run, device="gpu")


def test_a_run_is_loaded_in_another_type_when_asked(tiny_run, small_corpus):
    extractor = Extractor.load(tiny_run, dtype="bfloat16")
    document = read_corpus(small_corpus / "dev.jsonl").documents[0]

    types = {parameter.dtype for parameter in extractor.base.backbone.model.parameters()}
    assert torch.bfloat16 in types
    assert len(extractor.extract(document).events) == len(document.events)


def test_a_run_that_responds_to_prompts_is_told_from_one_that_extracts(tiny_run, tmp_path):
    copy = shutil.copytree(tiny_run, tmp_path / "copy")
    (copy / "extractor.json").unlink()
    settings = {"task": "generation", "method": "lora", "max_source_length": 8, "max_new_tokens": 8}
    (copy / "generator.json").write_text(json.dumps(settings))

    with pytest.raises(EventuneError, match=r"found one of eventune sft\neventune sft --do_predict true"):
        Extractor.load(copy)


def test_an_unknown_task_is_named(tiny_run, tmp_path):
    copy = shutil.copytree(tiny_run, tmp_path / "copy")
    settings = json.loads((copy / "extractor.json").read_text())
    (copy / "extractor.json").write_text(json.dumps({**settings, "task": "extractoin"}))

    with pytest.raises(
        EventuneError, match=r"expected the task extraction or detection or generation.*found 'extractoin'"
    ):
        Extractor.load(copy)
