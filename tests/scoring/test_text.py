"""Scores of generated texts, against figures by hand and computations that share nothing with the libraries."""

import importlib
import math
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from eventune.errors import EventuneError
from eventune.scoring.text import score_texts

pytest.importorskip("rouge_chinese")
pytest.importorskip("jieba")
pytest.importorskip("nltk")
pytest.importorskip("sacrebleu")

ROUGE = ("rouge-1", "rouge-2", "rouge-l")


def ngrams(tokens: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)]


def f1(matched: int, predicted: int, gold: int) -> float:
    return 2 * matched / (predicted + gold) if predicted and gold else 0.0


def rouge_n(predicted: list[str], gold: list[str], n: int) -> float:
    mine, theirs = set(ngrams(predicted, n)), set(ngrams(gold, n))
    return f1(len(mine & theirs), len(mine), len(theirs))


def rouge_l(predicted: list[str], gold: list[str]) -> float:
    row = [0] * (len(gold) + 1)
    for word in predicted:
        row = longest(row, word, gold)
    return f1(row[-1], len(predicted), len(gold))


def longest(before: list[int], word: str, gold: list[str]) -> list[int]:
    row = [0]
    for at, other in enumerate(gold):
        row.append(before[at] + 1 if word == other else max(row[at], before[at + 1]))
    return row


def precisions(predicted: list[str], references: list[list[str]]) -> list[tuple[int, int]]:
    found = []
    for n in range(1, 5):
        counts = Counter(ngrams(predicted, n))
        most: Counter[tuple[str, ...]] = Counter()
        for reference in references:
            most |= Counter(ngrams(reference, n))
        found.append((sum((counts & most).values()), sum(counts.values())))
    return found


def brevity(length: int, lengths: list[int]) -> float:
    closest = min(lengths, key=lambda other: (abs(other - length), other))
    return 1.0 if length > closest else math.exp(1 - closest / length)


def bleu4(predicted: str, references: list[str]) -> float:
    """NIST's geometric smoothing: the k-th order without a match counts as 1 / 2^k of one."""
    matches = precisions(list(predicted), [list(one) for one in references])
    if not matches[0][0]:
        return 0.0
    logs, halvings = [], 0
    for matched, total in matches:
        if not matched:
            halvings += 1
        logs.append(math.log((matched or 0.5**halvings) / max(total, 1)))
    return brevity(len(predicted), [len(one) for one in references]) * math.exp(sum(logs) / 4)


ENGLISH = [
    ("the cat sat on the mat", ["the cat is on the mat", "there is a cat on the mat"]),
    ("a red shirt", ["a green shirt with a collar"]),
    ("Fitzbillies is a cheap coffee shop near the river", ["Fitzbillies , a cheap coffee shop , is near the river ."]),
    ("no match", ["nothing alike"]),
]


@pytest.mark.parametrize(("predicted", "references"), ENGLISH)
def test_english_scores_are_those_of_an_independent_computation(predicted: str, references: list[str]) -> None:
    scores = score_texts([predicted], [references])
    words, golds = predicted.split(), [one.split() for one in references]
    assert scores["rouge-1"] == pytest.approx(max(rouge_n(words, gold, 1) for gold in golds), abs=1e-6)
    assert scores["rouge-2"] == pytest.approx(max(rouge_n(words, gold, 2) for gold in golds), abs=1e-6)
    assert scores["rouge-l"] == pytest.approx(max(rouge_l(words, gold) for gold in golds), abs=1e-6)
    assert scores["bleu-4"] == pytest.approx(bleu4(predicted, references), abs=1e-9)


