"""Files as they are stored, and many of them as one stream."""

import gzip
import json
import math

import pytest
import zstandard

from eventune.corpora import read_corpus
from eventune.corpora.inputs import open_inputs
from eventune.corpora.jsonl import write_document
from eventune.corpora.parquet import write_rows
from eventune.corpora.records import read_json_records
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError, InvalidValueError

PACKERS = {"gzip": gzip.compress, "zstd": zstandard.compress}


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def texts(inputs):
    return [(document.id, document.text) for document in inputs]


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
def test_packed_corpora_are_read_whatever_they_are_called(pack, tmp_path):
    content = sample_file("dev").read_bytes()
    half = content.index(b"\n", len(content) // 2) + 1
    # Files that were packed in pieces are pieces one behind the other.
    (tmp_path / "corpus").write_bytes(pack(content[:half]) + pack(content[half:]))
    assert read_corpus(tmp_path / "corpus").documents == read_corpus(sample_file("dev")).documents


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
def test_a_packed_file_that_is_cut_off_gives_what_is_there_and_says_so(pack, tmp_path):
    content = sample_file("train").read_bytes() * 4
    packed = pack(content)
    (tmp_path / "cut").write_bytes(packed[: len(packed) * 3 // 4])
    *whole, (last, _) = open_inputs([str(tmp_path / "cut")]).items()
    assert len(whole) > 10
    assert not any(isinstance(item.record.value, InvalidValueError) for item, _ in whole)
    assert "expected whole" in last.record.value.message


def test_documents_come_back_from_parquet_as_they_were(tmp_path):
    documents = read_corpus(sample_file("dev")).documents
    write_rows((record for document in documents for record in write_document(document)), tmp_path / "a.parquet")
    assert read_corpus(tmp_path / "a.parquet").documents == documents


def test_rows_of_any_parquet_are_raw_text_with_the_other_columns_as_metadata(tmp_path):
    import datetime

    import pyarrow as arrow
    from pyarrow import parquet

    day = datetime.date(2024, 5, 1)
    rows = [{"body": "One.", "day": day, "n": 1}, {"body": "Two.", "day": None, "n": 2}]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    first, second = open_inputs([str(tmp_path / "a.parquet")], text_field="body")
    assert (first.text, first.metadata) == ("One.", {"day": "2024-05-01", "n": 1})
    assert (second.id, second.metadata) == ("2", {"n": 2})


def test_nan_in_parquet_is_no_value_and_other_numbers_that_are_not_finite_are_refused(tmp_path):
    import pyarrow as arrow
    from pyarrow import parquet

    rows = [{"text": "One.", "n": math.nan}, {"text": "Two.", "n": math.inf}, {"text": "Three.", "n": 0.5}]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    first, second, third = read_json_records(tmp_path / "a.parquet")
    assert (first.value, third.value) == ({"text": "One."}, {"text": "Three.", "n": 0.5})
    assert second.place.endswith("a.parquet:2")
    assert second.value.message == "row: expected texts, finite numbers, dates and lists of them, found inf"


@pytest.mark.parametrize("kind", ["text that is no UTF-8", "time of no calendar"])
def test_parquet_that_python_cannot_hold_is_refused_with_its_name(tmp_path, kind):
    import pyarrow as arrow
    from pyarrow import parquet

    _, offsets, content = arrow.array([b"\xff"], arrow.binary()).buffers()
    columns = {
        "text that is no UTF-8": arrow.StringArray.from_buffers(1, offsets, content),
        "time of no calendar": arrow.array([2**62], arrow.timestamp("us")),
    }
    parquet.write_table(arrow.table({"text": columns[kind]}), tmp_path / "a.parquet")
    with pytest.raises(EventuneError, match=r"a\.parquet: expected Parquet, found: "):
        list(read_json_records(tmp_path / "a.parquet"))


def test_own_rows_whose_json_was_changed_are_refused_one_by_one(tmp_path):
    from pyarrow import parquet

    records = [{"id": name, "text": "One.", "metadata": {"n": 1}} for name in "ab"]
    write_rows(records, tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    changed = table.set_column(table.column_names.index("metadata"), "metadata", [["no JSON", '{"n": 2}']])
    parquet.write_table(changed.replace_schema_metadata(table.schema.metadata), tmp_path / "a.parquet")
    first, second = read_json_records(tmp_path / "a.parquet")
    assert first.value.message == "metadata: expected JSON, found 'no JSON'"
    assert second.value["metadata"] == {"n": 2}


def test_patterns_folders_and_files_are_one_stream_whose_records_have_identifiers_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("b", "a"):
        (tmp_path / "in" / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines({"text": f"{name} one."})))
    (tmp_path / "x.txt").write_text("Alone.")
    assert texts(open_inputs(["in/*.gz"])) == [("a.jsonl.gz:1", "a one."), ("b.jsonl.gz:1", "b one.")]
    assert texts(open_inputs(["in"])) == texts(open_inputs(["in/*.gz"]))
    found = texts(open_inputs(["x.txt", "in"]))
    assert found == [("x", "Alone."), ("in/a.jsonl.gz:1", "a one."), ("in/b.jsonl.gz:1", "b one.")]


def test_urls_are_opened_by_fsspec(tmp_path):
    import fsspec

    with fsspec.open("memory://inputs/a.jsonl", "wb") as file:
        file.write(lines({"text": "One."}, {"text": "Two."}))
    assert [text for _, text in texts(open_inputs(["memory://inputs/*.jsonl"]))] == ["One.", "Two."]
    with pytest.raises(EventuneError, match="cannot be read"):
        open_inputs(["memory://inputs/absent.jsonl"])


def test_how_far_a_record_lies_in_the_bytes_of_all_files_is_told(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(lines({"text": "One."}, {"text": "Two."}))
    (tmp_path / "b.jsonl").write_bytes(lines({"text": "Three."}))
    inputs = open_inputs([str(tmp_path / "*.jsonl")])
    positions = [position for _, position in inputs.items()]
    assert positions == sorted(positions)
    assert positions[-1] == inputs.bytes_in_all


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["absent.jsonl"], "no such file"),
        (["*.jsonl"], "expected files, found none"),
        (["-", "a.txt"], "expected - alone"),
        (["."], "expected files, found none"),
    ],
)
def test_what_is_not_there_is_named(names, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EventuneError, match=message):
        open_inputs(names)
