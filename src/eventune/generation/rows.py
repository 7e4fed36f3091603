"""Rows of prompt and response, read from files and from the hub."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.corpora.records import Record, read_json_records
from eventune.errors import EventuneError, InvalidValueError, first_line, require_library
from eventune.generation.conversation import Conversation, Message
from eventune.generation.rows_layouts import Columns, choose_layout, read_row
from eventune.storage.paths import check_is_file

E2E_COLUMNS = Columns("mr", "ref")
"""What the two sides of a line `mr||text` are called, as in E2E's CSV files."""

_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class HubSplit:
    """A part of a data set on the hub.

    Attributes:
        name: The data set's id, or a folder that holds one.
        part: Its split, such as `train`.
        config: Its configuration, or an empty string.
    """

    name: str
    part: str
    config: str = ""

    def __str__(self) -> str:
        """Return what messages call it."""
        return f"{self.name} ({self.part})"


def read_rows(
    source: Path | str | HubSplit,
    *,
    columns: Columns = Columns(),  # noqa: B008, it is frozen
    source_prefix: str = "",
    needs_response: bool = True,
    max_rows: int | None = None,
) -> list[Conversation]:
    """Read the rows of a file, or of a data set on the hub.

    A file is a JSON array, JSON lines, CSV with a header, Parquet, or E2E's text of lines `mr||text`; all but JSON
    are told by the file's suffix. Rows have the columns that the user named, or those of alpaca (`instruction`,
    `input`, `output`, `history`, `system`), `messages`, or ShareGPT (`conversations`).

    Args:
        source: The file, or the part of a data set.
        columns: The columns that the user named.
        source_prefix: Text that is put before each prompt.
        needs_response: Whether a row without a response is an error, as it is in training.
        max_rows: Read no more than the first so many rows; all if None.

    Returns:
        The rows in their order.

    Raises:
        EventuneError: If the source cannot be read, has no rows, lacks columns, or has rows that are of no use; it says
            where the first of them stands, what is wrong with it, and which others there are.
    """
    records = _hub_records(source) if isinstance(source, HubSplit) else _file_records(Path(source))
    if not isinstance(source, HubSplit) and Path(source).suffix.lower() == ".txt" and not columns.prompt:
        columns = E2E_COLUMNS
    numbered = enumerate(itertools.islice(records, max_rows), 1)
    first = next(numbered, None)
    if first is None:
        raise EventuneError(f"{source}: expected rows, found none")
    layout = choose_layout(_fields(first[1]), columns, place=first[1].place, needs_response=needs_response)
    rows: list[Conversation] = []
    bad: list[tuple[int, str, InvalidValueError]] = []
    for number, record in itertools.chain([first], numbered):
        try:
            fields = _fields(record, number)
            rows.append(read_row(fields, layout, source_prefix=source_prefix, needs_response=needs_response))
        except InvalidValueError as error:
            bad.append((number, record.place, error))
    if bad:
        raise _bad_rows(bad)
    return rows