def test_figures_by_hand() -> None:
    scores = score_texts(["a b c d"], [["a b x d"]])
    # 3 of 4 words; 1 of 3 pairs; a, b, d in order.
    assert scores["rouge-1"] == pytest.approx(3 / 4, abs=1e-6)
    assert scores["rouge-2"] == pytest.approx(1 / 3, abs=1e-6)
    assert scores["rouge-l"] == pytest.approx(3 / 4, abs=1e-6)
    # Of the characters 6/7, and of longer pieces 4/6, 2/5 and 1/4.
    assert scores["bleu-4"] == pytest.approx((6 / 7 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25)


def test_chinese_is_cut_into_words_for_rouge_and_characters_for_bleu() -> None:
    predicted, gold = "白色的牛仔布外套", "白色的刺绣外套"
    scores = score_texts([predicted], [[gold]])
    # 白色 的 牛仔布 外套 against 白色 的 刺绣 外套.
    assert scores["rouge-1"] == pytest.approx(3 / 4, abs=1e-6)
    assert scores["rouge-2"] == pytest.approx(1 / 3, abs=1e-6)
    assert scores["rouge-l"] == pytest.approx(3 / 4, abs=1e-6)
    assert scores["bleu-4"] == pytest.approx(bleu4(predicted, [gold]), abs=1e-9)
    # sacreBLEU's zh cuts into characters too: 5/8, 3/7, 1/6 and, exponentially smoothed, (1/2)/5; no brevity penalty.
    assert scores["bleu"] == pytest.approx((5 / 8 * 3 / 7 * 1 / 6 * 1 / 10) ** 0.25)


def test_texts_alike_score_one() -> None:
    for text in ("这件白色外套是简约的风格", "a white shirt of a simple style"):
        for name, value in score_texts([text], [[text]]).items():
            assert value == pytest.approx(1.0, abs=1e-6), name


def test_each_rouge_takes_its_own_best_reference() -> None:
    alone = [score_texts(["a b c d"], [[one]]) for one in ("d c b a", "a b x y z")]
    both = score_texts(["a b c d"], [["d c b a", "a b x y z"]])
    for name in ROUGE:
        assert both[name] == pytest.approx(max(scores[name] for scores in alone))
    assert alone[0]["rouge-1"] > alone[1]["rouge-1"]
    assert alone[0]["rouge-2"] < alone[1]["rouge-2"]


def test_rouge_and_bleu4_are_means_over_the_texts_and_bleu_is_not() -> None:
    predictions, references = [text for text, _ in ENGLISH], [ones for _, ones in ENGLISH]
    each = [score_texts([text], [ones]) for text, ones in ENGLISH]
    scores = score_texts(predictions, references)
    for name in (*ROUGE, "bleu-4"):
        assert scores[name] == pytest.approx(sum(one[name] for one in each) / len(each))
    counts = [precisions(text.split(), [one.split() for one in ones]) for text, ones in ENGLISH]
    product = math.prod(sum(one[n][0] for one in counts) / sum(one[n][1] for one in counts) for n in range(4))
    length = sum(len(text.split()) for text in predictions)
    closest = sum(
        min((len(one.split()) for one in ones), key=lambda other: (abs(other - len(text.split())), other))
        for text, ones in ENGLISH
    )
    penalty = min(1.0, math.exp(1 - closest / length))
    assert scores["bleu"] == pytest.approx(penalty * product**0.25)
    assert all(0 <= value <= 1 for value in scores.values())


def test_different_numbers_of_references_are_padded() -> None:
    uneven = score_texts(["a b c d", "e f g h"], [["a b c d", "x"], ["e f g h"]])
    assert uneven["bleu"] == pytest.approx(1.0)
    assert uneven["chrf"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("predicted", "reference"), [("", "a shirt"), (" \n", "衬衫"), ("a shirt", ""), ("", ""), ("。", "")]
)
def test_what_is_empty_scores_zero(predicted: str, reference: str) -> None:
    assert set(score_texts([predicted], [[reference]]).values()) == {0.0}


def test_an_empty_text_among_others_counts_as_zero() -> None:
    scores = score_texts(["", "a b c d"], [["a b c d"], ["a b c d", ""]])
    assert scores["rouge-1"] == pytest.approx(0.5, abs=1e-6)
    assert scores["bleu-4"] == pytest.approx(0.5)
    assert set(score_texts([], []).values()) == {0.0}


def test_each_text_needs_a_reference() -> None:
    with pytest.raises(EventuneError, match=r"references\[1\]: expected one text at least"):
        score_texts(["a", "b"], [["a"], []])
    with pytest.raises(EventuneError, match="those of 2 texts, found those of 1"):
        score_texts(["a", "b"], [["a"]])


def test_jieba_leaves_no_file_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from eventune.scoring import text

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    text._cutter.cache_clear()
    score_texts(["白色外套"], [["白色外套"]])
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(EventuneError, match="package sacrebleu") as found:
        score_texts(["a"], [["a"]])
    assert "eventune[llm]" in found.value.hint
    assert importlib.util.find_spec("rouge_chinese")
