"""Scores of generated texts: ROUGE and BLEU-4 as ChatGLM2's script computes them, sacreBLEU's BLEU and chrF."""

from __future__ import annotations

import importlib
import logging
import statistics
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from eventune.errors import EventuneError

ROUGE = ("rouge-1", "rouge-2", "rouge-l")


def score_texts(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Score texts against one or several references each.

    `rouge-1`, `rouge-2`, `rouge-l` (F1 over jieba's words) and `bleu-4` (sentence BLEU over characters, NLTK's
    smoothing method 3) are means over the texts, as in ChatGLM2-6B's `ptuning/main.py`; with several references the
    best one counts for ROUGE, and all of them for BLEU. `bleu` and `chrf` are sacreBLEU's, over the corpus.

    Args:
        predictions: The texts.
        references: The references of each.

    Returns:
        The scores as fractions.

    Raises:
        EventuneError: If a library is missing, or a text has no reference.
    """
    if len(predictions) != len(references) or not all(references):
        raise EventuneError("references: expected one at least for each prediction")
    rouge = [
        max((_rouge(text, one) for one in ones), key=sum) for text, ones in zip(predictions, references, strict=True)
    ]
    means = {name: statistics.fmean(row[at] for row in rouge) for at, name in enumerate(ROUGE)} if rouge else {}
    bleu4 = [_bleu4(text, ones) for text, ones in zip(predictions, references, strict=True)]
    return {**means, "bleu-4": statistics.fmean(bleu4) if bleu4 else 0.0, **_corpus_scores(predictions, references)}


def library(name: str) -> Any:
    """Return a library of the extra `llm`, or say how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EventuneError(f"scores of texts need the package {error.name}", "pip install 'eventune[llm]'") from None


def _words(text: str) -> str:
    jieba = library("jieba")
    jieba.setLogLevel(logging.ERROR)
    return " ".join(jieba.cut(text))


def _rouge(text: str, reference: str) -> tuple[float, ...]:
    """Return F1 of ROUGE-1, -2 and -L; 0 where either has no words, which rouge_chinese refuses."""
    words, expected = _words(text), _words(reference)
    if not words.strip() or not expected.strip():
        return (0.0, 0.0, 0.0)
    scores = library("rouge_chinese").Rouge().get_scores(words, expected)[0]
    return tuple(float(scores[name]["f"]) for name in ROUGE)


def _bleu4(text: str, references: Sequence[str]) -> float:
    bleu = library("nltk.translate.bleu_score")
    if not text:
        return 0.0
    smoothing = bleu.SmoothingFunction().method3
    return float(bleu.sentence_bleu([list(one) for one in references], list(text), smoothing_function=smoothing))


def _corpus_scores(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    sacrebleu = library("sacrebleu")
    # One list for each place among the references; None where a text has fewer.
    columns = [list(column) for column in zip_longest(*references)]
    bleu = sacrebleu.corpus_bleu(list(predictions), columns, tokenize=bleu_tokenizer(references)).score
    chrf = sacrebleu.corpus_chrf(list(predictions), columns).score
    return {"bleu": float(bleu) / 100, "chrf": float(chrf) / 100}


def bleu_tokenizer(references: Sequence[Sequence[str]]) -> str:
    """Return sacreBLEU's tokenizer for these references: by characters where most of them are Chinese."""
    text = "".join(one for ones in references for one in ones)
    return "zh" if 2 * sum("\u4e00" <= letter <= "\u9fff" for letter in text) > len(text) else "13a"
