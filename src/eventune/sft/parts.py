"""The rows of a run: what to train on, to evaluate on and to predict, read and encoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.backbones.causal_lm import CausalLM
from eventune.backbones.gguf import cache_folder
from eventune.errors import EventuneError
from eventune.generation.conversation import Conversation
from eventune.generation.encoding import ConversationEncoder, EncodedRow, encode
from eventune.generation.rows import HubSplit, group_references, read_rows, split_by_prompt
from eventune.generation.rows_layouts import Columns
from eventune.generation.templates import choose_template
from eventune.sft.settings import SftArguments

Notice = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RowSplits:
    """The rows of a run.

    Attributes:
        train: What is trained on.
        dev: What is evaluated; rows with one prompt are one, with several references.
        test: What is predicted; likewise.
    """

    train: Sequence[Conversation] = ()
    dev: Sequence[Conversation] = ()
    test: Sequence[Conversation] = ()


@dataclass(frozen=True, slots=True)
class EncodedSplits:
    """The rows as the model reads them.

    Attributes:
        encoder: What encoded them.
        train: What is trained on.
        dev: What the loss is measured on.
        test: What the loss is measured on; empty where a row has no response.
        cut: What was cut in training rows, by kind.
    """

    encoder: ConversationEncoder
    train: Sequence[EncodedRow]
    dev: Sequence[EncodedRow]
    test: Sequence[EncodedRow]
    cut: dict[str, int]

    def counts(self) -> dict[str, Any]:
        """Return the parts' sizes, as `result.json` holds them under `data`."""
        sizes = {"train": len(self.train), "dev": len(self.dev), "test": len(self.test)}
        tokens = sum(len(example.input_ids) for example in self.train)
        return {name: {"rows": size} for name, size in sizes.items() if size} | {"tokens": tokens, "cut": self.cut}


def read_parts(arguments: SftArguments, notice: Notice) -> RowSplits:
    """Read the rows that a run needs.

    Args:
        arguments: The settings.
        notice: Hears what a user should know.

    Raises:
        EventuneError: If a file is missing or a row is wrong.
    """
    data, tasks = arguments.data, arguments.tasks
    # Held-out shares of the training file stay held out where it is only evaluated or predicted.
    splits = bool(data.dev_fraction or data.test_fraction)
    limit = None if splits else data.max_train_samples
    train = _read(arguments, "train", max_rows=limit) if "train" in tasks or splits else []
    train, dev, test = split_by_prompt(train, (data.dev_fraction, data.test_fraction), seed=data.split_seed)
    if "eval" in tasks and not data.dev_fraction:
        dev = _read(arguments, "validation")
    if "predict" in tasks and not data.test_fraction:
        test = _read(arguments, "test", needs_response=False)
    parts = RowSplits(
        train[: data.max_train_samples] if "train" in tasks else [],
        group_references(dev)[: data.max_eval_samples] if "eval" in tasks else [],
        group_references(test)[: data.max_predict_samples] if "predict" in tasks else [],
    )
    sizes = {"train": parts.train, "dev": parts.dev, "test": parts.test}
    for task, name in zip(("train", "eval", "predict"), sizes, strict=True):
        if task in tasks and not sizes[name]:
            raise EventuneError(
                f"{name}: expected rows, found none: dev_fraction {data.dev_fraction} and test_fraction "
                f"{data.test_fraction} leave none for it"
            )
    without = sum(not row.references for row in parts.test)
    if without:
        notice(f"test: {without} of {len(parts.test)} rows have no response to compare with, so nothing is scored")
    notice(", ".join(f"{name}: {len(rows)} rows" for name, rows in sizes.items() if rows))
    return parts


def _read(
    arguments: SftArguments, part: str, *, needs_response: bool = True, max_rows: int | None = None
) -> list[Conversation]:
    data = arguments.data
    file = getattr(data, f"{part}_file")
    source: Path | HubSplit
    if file:
        source = Path(file)
    elif data.dataset_name:
        source = HubSplit(data.dataset_name, part, data.dataset_config_name or "")
    else:
        raise EventuneError(
            f"{part}_file: expected a file, since it is asked for by do_{_task_of(part)}; found nothing"
        )
    columns = Columns(data.prompt_column or "", data.response_column or "", data.history_column or "")
    return read_rows(
        source,
        columns=columns,
        source_prefix=data.source_prefix,
        needs_response=needs_response,
        max_rows=max_rows,
    )


def _task_of(part: str) -> str:
    return {"train": "train", "validation": "eval", "test": "predict"}[part]


def encode_parts(parts: RowSplits, lm: CausalLM, arguments: SftArguments, notice: Notice) -> EncodedSplits:
    """Encode the rows for a model.

    Args:
        parts: The rows.
        lm: The model, whose tokenizer gets the template.
        arguments: The settings.
        notice: Hears what was cut.

    Raises:
        EventuneError: If the template is broken or the model reads no such lengths.
    """
    data = arguments.data
    if data.max_source_length + data.max_target_length > lm.max_length:
        raise EventuneError(
            f"max_source_length + max_target_length: expected {lm.max_length} at most, the length that "
            f"{lm.base.name} reads, found {data.max_source_length + data.max_target_length}"
        )
    choose_template(lm.tokenizer, data.chat_template)
    encoder = ConversationEncoder(
        lm.tokenizer, max_source_length=data.max_source_length, max_target_length=data.max_target_length
    )
    encoded: dict[str, list[EncodedRow]] = {}
    cut: dict[str, int] = {}
    for name in ("train", "dev", "test"):
        rows = getattr(parts, name)
        if not rows or not all(row.response for row in rows):
            encoded[name] = []
            continue
        encoded[name], counts = encode(
            rows,
            encoder,
            num_workers=data.preprocessing_num_workers or 1,
            cache_folder=cache_folder() / "encoded",
            overwrite_cache=data.overwrite_cache,
        )
        if str(counts):
            notice(f"{name}: {counts}")
        if name == "train":
            cut = dataclasses.asdict(counts)
    return EncodedSplits(encoder, encoded["train"], encoded["dev"], encoded["test"], cut)
