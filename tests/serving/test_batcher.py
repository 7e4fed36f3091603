"""The batcher: who is read with whom, and what happens to those who cannot be."""

import threading
import time
from concurrent.futures import wait

import pytest

from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, Span
from eventune.inference.pools import cost_of
from eventune.serving.batcher import Batcher, BusyError, ClosedError


def text(id, length=4):
    return Document.from_sentences(id, [["word"] * length])


def marked(document):
    return document.with_events([Event("seen", Span(0, 1), id=document.id)])


class PanicException(BaseException):
    """What the tokenizers' library raises; it is no Exception."""


class Model:
    """Annotates when it is let; `batches` are the identifiers that it was given together."""

    def __init__(self):
        self.batches = []
        self.may_go = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self, documents):
        self.batches.append([document.id for document in documents])
        self.entered.release()
        assert self.may_go.wait(20)
        if any(document.id == "bad" for document in documents):
            raise EventuneError("bad: expected another")
        if any(document.id == "panic" for document in documents):
            raise PanicException("called `unwrap()` on\nan `Err` value")
        return [marked(document) for document in documents]


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def other():
    return Model()


@pytest.fixture
def batcher(model, other):
    reports = []
    batcher = Batcher(batch_tokens=32, capacity=10, on_batch=reports.append)
    batcher.reports, batcher.models = reports, {"a": model, "b": other}
    yield batcher
    model.may_go.set()
    other.may_go.set()
    batcher.close()


def ask(batcher, *documents, run="a", seconds=20):
    return batcher.submit(run, batcher.models[run], documents, seconds=seconds)


@pytest.fixture
def busy(batcher, model):
    """The model is at a first document until it may go: what comes now waits."""
    first = ask(batcher, text("first"))
    assert model.entered.acquire(timeout=20)
    return first


def test_an_idle_model_takes_what_comes_at_once(batcher, model, busy):
    assert model.batches == [["first"]]
    model.may_go.set()
    assert busy.result(20) == [marked(text("first"))]


def test_what_came_meanwhile_is_read_together_up_to_the_budget(batcher, model, busy):
    answers = [ask(batcher, text(str(n), 10)) for n in range(5)]
    model.may_go.set()
    assert [answer.result(20)[0].id for answer in answers] == ["0", "1", "2", "3", "4"]
    assert model.batches == [["first"], ["0", "1", "2"], ["3", "4"]]


def test_like_lengths_are_read_together_and_the_longest_waiting_first(batcher, model, busy):
    lengths = {"long": 14, "short": 3, "longer": 16, "shorter": 2}
    answers = [ask(batcher, text(id, length)) for id, length in lengths.items()]
    model.may_go.set()
    wait(answers, 20)
    assert model.batches[1:] == [["long", "longer"], ["short", "shorter"]]


def test_a_document_beyond_the_budget_is_read_alone(batcher, model, busy):
    answers = [ask(batcher, text("huge", 100)), ask(batcher, text("other", 100))]
    model.may_go.set()
    wait(answers, 20)
    assert model.batches[1:] == [["huge"], ["other"]]


def test_runs_are_read_apart(batcher, model, other, busy):
    answers = [ask(batcher, text("1")), ask(batcher, text("2"), run="b"), ask(batcher, text("3"))]
    model.may_go.set()
    other.may_go.set()
    wait(answers, 20)
    assert model.batches[1:] == [["1", "3"]]
    assert other.batches == [["2"]]


def test_a_request_gets_its_own_documents_in_its_own_order(batcher, model, busy):
    mine = ask(batcher, text("same", 20), text("x", 2), text("same", 19))
    yours = ask(batcher, text("same", 18), text("y", 2))
    model.may_go.set()
    assert [(d.id, len(d.tokens)) for d in mine.result(20)] == [("same", 20), ("x", 2), ("same", 19)]
    assert [(d.id, len(d.tokens)) for d in yours.result(20)] == [("same", 18), ("y", 2)]


def test_more_than_may_wait_is_refused_as_a_whole_and_says_when_to_come_again(batcher, model, busy):
    waiting = ask(batcher, *(text(str(n)) for n in range(8)))
    with pytest.raises(BusyError) as caught:
        ask(batcher, text("x"), text("y"), text("z"))
    assert caught.value.message == "queue: expected at most 10 documents to wait, found 8 and those of this request"
    assert caught.value.retry_seconds >= 1
    assert batcher.waiting == 8
    ask(batcher, text("x"), text("y"))
    model.may_go.set()
    assert len(waiting.result(20)) == 8


def test_a_request_that_is_given_up_is_dropped_and_makes_room(batcher, model, busy):
    given_up = ask(batcher, *(text(f"given up {n}") for n in range(10)))
    given_up.cancel()
    answer = ask(batcher, text("kept"))
    model.may_go.set()
    answer.result(20)
    assert model.batches == [["first"], ["kept"]]


