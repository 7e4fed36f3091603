"""`task: extraction` and the corpora that it is trained on."""

import pytest

from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus, write_corpus
from eventune.events import Argument, Document, Event, Span
from eventune.recipe import Recipe
from eventune.runs.splits import read_splits
from eventune.tasks.protocol import Outcome
from eventune.tasks.span_extraction import SpanExtraction


@pytest.fixture
def task_beside(tiny_recipe, tmp_path):
    """Makes the task of a run with a corpus beside: two documents, of whose four arguments one is too long."""
    long, short = Argument("participant", Span(0, 2)), Argument("participant", Span(0, 1))
    events = [Event("meet", Span(2, 3), (long, short)), Event("meet", Span(2, 3), (short, short))]
    words = ["Old", "friends", "met", "here"]
    write_corpus(
        [Document.from_sentences(f"o{n}", [words], events=[event]) for n, event in enumerate(events)],
        tmp_path / "other.jsonl",
    )

    def task_beside(**options):
        own = {"further_corpora": {str(tmp_path / "other.jsonl"): options}, "max_span_length": 1}
        recipe = Recipe.of({**tiny_recipe, **own, "output_dir": "run"})
        base = resolve(recipe.model.model_name_or_path)
        return SpanExtraction.from_recipe(recipe, read_splits(recipe.data, print), base, Placement.of("cpu"))

    return task_beside


def test_arguments_of_a_corpus_beside_that_are_out_of_reach_are_named_as_those_of_the_run_s_own_are(
    task_beside, tmp_path
):
    [notice] = [notice for notice in task_beside().notices() if "other.jsonl" in notice]
    assert notice == (
        f"further_corpora: {tmp_path / 'other.jsonl'}: 2 of 4 gold arguments are out of reach "
        "(1 longer than max_span_length 1, 1 overlaps another filler of its role); they count as missed"
    )


@pytest.mark.parametrize(("weight", "read"), [(1, 2), (2, 4), (0.5, 1)])
def test_documents_a_second_count_those_of_a_corpus_beside_as_often_as_an_epoch_reads_them(
    task_beside, tiny_recipe, tmp_path, weight, read
):
    task = task_beside(weight=weight)
    own = len(read_corpus(tiny_recipe["train_file"]))
    outcome = Outcome(counts=type("Counts", (), {"heads": 0}))
    assert task.costs(outcome, {"seconds_per_epoch": 2.0})["documents_per_second"] == (own + read) / 2
    beside = f"further_corpora: {tmp_path / 'other.jsonl'}"
    assert task.data().keys() == {"train", "dev", beside}
    assert task.data()[beside]["documents"] == read
