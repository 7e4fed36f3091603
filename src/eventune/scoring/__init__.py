"""The field's official scorers, reproduced figure for figure, behind one function.

A scorer is a function `(gold, predicted, *, …) -> Score` over documents that are matched by id; its name in `SCORERS`
is the name that commands, recipes and results use. To add one, write it in a module of its own and enter it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eventune.errors import EventuneError, did_you_mean
from eventune.events import Document
from eventune.results import Score
from eventune.scoring.rams import score_rams
from eventune.scoring.rams_files import score_rams_files
from eventune.scoring.rams_report import official_report

__all__ = ["SCORERS", "official_report", "score", "score_rams", "score_rams_files"]

SCORERS: Mapping[str, Callable[..., Score]] = {"rams": score_rams}
"""Scorer by name."""


def score(gold: Sequence[Document], predicted: Sequence[Document], scorer: str = "rams", **options: Any) -> Score:
    """Score predicted events against annotated ones.

    Args:
        gold: Annotated documents.
        predicted: The same documents, found by their id, with the predicted events.
        scorer: Name of the definition, one of `SCORERS`.
        **options: What the scorer takes beyond the documents; for `rams`: `ontology`, `type_constrained`, `strict`.

    Returns:
        Micro-averaged precision, recall and F1 as fractions, their counts, and the scorer's own tables.

    Raises:
        EventuneError: If there is no such scorer, or the scorer refuses the documents.
    """
    if scorer not in SCORERS:
        hint = did_you_mean(scorer, SCORERS)
        raise EventuneError(f"scorer: expected one of {', '.join(SCORERS)}, found {scorer!r}", hint)
    return SCORERS[scorer](gold, predicted, **options)
