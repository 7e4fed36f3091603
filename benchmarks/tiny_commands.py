"""The commands that write, on a tiny base and a few documents: what `kills.py` and `disks.py` disturb."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from eventune.adapters.libraries import import_model_libraries
from eventune.cli import main

import_model_libraries()
for _name in ("comparison.comparing", "inference.files", "runs.training"):
    # What the commands import, so that a forked one has it.
    importlib.import_module(f"eventune.{_name}")

_MEASURED = re.compile(r"seconds|bytes|per_second|joules|flops|_share")
_WITH_FIGURES = re.compile(r"README\.md|log\.txt|comparison\.(csv|md|html)|pictures")
"""Files that show measured time and memory to people; the JSON files beside them have the same, and are compared."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that writes `out`.

    Attributes:
        name: What it is called in a table.
        words: The command.
        again: The command that goes on with what is there, or makes it again.
        share: How many of a hundred kills it gets.
    """

    name: str
    words: tuple[str, ...]
    again: tuple[str, ...]
    share: int


def prepare(folder: Path) -> dict[str, Command]:
    """Make base, corpus and run in a folder, and return the commands by a short name."""
    corpus, encoder, glm = folder / "corpus", folder / "encoder", folder / "glm"
    corpus.mkdir()
    _write_corpus(corpus)
    _write_encoder(encoder, corpus)
    _write_glm(glm)
    settings: dict[str, Any] = {
        "model_name_or_path": str(encoder),
        "train_file": str(corpus / "train.jsonl"),
        "dev_file": str(corpus / "dev.jsonl"),
        "test_file": str(corpus / "dev.jsonl"),
        "ontology_file": str(corpus / "ontology.yaml"),
        "num_train_epochs": 2,
        "learning_rate": 5e-3,
        "head_learning_rate": 5e-3,
        "per_device_train_batch_size": 8,
        "save_steps": 2,
        "save_predictions": True,
    }
    first = {"pretrain_file": str(corpus / "dev.jsonl"), "num_pretrain_epochs": 1}
    for name, own in {"train": first, "events": {"task": "events"}, "compare": {}}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**settings, **own}), encoding="utf-8")
    run = folder / "run"
    code = Forked(["train", str(folder / "compare.yaml"), "--output_dir", str(run)], folder, folder / "log").wait()
    if code:
        raise SystemExit((folder / "log").read_text(encoding="utf-8"))
    state = {f"layer.{n}.lora_{part}.weight": torch.full((8, 8), n + 1.0) for n in range(4) for part in "AB"}
    torch.save({**state, "head.weight": torch.ones(64, 64)}, folder / "state.pt")
    return dict(_commands(folder, corpus, glm, run))


def _commands(folder: Path, corpus: Path, glm: Path, run: Path) -> Iterator[tuple[str, Command]]:
    resume = ("--resume_from_checkpoint", "true")
    for key, name, share in (
        ("train", "`train`, pretraining included", 25),
        ("events", "`train`, `task: events`", 25),
    ):
        words = ("train", str(folder / f"{key}.yaml"), "--output_dir", "out")
        yield key, Command(name=name, words=words, again=(*words, *resume), share=share)
    for key, name, words, share in (
        ("extract", "`extract`", ("extract", str(run), str(corpus / "many.jsonl"), "-o", "out"), 20),
        ("chatglm2", "`convert chatglm2`", ("convert", "chatglm2", "--back", str(glm), "out"), 10),
        ("adapter", "`convert adapter`", ("convert", "adapter", str(folder / "state.pt"), "out"), 5),
        ("select", "`data select`", ("data", "select", str(run), str(corpus / "many.jsonl"), "-o", "out"), 5),
        ("compare", "`compare`", ("compare", str(folder / "compare.yaml"), "--arms", "lora:r=2,bitfit"), 10),
    ):
        more = {"compare": ("--output_dir", "out"), "adapter": ("--lora_alpha", "8")}.get(key, ())
        yield key, Command(name=name, words=(*words, *more), again=(*words, *more), share=share)


class Forked:
    """`eventune` in a process of its own, forked from this one, where the libraries are imported already."""

    def __init__(self, words: list[str], folder: Path, log: Path) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.setsid()
                os.chdir(folder)
                file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(file, 1)
                os.dup2(file, 2)
                code = _run(words)
            finally:
                os._exit(code)

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._wait_with(os.WNOHANG)

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self._wait_with(0)
        assert code is not None
        return code

    def _wait_with(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _run(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def contents(folder: Path) -> dict[str, str]:
    """Return the files of a folder by name, each as its hash; of what shows time and memory all but these figures."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        if _WITH_FIGURES.search(name):
            content = b""
        elif path.name in {"result.json", "comparison.json"} or path.name == "history.jsonl":
            values = [_steady(json.loads(line)) for line in _objects(path)]
            content = json.dumps(values, sort_keys=True).encode()
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def _objects(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return text.splitlines() if path.suffix == ".jsonl" else [text]


def _steady(value: Any) -> Any:
    """Return JSON without what is measured."""
    if isinstance(value, dict):
        return {name: _steady(inner) for name, inner in value.items() if not _MEASURED.search(name)}
    return [_steady(inner) for inner in value] if isinstance(value, list) else value


def _write_corpus(folder: Path) -> None:
    from eventune.corpora.sample import sample_file

    lines = sample_file("train").read_text(encoding="utf-8").splitlines(keepends=True)
    for part, chosen in {"train": lines[:5], "dev": lines[5:8], "many": lines[:40]}.items():
        (folder / f"{part}.jsonl").write_text("".join(chosen), encoding="utf-8")
    (folder / "ontology.yaml").write_bytes(sample_file("ontology").read_bytes())


def _write_encoder(folder: Path, corpus: Path) -> None:
    """Write a random BERT whose vocabulary is the corpus's words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    split = pre_tokenizers.BertPreTokenizer()
    text = "".join(path.read_text(encoding="utf-8").lower() for path in sorted(corpus.iterdir()))
    words = sorted({word for word, _ in split.pre_tokenize_str(text)})
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: index for index, word in enumerate([*specials, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), split
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=256, **sizes)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)


def _write_glm(folder: Path) -> None:
    """Write a random Glm in several files."""
    from transformers import GlmConfig, GlmForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "num_hidden_layers": 8, "num_attention_heads": 4, "intermediate_size": 128}
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5}
    config = GlmConfig(
        **{**sizes, "vocab_size": 4096, "num_key_value_heads": 2, "head_dim": 16, "rms_norm_eps": 1e-5},
        max_position_embeddings=512,
        rope_parameters=rope,
        eos_token_id=2,
        pad_token_id=0,
    )
    GlmForCausalLM(config).save_pretrained(folder, max_shard_size="200KB")
