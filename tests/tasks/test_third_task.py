"""A third task through the public protocol alone: it counts the words of a document."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from eventune.adapters.anatomy import anatomy_of
from eventune.backbones.load import load_encoder, load_tokenizer
from eventune.backbones.placement import Placement
from eventune.comparison.arms import parse_arms
from eventune.comparison.plan import plan_runs
from eventune.comparison.result import compare
from eventune.corpora import read_corpus, read_ontology
from eventune.errors import EventuneError
from eventune.recipe import Recipe
from eventune.runs.merging import merge_run
from eventune.runs.opening import load_run, open_run
from eventune.runs.training import train
from eventune.tasks.documents import DocumentTask
from eventune.tasks.registry import TASKS, TaskEntry, register_task


# --- the task: 100 lines at the most --------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class CountingSettings:
    task: str = "counting"
    method: str
    dtype: str = "float32"
    offset: float = 0.0
    ontology_bytes: int = 0


@dataclass(kw_only=True)
class CountingArguments:
    first_offset: float = 0.0

    def problems(self):
        yield from ()


class Counter(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.config, self.head = encoder, encoder.config, nn.Linear(encoder.config.hidden_size, 1)

    def forward(self, input_ids, attention_mask):
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return (self.head(states).squeeze(-1) * attention_mask).sum(-1)


class Loop:
    def __init__(self, tokenizer, dev):
        self.tokenizer, self.dev = tokenizer, dev

    def length(self, document):
        return len(document.tokens)

    def collate(self, documents):
        texts = [list(document.words)[:60] for document in documents]
        batch = self.tokenizer(texts, is_split_into_words=True, padding=True, return_tensors="pt")
        return {**batch, "targets": torch.tensor([float(len(words)) for words in texts])}

    def loss(self, model, batch):
        targets = batch["targets"]
        return ((model(batch["input_ids"], batch["attention_mask"]) - targets) / 10).square().mean()

    def num_items(self, batch):
        return torch.tensor(len(batch["targets"]))

    def count(self, model, documents):
        model.eval()
        batch = self.collate(documents)
        with torch.inference_mode():
            return model(batch["input_ids"], batch["attention_mask"])

    def evaluate(self, model, *, on_batch=None):
        return {"f1": -float(self.loss(model.eval(), self.collate(self.dev)).detach())}


@dataclass(frozen=True)
class Encoded:
    documents: list
    gold: int = 0
    unreachable: tuple = ()


class Counting(DocumentTask):
    Settings = CountingSettings

    def __init__(self, backbone, ontology, settings, documents):
        encoded = {name: Encoded(part) for name, part in documents.items()}
        super().__init__(backbone, ontology, settings, encoded, saves_predictions=False)
        self.loop = Loop(backbone.tokenizer, documents.get("dev"))
        self.examples = documents.get("train", ())
        self.gradient_examples = self.examples[:2]

    @classmethod
    def from_recipe(cls, recipe, documents, base, placement):
        settings = CountingSettings(method=recipe.adapter.method, offset=recipe.own["counting"].first_offset)
        return cls(load_encoder(base), documents.ontology, settings, documents.by_name())

    @classmethod
    def from_run(cls, folder, settings, backbone, *, batch_size):
        return cls(backbone, read_ontology(folder / "ontology.yaml"), settings, {})

    @classmethod
    def load_backbone(cls, base, settings, *, dtype="", tokenizer_folder=None):
        return load_encoder(base, tokenizer_folder=tokenizer_folder)

    load_tokenizer = staticmethod(load_tokenizer)
    files = staticmethod(lambda settings: ("ontology.yaml",))

    def build_model(self, backbone):
        model = Counter(backbone.model)
        return model, anatomy_of(model, backbones=("encoder",), new_modules=())

    def predict(self, model, split, *, on_batch=None):
        return self.loop.count(model, self.encoded[split].documents)

    def tune(self, predicted):
        targets = torch.tensor([float(len(d.words[:60])) for d in self.encoded["dev"].documents])
        self.settings = replace(self.settings, offset=float((targets - predicted).mean()))

    def score(self, split, predicted):
        targets = torch.tensor([float(len(d.words[:60])) for d in self.encoded[split].documents])
        share = float(((predicted + self.settings.offset - targets).abs() < 5).float().mean())
        metrics = dict.fromkeys(("precision", "recall", "f1"), share)
        return {"scorer": "counting", "metrics": metrics, "counts": {"gold": 1, "predicted": 1, "matched": 1}}

    def costs(self, outcome, cost):
        return {"words": sum(len(d.words) for d in self.examples)}

    def outputs(self, model):
        return self.loop.count(model, self.shown_documents())


# --------------------------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def _registered():
    here = f"{__name__}:Counting"
    sections = {"counting": CountingArguments}
    register_task(TaskEntry("counting", "counts words", here, frozenset({"encoder", "heads"}), sections))
    yield
    del TASKS["counting"]


@pytest.fixture
def settings(tiny_recipe):
    return {**tiny_recipe, "task": "counting", "num_train_epochs": 4}


def test_the_task_is_a_hundred_lines_at_the_most():
    text = Path(__file__).read_text(encoding="utf-8")
    task = text[text.index("# --- the task") : text.rindex("# -----")]
    assert len([line for line in task.splitlines() if line.strip()]) <= 100


def test_it_trains_saves_reopens_and_is_merged(settings, small_corpus, tmp_path):
    result = train(Recipe.of({**settings, "output_dir": str(tmp_path / "run")}))
    assert result.scores["dev"]["scorer"] == "counting"
    assert result.resources["words"] > 0

    loaded = load_run(open_run(tmp_path / "run"), placement=Placement.of("cpu"), batch_size=1)
    documents = read_corpus(small_corpus / "dev.jsonl").documents
    with loaded.active() as model:
        counted = loaded.task.loop.count(model, documents) + loaded.task.settings.offset
    expected = torch.tensor([float(len(document.words[:60])) for document in documents])
    assert float(((counted - expected).abs() < 5).float().mean()) == result.scores["dev"]["metrics"]["f1"]

    merged = merge_run(tmp_path / "run", tmp_path / "merged")
    assert merged.difference < 1e-2
    assert json.loads((tmp_path / "merged" / "extractor.json").read_text())["method"] == "full"


def test_it_is_compared(settings, tmp_path):
    runs = plan_runs(settings, parse_arms("lora:lora_r=2,full"), (0,), tmp_path)
    for run in runs:
        train(run.recipe)

    result = compare(runs, ())

    assert [arm["name"] for arm in result["arms"]] == ["lora:lora_r=2", "full"]
    assert all(arm["finished"] == 1 and "f1" in arm["mean"] for arm in result["arms"])


def test_a_setting_that_it_does_not_read_is_refused(settings):
    with pytest.raises(EventuneError, match=r"word_dropout: expected 0\.0 with task: counting, found 0\.2"):
        Recipe.of({**settings, "output_dir": "run", "word_dropout": 0.2})
    with pytest.raises(EventuneError, match=r"first_offset: expected 0\.0 with task: extraction, found 1\.0"):
        Recipe.of({**settings, "output_dir": "run", "task": "extraction", "first_offset": 1.0})