def test_a_request_that_is_given_up_while_it_is_read_disturbs_nobody(batcher, model, busy):
    busy.cancel()
    answer = ask(batcher, text("kept"))
    model.may_go.set()
    assert answer.result(20) == [marked(text("kept"))]


def test_what_is_too_late_is_dropped(batcher, model, busy):
    ask(batcher, text("late"), seconds=0.0)
    time.sleep(0.01)
    answer = ask(batcher, text("kept"))
    model.may_go.set()
    answer.result(20)
    assert model.batches == [["first"], ["kept"]]


def test_an_error_is_the_one_request_s_that_has_it(batcher, model, busy):
    answers = [ask(batcher, text("good")), ask(batcher, text("bad"), text("fine")), ask(batcher, text("better"))]
    model.may_go.set()
    assert answers[0].result(20) == [marked(text("good"))]
    with pytest.raises(EventuneError, match="bad: expected another"):
        answers[1].result(20)
    assert answers[2].result(20) == [marked(text("better"))]
    assert batcher.is_open


def test_a_library_that_panics_is_the_one_request_s_error(batcher, model, busy):
    answers = [ask(batcher, text("good")), ask(batcher, text("panic")), ask(batcher, text("better"))]
    model.may_go.set()
    assert answers[0].result(20) == [marked(text("good"))]
    with pytest.raises(EventuneError, match="a library stopped: called `unwrap\\(\\)` on an `Err` value"):
        answers[1].result(20)
    assert answers[2].result(20) == [marked(text("better"))]
    assert batcher.is_open


def test_work_between_batches_in_which_a_library_panics_is_told(batcher, model):
    def work():
        raise PanicException("gone")

    with pytest.raises(EventuneError, match="a library stopped: gone"):
        batcher.between(work).result(20)
    assert batcher.is_open


def test_many_documents_of_one_request_take_no_more_time_each():
    documents = [text(str(n), 1) for n in range(20_000)]
    batcher = Batcher(batch_tokens=len(documents), capacity=len(documents))
    # With time that grows by the square it would be a minute.
    assert batcher.submit("a", list, documents, seconds=20).result(20) == documents
    batcher.close()


def test_closing_finishes_what_was_taken_and_takes_nothing_more(batcher, model, busy):
    answers = [ask(batcher, text(str(n))) for n in range(4)]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    while batcher.is_open:
        time.sleep(0.001)
    with pytest.raises(ClosedError):
        ask(batcher, text("too late"))
    model.may_go.set()
    closing.join(20)
    assert all(answer.done() for answer in [busy, *answers])


def test_work_between_batches_is_done_by_the_thread_that_owns_the_models(batcher, model, busy):
    waiting = ask(batcher, text("waiting"))
    names = [batcher.between(lambda: (threading.current_thread().name, list(model.batches))) for _ in range(2)]
    model.may_go.set()
    assert [name.result(20) for name in names] == [("eventune-batcher", [["first"]])] * 2
    assert waiting.result(20) == [marked(text("waiting"))]


def test_work_between_batches_that_fails_is_told_and_disturbs_nobody(batcher, model):
    model.may_go.set()
    with pytest.raises(ZeroDivisionError):
        batcher.between(lambda: 1 / 0).result(20)
    assert ask(batcher, text("1")).result(20) == [marked(text("1"))]
    batcher.close()
    with pytest.raises(ClosedError):
        batcher.between(lambda: None)


def test_nothing_asked_is_nothing_found(batcher):
    assert ask(batcher).result(0) == []


def test_batches_are_reported(batcher, model, busy):
    answer = ask(batcher, text("1", 5), text("2", 4))
    model.may_go.set()
    answer.result(20)
    batcher.close()
    assert [(report.run, report.documents, report.tokens) for report in batcher.reports] == [("a", 1, 4), ("a", 2, 9)]
    assert all(len(report.waited) == report.documents for report in batcher.reports)


def test_a_document_costs_its_tokens_once_an_event():
    document = text("x", 5)
    event = Event("e", Span(0, 1), (Argument("r", Span(0, 1)),))
    assert [cost_of(document.with_events([event] * n)) for n in (0, 1, 3)] == [5, 5, 15]


def test_a_batch_is_reported_before_it_is_answered(model):
    model.may_go.set()
    may_submit, jobs, answered = threading.Event(), [], []

    def report(_):
        assert may_submit.wait(20)
        answered.append(jobs[0].done())

    batcher = Batcher(batch_tokens=32, capacity=10, on_batch=report)
    jobs.append(batcher.submit("a", model, [text("one")], seconds=20))
    may_submit.set()
    assert [document.id for document in jobs[0].result(20)] == ["one"]
    assert answered == [False]
    batcher.close()
