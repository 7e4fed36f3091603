"""Signs of life: bars on a terminal, lines elsewhere."""

import io
import json
from types import SimpleNamespace

import pytest
from rich.console import Console
from transformers import TrainerState

from eventune.cli import bars, progress
from eventune.cli.bars import Bars, duration
from eventune.cli.progress import EpochRows, TrainingBar


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def screen(monkeypatch):
    """What is shown, on a terminal or not."""

    def screen(*, is_terminal):
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=is_terminal, width=200, highlight=False)
        for module in ("cli.bars", "cli.progress", "cli.output"):
            monkeypatch.setattr(f"eventune.{module}.status", console)
        return stream

    return screen


def test_without_a_terminal_a_line_a_minute_says_how_far_the_work_is_and_how_long_it_takes(clock, screen):
    stream = screen(is_terminal=False)
    bar = Bars(clock).start("evaluating", total=1930)
    for done in range(32, 1930, 32):
        clock.now += 7
        bar.update(done)

    assert stream.getvalue().splitlines() == [
        "evaluating: 288 of 1,930, about 6 min left",
        "evaluating: 576 of 1,930, about 5 min left",
        "evaluating: 864 of 1,930, about 4 min left",
        "evaluating: 1,152 of 1,930, about 3 min left",
        "evaluating: 1,440 of 1,930, about 2 min left",
        "evaluating: 1,728 of 1,930, about 44 s left",
    ]


def test_work_without_a_known_end_says_how_much_is_done(clock, screen):
    stream = screen(is_terminal=False)
    bar = Bars(clock).start("extracting")
    for _ in range(5):
        clock.now += 50
        bar.advance(64)
    assert stream.getvalue().splitlines() == [
        "extracting: 128 so far, after 2 min",
        "extracting: 256 so far, after 3 min",
    ]


def test_what_was_done_before_does_not_make_the_rest_look_short(clock, screen):
    stream = screen(is_terminal=False)
    bar = Bars(clock).start("training", total=1000, done=900)
    for done in (901, 911):
        clock.now += 60
        bar.update(done)
    assert stream.getvalue() == "training: 901 of 1,000\ntraining: 911 of 1,000, about 9 min left\n"


def test_quick_work_shows_nothing(clock, screen):
    for is_terminal in (True, False):
        stream = screen(is_terminal=is_terminal)
        bar = Bars(clock).start("extracting", total=10)
        for done in range(10):
            clock.now += 0.1
            bar.update(done)
        bar.close()
        assert stream.getvalue() == ""


def test_a_terminal_shows_one_bar_below_the_other_and_gives_the_cursor_back(clock, screen):
    stream = screen(is_terminal=True)
    bars = Bars(clock)
    training = bars.start("training", total=10, delay=0.0)
    evaluating = bars.start("evaluating", total=20)
    clock.now += 3
    evaluating.update(5)
    bars.shown().refresh()
    assert "training" in stream.getvalue()
    assert "5/20" in stream.getvalue()
    evaluating.close()
    training.close()
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59.4, "59 s"), (61, "1 min"), (3570, "1 h 0 min"), (5400, "1 h 30 min"), (90_000, "1 d 1 h")],
)
def test_times_are_said_as_exactly_as_they_are_known(seconds, text):
    assert duration(seconds) == text


def train(rows, clock, *, steps, seconds, epochs=4, run_name=None):
    """Tell rows of a training of so many steps an epoch."""
    args = SimpleNamespace(run_name=run_name, eval_strategy="no")
    state = TrainerState(max_steps=steps * epochs, num_train_epochs=epochs)
    rows.on_train_begin(args, state, None)
    for step in range(steps * epochs):
        rows.on_step_begin(args, state, None)
        # The first one takes longer.
        clock.now += seconds if step else 3 * seconds
        state.global_step += 1
        rows.on_step_end(args, state, None)
    rows.on_train_end(args, state, None)


def test_after_a_few_steps_it_is_said_how_long_an_epoch_and_all_will_take(clock, screen):
    stream = screen(is_terminal=False)
    train(TrainingBar(Bars(clock)), clock, steps=42, seconds=21.0)
    assert stream.getvalue().splitlines()[:4] == [
        "training: 1 of 168",
        "training: about 15 min an epoch, 58 min in all, evaluation not counted",
        "training: 4 of 168, about 57 min left",
        "training: 7 of 168, about 56 min left",
    ]


def test_a_pretraining_has_its_name_and_a_quick_training_no_forecast(clock, screen):
    stream = screen(is_terminal=False)
    train(EpochRows(Bars(clock)), clock, steps=100, seconds=0.1, run_name="pretraining")
    assert stream.getvalue() == ""
    train(EpochRows(Bars(clock)), clock, steps=100, seconds=1.0, run_name="pretraining")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "pretraining: about 2 min an epoch, 7 min in all, evaluation not counted"
    assert len(lines) == 1 + 6


def test_the_evaluation_within_a_training_gives_signs_of_life(clock, screen):
    stream = screen(is_terminal=False)
    rows = TrainingBar(Bars(clock))
    for done in (32, 64, 96):
        clock.now += 40
        rows.on_prediction_step(None, None, None, done=done, total=96)
    rows.on_evaluate(None, None, None)
    assert stream.getvalue() == "evaluating: 96 of 96\n"


@pytest.fixture
def impatient(monkeypatch):
    """Every line is due at once."""
    monkeypatch.setattr(bars, "SILENCE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "LONG_SECONDS", 0.0)


def test_a_run_tells_of_each_of_its_parts_on_stderr_alone(run, tiny_recipe, tmp_path, impatient):
    settings = {**tiny_recipe, "pretrain_file": tiny_recipe["train_file"], "num_train_epochs": 1, "save_steps": 2}
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
    found = run("train", *flags, "--output_dir", tmp_path / "run", "--json")

    assert found.code == 0
    json.loads(found.out)
    for label in ("pretraining: ", "training: ", "evaluating: ", "predicting dev: "):
        assert f"\n{label}" in found.err


def test_extraction_and_evaluation_tell_how_far_they_are(run, tiny_run, small_corpus, tmp_path, impatient):
    found = run("extract", tiny_run, small_corpus / "dev.jsonl", "-o", tmp_path / "out.jsonl", "--json")
    assert found.code == 0
    assert found.err.splitlines()[0] == "extracting: 0 so far, after 1 s"
    assert "extracting: 12 of 12" in found.err
    json.loads(found.out)

    found = run("evaluate", tiny_run, "--test_file", small_corpus / "dev.jsonl", "--json")
    assert "extracting: 16 of 16" in found.err
    json.loads(found.out)


def test_scoring_tells_how_far_it_is(run, small_corpus, impatient):
    found = run("score", "--all", "--gold", small_corpus / "dev.jsonl", "--predictions", small_corpus / "dev.jsonl")
    assert found.code == 0
    assert "scoring: 12 so far, after 1 s" in found.err


def test_a_bar_tells_how_many_are_done_in_a_second(monkeypatch, capsys):
    monkeypatch.setattr(bars, "SILENCE_SECONDS", 0.0)
    now = iter([0.0, 1.0, 3.0, 3.0])
    bar = bars.Bars(lambda: next(now)).start("extracting", unit="documents")
    bar.update(100)
    bar.update(200, 1000)
    assert "extracting: 200 of 1,000, 50 documents/s, about 16 s left" in capsys.readouterr().err
