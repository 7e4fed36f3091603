import json

import pytest

from eventune.corpora import records
from eventune.corpora.records import read_json_records, write_json_array
from eventune.errors import InvalidValueError


def read(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(record.place.removeprefix(f"{path}:"), record.value) for record in read_json_records(path)]


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
def test_array_is_read_whatever_its_chunks_are(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(records, "_CHUNK_BYTES", chunk)
    values = [{"a": "é😀 ]"}, [1, [2]], "x", 123, {}, 4.5]
    content = json.dumps(values, ensure_ascii=False, indent=1).encode()
    found = read(tmp_path, b"\xef\xbb\xbf \r\n" + content + b"\n ")
    assert [value for _, value in found] == values
    assert found[0][0] == "3"
    assert [value for _, value in read(tmp_path, "[]")] == []


@pytest.mark.parametrize("content", ['[1]\n[2, "x"]\n', '[1]\r\n\r\n[2, "x"]', '\ufeff\n[1]\n\n[2, "x"]'])
def test_arrays_one_below_the_other_are_a_record_each(tmp_path, content):
    assert [value for _, value in read(tmp_path, content)] == [[1], [2, "x"]]


@pytest.mark.parametrize("content", ["[[1],\n[2]]", "[[1]\n,[2]]", "[\n[1], [2]\n]", "[[1], [2]]\n\n"])
def test_arrays_in_an_array_are_its_elements(tmp_path, content):
    assert [value for _, value in read(tmp_path, content)] == [[1], [2]]


def test_line_with_a_number_that_is_too_large_is_one_broken_record(tmp_path):
    (_, first), second = read(tmp_path, '{"n": -1e999}\n{"n": 1e9}\n')
    assert first.message == "record: expected finite numbers, found -1e999"
    assert second == ("2", {"n": 1e9})


def test_array_that_was_written_is_read_back(tmp_path):
    for values in ([], [1], [{"a": 1}, [2]]):
        write_json_array(values, tmp_path / "out")
        assert [record.value for record in read_json_records(tmp_path / "out")] == values
        assert json.loads((tmp_path / "out").read_text()) == values


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ('[{"a": 1},\n {"a": ', "2", "element: expected a JSON value, found broken JSON"),
        ('[{"a": 1}\n {"a": 2}]', "2", "array: expected a comma between elements, or its end, found '{'"),
        ('[{"a": 1}', "1", "array: .* found the end of the file"),
        ('[{"a": 1}] x', "1", "file: expected one array and nothing behind it"),
        (b'[{"a": "\xff"}]', "1", "encoding: expected UTF-8, found byte 0xff"),
        ('[NaN, "later"]', "1", "finite numbers"),
        ('[1e999, "later"]', "1", "finite numbers, found 1e999"),
        ("[" * 100_000, "1", "nested too deeply"),
        ('["\\ud83d"]', "1", "half a surrogate pair"),
    ],
)
def test_broken_array_names_line_and_cause(tmp_path, content, line, message):
    errors = [(place, value) for place, value in read(tmp_path, content) if isinstance(value, InvalidValueError)]
    assert len(errors) == 1
    place, error = errors[0]
    assert place == line
    with pytest.raises(InvalidValueError, match=message):
        raise error
