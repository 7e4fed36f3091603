"""Parquet: rows as records in any format, and records of the own format as rows.

What has no fixed fields (`metadata` and `attributes`) is a column of JSON. The file says so itself, so that what was
written is read back as it was.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from eventune.errors import EventuneError, InvalidValueError, first_line, require_library
from eventune.storage.atomic import atomic_file

PARQUET = "parquet"
"""What `--output_format` calls it."""
MAGIC = b"PAR1"
SUFFIX = ".parquet"
_ROWS = 1024
"""Rows that are held at a time."""
_JSON_FIELDS = frozenset({"metadata", "attributes"})
_MARK = {b"eventune": b"1"}


def library(what: object) -> Any:
    """Return pyarrow with its Parquet; `what` needs it."""
    message = f"{what}: Parquet needs pyarrow, which is not installed"
    require_library("pyarrow.parquet", message, "pip install 'eventune[files]'")
    return require_library("pyarrow", message, "")


def read_rows(file: BinaryIO, name: str) -> Iterator[tuple[Any, float]]:
    """Yield the rows of a Parquet file as JSON values, each with the share of the file that is read.

    Args:
        file: The open file, which can be searched.
        name: What errors call it.

    Yields:
        A row, or what is wrong with it; columns without a value are left out, also where NaN stands for that.

    Raises:
        EventuneError: If it is no Parquet, or is cut off.
    """
    arrow = library(name)
    try:
        table = arrow.parquet.ParquetFile(file, pre_buffer=False)
        is_own = _MARK.items() <= (table.schema_arrow.metadata or {}).items()
        done = 0
        for batch in table.iter_batches(_ROWS):
            for row in batch.to_pylist():
                done += 1
                try:
                    yield _plain(row, is_own), done / table.metadata.num_rows
                except InvalidValueError as error:
                    yield error, done / table.metadata.num_rows
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        # Arrow does not look at texts and times until Python does: they may be no UTF-8, or of no calendar.
        raise EventuneError(f"{name}: expected Parquet, found: {first_line(error)}", "copy the file anew") from None


def write_rows(records: Iterable[Any], path: Path) -> None:
    """Write records of the own format as the rows of a Parquet file, which is complete or not there.

    Args:
        records: The records, taken one by one.
        path: The file.

    Raises:
        EventuneError: If it cannot be written.
    """
    arrow = library(path)
    schema = _schema(arrow)
    stream = map(_row, records)
    with atomic_file(path) as staging, arrow.parquet.ParquetWriter(staging, schema, compression="zstd") as writer:
        while rows := list(islice(stream, _ROWS)):
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))


def _plain(value: Any, is_own: bool) -> Any:
    """Return an Arrow value as JSON has it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {
            name: _parsed(inner, name) if is_own and name in _JSON_FIELDS else _plain(inner, is_own)
            for name, inner in value.items()
            if not (inner is None or (isinstance(inner, float) and math.isnan(inner)))
        }
    if isinstance(value, list):
        return [_plain(inner, is_own) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and math.isfinite(value):
        return value
    found = str(value) if isinstance(value, float) else type(value).__name__
    raise InvalidValueError("row", "texts, finite numbers, dates and lists of them", found)


def _parsed(text: Any, name: str) -> Any:
    """Return what a column of JSON holds."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise InvalidValueError(name, "JSON", repr(text)[:60]) from None


def _row(value: Any) -> Any:
    """Return a record of the own format with JSON where it has no fixed fields."""
    if isinstance(value, dict):
        return {
            name: json.dumps(inner, ensure_ascii=False) if name in _JSON_FIELDS else _row(inner)
            for name, inner in value.items()
        }
    return [_row(inner) for inner in value] if isinstance(value, list) else value


def _schema(arrow: Any) -> Any:
    text, number = arrow.string(), arrow.int32()
    pair = arrow.list_(number)
    pairs = arrow.list_(pair)
    characters = [("text", text), ("start", number), ("end", number)]
    place = [("span", pair), *characters, ("fragments", pairs), ("characters", pairs), ("attributes", text)]
    mention = arrow.struct([("id", text), ("type", text), *place])
    argument = arrow.struct([("role", text), *place, ("score", arrow.float64()), ("filler", text)])
    named = [("id", text), ("type", text), ("attributes", text), ("mentions", arrow.list_(mention))]
    event = arrow.struct([*named, ("trigger", pair), *characters, ("arguments", arrow.list_(argument))])
    fields = [("id", text), ("text", text), ("tokens", pairs), ("sentences", pairs), ("events", arrow.list_(event))]
    entities = ("entities", arrow.list_(arrow.struct(named)))
    return arrow.schema([*fields, entities, ("metadata", text)], metadata=_MARK)
