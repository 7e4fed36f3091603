"""The scorers by name, with the options that each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eventune.errors import EventuneError, did_you_mean
from eventune.events import Document
from eventune.results import Score
from eventune.scoring.duee_fin import DueeFinScorer
from eventune.scoring.maven_arg import MavenArgScorer
from eventune.scoring.measures import Scorer
from eventune.scoring.omnievent import OmnieventScorer
from eventune.scoring.paie import PaieScorer
from eventune.scoring.pairs import Pairing, Predictions
from eventune.scoring.rams import RamsScorer
from eventune.scoring.textee import TexteeScorer
from eventune.scoring.wikievents import WikieventsScorer


@dataclass(frozen=True, slots=True)
class Definition:
    """A scorer that can be made by its name.

    Attributes:
        make: Makes the scorer; takes the options by keyword.
        options: Names of the options it takes.
        summary: What it counts, in a few words.
    """

    make: Callable[..., Scorer]
    options: frozenset[str]
    summary: str


SCORERS: Mapping[str, Definition] = {
    "rams": Definition(RamsScorer, frozenset({"ontology", "type_constrained", "strict"}), "exact spans"),
    "wikievents": Definition(
        WikieventsScorer, frozenset({"ontology", "heads"}), "heads, spans and coreferent mentions"
    ),
    "textee": Definition(TexteeScorer, frozenset({"triggers"}), "exact spans as sets"),
    "omnievent": Definition(OmnieventScorer, frozenset({"mode"}), "arguments on predicted triggers"),
    "paie": Definition(PaieScorer, frozenset({"ontology", "heads", "window"}), "exact spans, texts and heads"),
    "maven-arg": Definition(MavenArgScorer, frozenset(), "means of bags of words"),
    "duee-fin": Definition(DueeFinScorer, frozenset(), "strings of matched events"),
}
"""Scorer by name."""


def make_scorer(name: str, **options: Any) -> Scorer:
    """Make a scorer.

    Args:
        name: One of `SCORERS`.
        **options: Its options; those that it does not take must be left out.

    Returns:
        The scorer.

    Raises:
        EventuneError: If there is none of that name, or it does not take an option.
    """
    if name not in SCORERS:
        raise EventuneError(
            f"scorer: expected one of {', '.join(SCORERS)}, found {name!r}", did_you_mean(name, SCORERS)
        )
    unknown = sorted(options.keys() - SCORERS[name].options)
    if unknown:
        takes = ", ".join(sorted(SCORERS[name].options)) or "none"
        raise EventuneError(f"scorer {name}: expected its options ({takes}), found {unknown[0]!r}")
    return SCORERS[name].make(**options)


def score(gold: Sequence[Document], predicted: Sequence[Document], scorer: str = "rams", **options: Any) -> Score:
    """Score predicted events against annotated ones.

    Args:
        gold: Annotated documents.
        predicted: The same documents, found by their id, with the predicted events. Of documents with one id, the last
            counts, here and in `gold`.
        scorer: Name of the definition, one of `SCORERS`.
        **options: What the scorer takes beyond the documents; for `rams`: `ontology`, `type_constrained`, `strict`.

    Returns:
        Precision, recall and F1 as fractions, their counts, and the scorer's own tables.

    Raises:
        EventuneError: If there is no such scorer, or the scorer refuses the documents.
    """
    made = make_scorer(scorer, **options)
    pairing = Pairing({document.id: document for document in gold}.values(), Predictions.of(predicted))
    for annotated, found in pairing:
        made.add(annotated, found)
    result = made.score()
    return replace(result, tables={**result.tables, "documents": pairing.to_dict()})
