"""The rows of a run: what to train on, to evaluate on and to predict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eventune.errors import EventuneError
from eventune.generation.conversation import Conversation
from eventune.generation.rows import HubSplit, group_references, read_rows, split_by_prompt
from eventune.generation.rows_layouts import Columns
from eventune.sft.settings import SftArguments
from eventune.tasks.responses import RowSplits

Notice = Callable[[str], None]


def read_row_splits(arguments: SftArguments, notice: Notice) -> RowSplits:
    """Read the rows that a run needs.

    Args:
        arguments: The settings.
        notice: Hears what a user should know.

    Raises:
        EventuneError: If a file is missing or a row is wrong.
    """
    data, tasks = arguments.data, arguments.tasks
    # Held-out shares of the training file stay held out where it is only evaluated or predicted.
    holds_out = bool(data.dev_fraction or data.test_fraction)
    limit = None if holds_out else data.max_train_samples
    train = _read(arguments, "train", max_rows=limit) if "train" in tasks or holds_out else []
    train, dev, test = split_by_prompt(train, (data.dev_fraction, data.test_fraction), seed=data.split_seed)
    if "eval" in tasks and not data.dev_fraction:
        dev = _read(arguments, "validation")
    if "predict" in tasks and not data.test_fraction:
        test = _read(arguments, "test", needs_response=False)
    splits = RowSplits(
        train[: data.max_train_samples] if "train" in tasks else [],
        group_references(dev)[: data.max_eval_samples] if "eval" in tasks else [],
        group_references(test)[: data.max_predict_samples] if "predict" in tasks else [],
    )
    sizes = {"train": splits.train, "dev": splits.dev, "test": splits.test}
    for task, name in zip(("train", "eval", "predict"), sizes, strict=True):
        if task in tasks and not sizes[name]:
            raise EventuneError(
                f"{name}: expected rows, found none: dev_fraction {data.dev_fraction} and test_fraction "
                f"{data.test_fraction} leave none for it"
            )
    without = sum(not row.references for row in splits.test)
    if without:
        notice(f"test: {without} of {len(splits.test)} rows have no response to compare with, so nothing is scored")
    notice(", ".join(f"{name}: {len(rows)} rows" for name, rows in sizes.items() if rows))
    return splits


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