def group_references(rows: Iterable[Conversation]) -> list[Conversation]:
    """Merge rows that ask the same, for evaluation.

    Args:
        rows: The rows.

    Returns:
        The first row of each prompt, in order, with the references of all.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Conversation]] = {}
    for row in rows:
        groups.setdefault(tuple((turn.role, turn.content) for turn in row.prompt), []).append(row)
    return [
        Conversation(alike[0].messages, tuple(dict.fromkeys(itertools.chain(*(row.references for row in alike)))))
        for alike in groups.values()
    ]


def _fields(record: Record, number: int = 1) -> Mapping[str, Any]:
    value = record.value
    if isinstance(value, InvalidValueError):
        raise value if number > 1 else EventuneError(f"{record.place} (row 1): {value.message}", value.hint)
    if not isinstance(value, dict):
        error = InvalidValueError("row", "an object of columns", f"a {type(value).__name__}")
        raise error if number > 1 else EventuneError(f"{record.place} (row 1): {error.message}")
    return value


def _bad_rows(bad: list[tuple[int, str, InvalidValueError]]) -> EventuneError:
    number, place, error = bad[0]
    others = [str(other) for other, _, _ in bad[1 : 1 + _SHOWN_ROWS]]
    hint = error.hint
    if others:
        more = ", …" if len(bad) > 1 + len(others) else ""
        hint = f"{hint}; " if hint else ""
        hint += f"{len(bad) - 1} more rows are of no use: {', '.join(others)}{more}"
    where = place if place.endswith(f"row {number}") else f"{place} (row {number})"
    return EventuneError(f"{where}: {error.message}", hint)


def _file_records(path: Path) -> Iterator[Record]:
    readers = {".csv": _csv_records, ".parquet": _parquet_records, ".txt": _e2e_records}
    check_is_file(path)
    return readers.get(path.suffix.lower(), read_json_records)(path)


def _csv_records(path: Path) -> Iterator[Record]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            for row in reader:
                place = f"{path}:{reader.line_num}"
                if None in row or None in row.values():
                    count = len(reader.fieldnames or ())
                    error = InvalidValueError("line", f"{count} values, as in the header", "another number of them")
                    yield Record(place, error)
                else:
                    yield Record(place, row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise EventuneError(f"{path}: expected CSV in UTF-8, found: {error}") from None
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}") from None


def _parquet_records(path: Path) -> Iterator[Record]:
    message = f"{path}: Parquet is read by pyarrow, which is not installed"
    arrow, parquet = (require_library(name, message, "pip install pyarrow") for name in ("pyarrow", "pyarrow.parquet"))
    try:
        with parquet.ParquetFile(path) as file:
            batches = itertools.chain.from_iterable(batch.to_pylist() for batch in file.iter_batches(batch_size=1024))
            for number, row in enumerate(batches, 1):
                yield Record(f"{path}: row {number}", row)
    except (arrow.ArrowException, OSError) as error:
        raise EventuneError(f"{path}: expected Parquet, found: {first_line(error)}") from None


def _e2e_records(path: Path) -> Iterator[Record]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                meaning, found, text = line.partition("||")
                if found:
                    yield Record(f"{path}:{number}", {"mr": meaning.strip(), "ref": text.strip()})
                elif line.strip():
                    yield Record(f"{path}:{number}", InvalidValueError("line", "mr||text", "no ||"))
    except UnicodeDecodeError as error:
        raise EventuneError(f"{path}: expected text in UTF-8, found: {error}") from None
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}") from None


def _hub_records(source: HubSplit) -> Iterator[Record]:
    message = f"{source}: data sets of the hub are read by datasets, which is not installed"
    datasets = require_library("datasets", message, "pip install datasets")
    try:
        rows = datasets.load_dataset(source.name, source.config or None, split=source.part)
    except Exception as error:  # the hub's client, datasets and its readers each raise their own kind
        hint = "check the data set's id, configuration and parts, or give files: train_file, validation_file, test_file"
        raise EventuneError(f"{source}: no data set could be loaded: {first_line(error)}", hint) from error
    return (Record(f"{source}: row {number}", dict(row)) for number, row in enumerate(rows, 1))


def split_by_prompt(rows: Sequence[Conversation], fractions: Sequence[float], *, seed: int) -> list[list[Conversation]]:
    """Take shares of the prompts out of some rows; all rows with one prompt stay together.

    Args:
        rows: The rows.
        fractions: Share of the prompts for each part that is taken out.
        seed: Seed of the choice.

    Returns:
        What is left, then the parts, each in the rows' order.
    """
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    # A text as seed is hashed by random itself, the same way on every machine.
    random.Random(f"split/{seed}").shuffle(prompts)
    part_of: dict[tuple[Message, ...], int] = {}
    start = 0
    for number, fraction in enumerate(fractions, 1):
        end = start + round(fraction * len(prompts))
        part_of |= dict.fromkeys(prompts[start:end], number)
        start = end
    parts: list[list[Conversation]] = [[] for _ in range(len(fractions) + 1)]
    for row in rows:
        parts[part_of.get(row.prompt, 0)].append(row)
    return parts
