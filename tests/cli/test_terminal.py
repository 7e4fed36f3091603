"""What standard output and a terminal take."""

import io
import json
import math

import pytest

from eventune.cli.output import DataConsole, emit
from eventune.cli.terminal import printable, stdout_json

RESULT = {"found": "é 公司 \U0001f600 \udcff"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb18030", "utf-8"])
def test_json_is_read_back_whatever_the_encoding_of_standard_output_is(encoding, monkeypatch):
    stream = io.BytesIO()
    stdout = io.TextIOWrapper(stream, encoding=encoding, errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", stdout)
    emit(RESULT, as_json=True, render=lambda _: None)
    stdout.flush()
    assert json.loads(stream.getvalue()) == RESULT


def test_json_has_null_for_numbers_that_are_not_finite(capsys):
    result = {"loss": math.nan, "range": [-math.inf, 1.5], "arms": ({"sd": math.inf, "name": "NaN"},)}
    emit(result, as_json=True, render=lambda _: None)
    printed = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert printed == {"loss": None, "range": [None, 1.5], "arms": [{"sd": None, "name": "NaN"}]}


def test_json_is_readable_where_the_encoding_has_all_characters(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert stdout_json('{"a": "é"}') == '{"a": "é"}'


def test_control_characters_are_replaced_one_by_one():
    assert printable("a\r\n\tb\x1b]52;c\x07\x7f\x9b\u200f") == "a \n\tb�]52;c���\u200f"


def test_nothing_that_is_printed_speaks_to_the_terminal():
    console = DataConsole(file=io.StringIO(), force_terminal=True, color_system=None)
    console.print("a\x1b[2Jb \x9b2J [bold]c")
    assert console.file.getvalue() == "a�[2Jb �2J [bold]c\n"
