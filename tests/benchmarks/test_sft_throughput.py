import json

import pytest


class Bench:
    """Trains at once: each way takes as many seconds as its name has letters."""

    def __init__(self, options):
        self.examples = [None] * 12

    def __getattr__(self, way):
        return way

    def seconds(self, way):
        return float(len(way)), 0.5


@pytest.fixture
def module(load, monkeypatch):
    module = load("sft_throughput")
    monkeypatch.setattr(module, "Bench", Bench)
    return module


def test_ways_are_held_against_ours_where_it_is_among_them(module, call, capsys):
    call(module, "--train_file", "rows.jsonl", "--ways", "plain", "ours")
    assert json.loads(capsys.readouterr().out)["plain"] == {"rows_per_second": 2.4, "ours_over_it": 1.25, "loss": 0.5}

    call(module, "--train_file", "rows.jsonl", "--ways", "packed", "top")
    assert json.loads(capsys.readouterr().out)["top"] == {"rows_per_second": 4.0, "loss": 0.5}


def test_a_way_that_there_is_not_is_refused_before_anything_is_measured(module, call, capsys):
    with pytest.raises(SystemExit):
        call(module, "--train_file", "rows.jsonl", "--ways", "ours", "seconds")
    assert "invalid choice: 'seconds'" in capsys.readouterr().err
