"""Files of settings as strangers send them: every kind of damage is one error that names the file."""

import os
from dataclasses import dataclass

import pytest

from eventune.errors import EventuneError, InvalidValueError
from eventune.storage.json_files import read_json
from eventune.storage.paths import exists, expanded, is_file, is_folder
from eventune.storage.text_files import MOST_BYTES, read_text
from eventune.storage.validation import read_settings
from eventune.storage.yaml_files import MOST_VALUES, parse_yaml, read_yaml

DEEP = 20_000
NAMES_OF_NOTHING = ("", "x" * 5_000, "a\x00b", "no/such/thing", "\udc80", "~no-such-user/x")


@dataclass(frozen=True)
class Settings:
    number: int
    share: float = 0.0


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"[" * DEEP + b"]" * DEEP, "recursion limit"),
        (b'{"a": ' * DEEP + b"1" + b"}" * DEEP, "recursion limit"),
        (b'{"a": ' + b"7" * 5_000 + b"}", "number out of range"),
        (rb'{"a": "\ud800"}', "hex escape"),
        (b'{"a": "\xff"}', "invalid unicode"),
        (b'{"a": 1', "EOF"),
        (b"", "EOF"),
        (b"[1]", "found list"),
        (b"7", "found int"),
    ],
)
def test_json_that_is_no_object_is_refused_by_the_files_name(tmp_path, content, found):
    path = tmp_path / "settings.json"
    path.write_bytes(content)

    with pytest.raises(EventuneError, match=rf"settings\.json: expected .*{found}"):
        read_json(path)
    with pytest.raises(EventuneError, match=r"settings\.json: "):
        read_settings(path, Settings)


def test_a_byte_order_mark_before_json_is_left_out(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b'\xef\xbb\xbf{"number": 3}')

    assert read_json(path) == {"number": 3}
    assert read_settings(path, Settings) == Settings(3)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_settings_are_finite(tmp_path, value):
    path = tmp_path / "settings.json"
    path.write_text(f'{{"number": 3, "share": {value}}}')

    with pytest.raises(EventuneError, match=r"settings\.json"):
        read_settings(path, Settings)


def test_a_long_wrong_value_is_shown_by_its_beginning(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(f'{{"number": "{"x" * 100_000}"}}')

    with pytest.raises(InvalidValueError, match="number: expected a valid integer, found") as error:
        read_settings(path, Settings)
    assert len(str(error.value)) < 1_000


def folder(path):
    path.mkdir()


def loop(path):
    path.symlink_to(path.name)


def dangling(path):
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [folder, loop, dangling, os.mkfifo])
@pytest.mark.parametrize("read", [read_json, read_yaml, read_text, lambda path: read_settings(path, Settings)])
def test_what_is_no_file_is_not_read(tmp_path, make, read):
    path = tmp_path / "settings"
    make(path)

    with pytest.raises(EventuneError, match="settings: "):
        read(path)


def test_a_file_of_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "settings.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)

    with pytest.raises(EventuneError, match="expected 268,435,456 bytes at the most"):
        read_json(path)


@pytest.mark.parametrize("name", NAMES_OF_NOTHING)
def test_any_text_can_be_asked_for_as_a_path(name):
    assert not is_file(name)
    assert is_folder(name) == exists(name) == (name == "")
    expanded(name)


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 1_000, "nested too deeply"),
        ("a:\n" + "".join(f"{' ' * n}- b:\n" for n in range(2, 200, 2)), "nested too deeply"),
        (f"a: {'7' * 5_000}", "limit"),
        ("a: !!timestamp 2024-13-45", "expected YAML"),
        ("a: &a [*a]", "a value that refers to itself"),
        ("&a {b: *a}", "a value that refers to itself"),
        (LAUGHS, f"{MOST_VALUES:,} values at the most"),
        ("a: 1\na: 2", "'a' again"),
        ('a: "\\ud800"', "half a surrogate pair"),
        ("a: \x00", "special characters"),
        ("a: !!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("a: !!int x", "invalid literal"),
        ("a: !!float x", "could not convert"),
        ("{? [a]: b}", "unhashable"),
        ("a: *b", "undefined alias"),
        ("a: [1", "expected"),
    ],
)
def test_yaml_that_is_no_plain_value_is_refused_by_the_files_name(tmp_path, text, found):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)

    with pytest.raises(EventuneError, match=rf"recipe\.yaml:?\d*: .*{found}"):
        read_yaml(path)


def test_a_date_is_the_text_that_was_written():
    assert parse_yaml("flags", "output_dir: 2024-02-30") == {"output_dir": "2024-02-30"}


def test_aliases_and_merged_keys_are_understood():
    assert parse_yaml("x", "a: &a {b: 1}\nc: *a\nd: {<<: *a, e: 2}") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": {"b": 1, "e": 2},
    }
