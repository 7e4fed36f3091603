"""Intervals and tests of significance, against slow loops and by how often they are right."""

import random

import numpy as np
import pytest

from eventune.errors import InvalidValueError
from eventune.scoring import resampling
from eventune.scoring.measures import MeanTally, Tally
from eventune.scoring.resampling import bootstrap, bootstraps, paired


def system(documents, accuracy, seed):
    """Tallies of a made-up system."""
    generator = random.Random(seed)
    golds = [generator.randint(0, 5) for _ in range(documents)]
    hits = [sum(generator.random() < accuracy for _ in range(gold)) for gold in golds]
    return [Tally(gold, hit + generator.randint(0, 2), hit) for gold, hit in zip(golds, hits, strict=True)]


def f1_of(tallies):
    total = sum(tallies, Tally())
    return total.metrics_of(total.parts)[2]


def test_bootstrap_agrees_with_a_loop_that_draws_documents():
    tallies, generator = system(100, 0.6, 1), random.Random(2)
    slow = [f1_of(generator.choices(tallies, k=100)) for _ in range(3000)]
    assert bootstrap(tallies, resamples=3000).f1 == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.01)


def test_randomisation_agrees_with_all_swaps():
    first, second = system(8, 0.8, 1), system(8, 0.4, 2)
    seen = abs(f1_of(first) - f1_of(second))
    far = 0
    for swaps in range(2**8):
        sides = [(b, a) if swaps >> n & 1 else (a, b) for n, (a, b) in enumerate(zip(first, second, strict=True))]
        far += abs(f1_of([a for a, _ in sides]) - f1_of([b for _, b in sides])) >= seen - 1e-12
    assert paired(first, second, resamples=20_000).p_value == pytest.approx(far / 2**8, abs=0.015)


def test_an_interval_holds_the_true_value_about_as_often_as_it_says():
    truth = f1_of(system(50_000, 0.6, 0))
    ends = [bootstrap(system(100, 0.6, seed), resamples=200, level=0.9).f1 for seed in range(1, 151)]
    assert 0.82 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.97


def test_equal_systems_seldom_differ_significantly():
    p_values = [paired(system(60, 0.6, n), system(60, 0.6, n + 1000), resamples=100).p_value for n in range(150)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.1


def test_a_system_does_not_differ_from_itself():
    tallies = system(50, 0.6, 1)
    result = paired(tallies, tallies)
    assert (result.difference, result.interval, result.p_value) == (0, (0, 0), 1)


def test_the_difference_changes_sign_with_the_order():
    first, second = system(50, 0.8, 1), system(50, 0.4, 2)
    one, other = paired(first, second), paired(second, first)
    assert one.difference == -other.difference > 0
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))
    assert one.p_value == other.p_value == 1 / 1001


def test_the_size_of_chunks_changes_nothing(monkeypatch):
    first, second = system(30, 0.6, 1), system(30, 0.5, 2)
    whole = bootstrap(first), paired(first, second)
    monkeypatch.setattr(resampling, "_CELLS", 100)
    assert (bootstrap(first), paired(first, second)) == whole


def test_a_seed_gives_the_same_interval_again():
    tallies = system(50, 0.6, 1)
    assert bootstrap(tallies, seed=3) == bootstrap(tallies, seed=3) != bootstrap(tallies, seed=4)


def test_means_are_resampled_like_counts():
    tallies = [MeanTally(1, value, value, value, 1, 1) for value in (0.0, 0.5, 1.0)] * 20
    low, high = bootstrap(tallies).f1
    assert 0.3 < low < 0.5 < high < 0.7


@pytest.mark.parametrize("tallies", [[], [Tally()], [Tally(3, 0, 0)], [Tally(0, 3, 0)]])
def test_nothing_found_is_zero(tallies):
    assert bootstrap(tallies, resamples=10).f1 == (0, 0)
    assert paired(tallies, tallies, resamples=10).p_value == 1


@pytest.mark.parametrize(("options", "field"), [({"resamples": 0}, "resamples"), ({"level": 1.0}, "level")])
def test_options_out_of_range_are_refused(options, field):
    for call in (lambda: bootstrap([Tally()], **options), lambda: paired([Tally()], [Tally()], **options)):
        with pytest.raises(InvalidValueError, match=f"{field}: expected"):
            call()


def test_systems_of_different_documents_are_refused():
    with pytest.raises(InvalidValueError, match="second: expected the first's 2 documents, found 1"):
        paired([Tally(), Tally()], [Tally()])


def test_measures_that_share_their_draws_have_the_intervals_that_each_has_alone():
    measures = {
        "few": [Tally(2, 1, 1), Tally(1, 2, 0)],
        "more": [Tally(3, 3, n % 3) for n in range(9)],
        "others": [Tally(n, 2, 1) for n in range(9)],
        "none": [],
    }
    assert bootstraps(measures, resamples=50, seed=3) == {
        name: bootstrap(tallies, resamples=50, seed=3) for name, tallies in measures.items()
    }
