"""Scores of generated texts: ROUGE and BLEU-4 as ChatGLM2's script computes them, sacreBLEU's BLEU and chrF."""

from __future__ import annotations

import functools
import importlib
import statistics
import warnings
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

from eventune.errors import EventuneError, InvalidValueError

ROUGE = ("rouge-1", "rouge-2", "rouge-l")


def score_texts(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Score texts against one or several references each.

    `rouge-1`, `rouge-2`, `rouge-l` (F1 over jieba's words) and `bleu-4` (sentence BLEU over characters, NLTK's
    smoothing method 3) are means over the texts, as in ChatGLM2-6B's `ptuning/main.py`. With several references each
    of the ROUGE scores is that with its best one, and BLEU-4 counts what is in any. `bleu` and `chrf` are sacreBLEU's
    over all texts together; `bleu` counts Chinese characters where the references are mostly such, words of `13a`
    otherwise.

    Args:
        predictions: The texts; an empty one scores 0.
        references: The references of each, one at least.

    Returns:
        The scores as fractions; all are 0 where there are no texts.

    Raises:
        EventuneError: If a library is missing, or a text has no reference.
    """
    if len(predictions) != len(references):
        raise InvalidValueError("references", f"those of {len(predictions)} texts", f"those of {len(references)}")
    if not all(references):
        number = next(number for number, ones in enumerate(references) if not ones)
        raise InvalidValueError(f"references[{number}]", "one text at least", "none")
    pairs = list(zip(predictions, references, strict=True))
    cut = functools.cache(_words_of)
    rouge = [_best([_rouge(cut(text), cut(one)) for one in ones]) for text, ones in pairs]
    means = {name: _mean([row[at] for row in rouge]) for at, name in enumerate(ROUGE)}
    bleu4 = _mean([_bleu4(text, ones) for text, ones in pairs])
    return {**means, "bleu-4": bleu4, **_corpus_scores(predictions, references)}


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def _best(scores: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(max(column) for column in zip(*scores, strict=True))


def library(name: str) -> Any:
    """Return a library of the extra `llm`, or say how to install it."""
    try:
        with warnings.catch_warnings():
            # jieba asks for pkg_resources, which setuptools has been warning of for years.
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as error:
        missing = (error.name or name).partition(".")[0]
        raise EventuneError(
            f"scores of generated texts need the package {missing}, which is not installed",
            "pip install 'eventune[llm]'",
        ) from None


@functools.cache
def _cutter() -> Callable[[str], Sequence[str]]:
    """Return jieba's function that cuts a text into words.

    Its dictionary is read here: by itself jieba keeps it in a file of fixed name in the temporary folder, which it
    reads again whoever wrote it, and logs four lines.
    """
    words = library("jieba").Tokenizer()
    words.FREQ, words.total = words.gen_pfdict(words.get_dict_file())
    words.initialized = True
    cut: Callable[[str], Sequence[str]] = words.lcut
    return cut


def _words_of(text: str) -> str:
    return " ".join(_cutter()(text))


def _rouge(words: str, expected: str) -> tuple[float, ...]:
    """Return F1 of ROUGE-1, -2 and -L; 0 where either has no words, which rouge_chinese refuses."""
    if not words.strip() or not expected.strip():
        return (0.0,) * len(ROUGE)
    scores = library("rouge_chinese").Rouge().get_scores(words, expected)[0]
    return tuple(float(scores[name]["f"]) for name in ROUGE)


def _bleu4(text: str, references: Sequence[str]) -> float:
    if not text:
        return 0.0
    bleu = library("nltk.translate.bleu_score")
    smoothing = bleu.SmoothingFunction().method3
    return float(bleu.sentence_bleu([list(one) for one in references], list(text), smoothing_function=smoothing))


def _corpus_scores(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    if not predictions:
        return {"bleu": 0.0, "chrf": 0.0}
    sacrebleu = library("sacrebleu")
    # One list for each place among the references; None where a text has fewer.
    columns = [list(column) for column in zip_longest(*references)]
    bleu = sacrebleu.corpus_bleu(list(predictions), columns, tokenize=bleu_tokenizer(references)).score
    chrf = sacrebleu.corpus_chrf(list(predictions), columns).score
    return {"bleu": float(bleu) / 100, "chrf": float(chrf) / 100}


def bleu_tokenizer(references: Sequence[Sequence[str]]) -> str:
    """Return sacreBLEU's tokenizer for these references: by characters where most letters are Chinese."""
    letters = [letter for ones in references for one in ones for letter in one if letter.isalpha()]
    return "zh" if 2 * sum("\u4e00" <= letter <= "\u9fff" for letter in letters) > len(letters) else "13a"
