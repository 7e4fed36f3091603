import itertools
import random

import numpy as np
import pytest

from eventune.scoring.resampling import bootstrap, paired
from eventune.scoring.text import score_texts
from eventune.scoring.text_tally import bleu_tallies

sacrebleu = pytest.importorskip("sacrebleu")

ENGLISH = (
    ["The cat sat on the mat.", "there is a dog, in the yard", "", "one", "It was a bright cold day in April ,"],
    [
        ["The cat sat on the mat.", "A cat was sitting on the mat."],
        ["There is a dog in the yard!"],
        ["nothing to see", "nothing", "nothing at all"],
        ["one", "two"],
        ["It was a bright cold day in April, and the clocks were striking thirteen."],
    ],
)
CHINESE = (
    ["这件连衣裙采用了经典的圆领设计", "裤子很好看", "简约的款式 A字版型"],
    [["这件连衣裙采用经典圆领的设计，显瘦"], ["这条裤子非常好看", "裤子好看"], ["A字版型，款式简约大方"]],
)


def corpus_bleu(predictions, references, tokenize):
    columns = [list(column) for column in itertools.zip_longest(*references)]
    return sacrebleu.corpus_bleu(list(predictions), columns, tokenize=tokenize).score / 100


def bleu_of(tallies):
    return float(tallies[0].metrics_of([sum(column) for column in zip(*(t.parts for t in tallies), strict=True)])[2])


@pytest.mark.parametrize(("corpus", "tokenize"), [(ENGLISH, "13a"), (CHINESE, "zh")], ids=["english", "chinese"])
def test_summed_tallies_give_sacrebleus_corpus_score(corpus, tokenize):
    tallies = bleu_tallies(*corpus)

    assert bleu_of(tallies) == pytest.approx(corpus_bleu(*corpus, tokenize), abs=1e-9)
    assert bleu_of(tallies) == pytest.approx(score_texts(*corpus)["bleu"], abs=1e-9)
    whole = tallies[0]
    for tally in tallies[1:]:
        whole += tally
    assert bleu_of([whole]) == bleu_of(tallies)


def test_any_texts_give_sacrebleus_score_also_where_orders_have_no_match_or_no_ngram():
    generator = random.Random(0)
    words = ["a", "b", "c", "d", "e"]

    def text(longest):
        return " ".join(generator.choices(words, k=generator.randint(0, longest)))

    for longest in (1, 2, 3, 4, 5, 8):
        for _ in range(40):
            predictions = [text(longest) for _ in range(3)]
            references = [[text(longest) for _ in range(generator.randint(1, 3))] for _ in predictions]
            expected = corpus_bleu(predictions, references, "13a")
            assert bleu_of(bleu_tallies(predictions, references)) == pytest.approx(expected, abs=1e-9)


def test_resamples_are_scored_as_corpora_of_their_own():
    predictions, references = ENGLISH
    tallies = bleu_tallies(predictions, references)
    draws = [[0, 0, 4, 1, 3], [1, 1, 1, 1, 1], [2, 2, 2, 2, 2]]
    sums = np.array([np.sum([tallies[row].parts for row in rows], axis=0) for rows in draws])

    found = tallies[0].metrics_of(list(sums.T))[2]
    for rows, bleu in zip(draws, found, strict=True):
        expected = corpus_bleu([predictions[row] for row in rows], [references[row] for row in rows], "13a")
        assert bleu == pytest.approx(expected, abs=1e-9)


def test_bootstrap_and_paired_difference_take_them():
    better = bleu_tallies([ones[0] for ones in ENGLISH[1]], ENGLISH[1])
    worse = bleu_tallies(*ENGLISH)

    low, high = bootstrap(worse).f1
    assert low <= bleu_of(worse) <= high
    difference = paired(better, worse)
    assert difference.difference == pytest.approx(1 - bleu_of(worse))
    assert difference.interval[0] > 0
