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
from eventune.scoring.measures import AnyTally, Scorer
from eventune.scoring.omnievent import OmnieventScorer
from eventune.scoring.paie import PaieScorer
from eventune.scoring.pairs import Pairing, Predictions
from eventune.scoring.rams import RamsScorer
from eventune.scoring.textee import GOLD, TexteeScorer
from eventune.scoring.wikievents import WikieventsScorer


@dataclass(frozen=True, slots=True)
class Definition:
    """A scorer that can be made by its name.

    Attributes:
        make: Makes the scorer; takes the options by keyword.
        options: Names of the options it takes.
        summary: What it counts, in a few words.
        titles: What tables call F1 by each measure that can be its headline.
        counts_spans: Whether a predicted argument adds one predicted item to the headline, and one matched item where
            role and span are those of a gold argument of its event: then tuning needs no scorer to count.
        library: A library that it needs and that a plain installation lacks.
        roleless: Measures to which the roles of arguments make no difference.
    """

    make: Callable[..., Scorer]
    options: frozenset[str]
    summary: str
    titles: Mapping[str, str]
    counts_spans: bool = False
    library: str = ""
    roleless: frozenset[str] = frozenset()


SCORERS: Mapping[str, Definition] = {
    "rams": Definition(
        RamsScorer,
        frozenset({"ontology", "type_constrained", "strict"}),
        "exact spans",
        {"arguments": "F1"},
        counts_spans=True,
    ),
    "wikievents": Definition(
        WikieventsScorer,
        frozenset({"ontology", "heads"}),
        "heads, spans and coreferent mentions",
        {"head_c": "argument head F1 by wikievents", "span_c": "argument span F1 by wikievents"},
    ),
    "textee": Definition(
        TexteeScorer,
        frozenset({"triggers"}),
        "exact spans as sets",
        {
            "trigger_id": "TI F1 by textee",
            "trigger_cls": "TC F1 by textee",
            "argument_id": "AI F1 by textee",
            "argument_cls": "AC F1 by textee",
            "argument_attached_id": "AI+ F1 by textee",
            "argument_attached_cls": "AC+ F1 by textee",
        },
        counts_spans=True,
        roleless=frozenset({"trigger_id", "trigger_cls", "argument_id", "argument_attached_id"}),
    ),
    "omnievent": Definition(
        OmnieventScorer,
        frozenset({"mode"}),
        "arguments on predicted triggers",
        {"argument_cls": "argument F1 by omnievent"},
        counts_spans=True,
    ),
    "paie": Definition(
        PaieScorer,
        frozenset({"ontology", "heads", "window"}),
        "exact spans, texts and heads",
        {"arg_c": "Arg-C F1 by paie"},
    ),
    "maven-arg": Definition(
        MavenArgScorer,
        frozenset(),
        "means of bags of words",
        {"mention_bow": "bag-of-words F1 by maven-arg"},
        library="scipy",
    ),
    "duee-fin": Definition(
        DueeFinScorer, frozenset(), "strings of matched events", {"arguments": "F1 of strings by duee-fin"}
    ),
}
"""Scorer by name."""
DEFAULT_SCORER = "rams"


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


def model_scorer(name: str, *, triggers: str = GOLD) -> Scorer:
    """Make a scorer as it judges documents that a model annotated: in training, tuning, comparison and evaluation.

    A span across a sentence boundary is an argument like another. There is no parse, so no head measures, and no
    ontology: gold arguments that the model's ontology lacks count as missed. Coreferent mentions count where the gold
    documents have them.

    Args:
        name: One of `SCORERS`.
        triggers: Where the triggers come from, one of `textee.TRIGGERS`.

    Raises:
        EventuneError: If there is none of that name.
    """
    return make_scorer(name, **_model_options(name, triggers))


def score_model(gold: Sequence[Document], predicted: Sequence[Document], scorer: str, *, triggers: str = GOLD) -> Score:
    """Score documents that a model annotated, as `score` does, with the options of `model_scorer`."""
    return score(gold, predicted, scorer, **_model_options(scorer, triggers))


@dataclass(frozen=True, slots=True)
class Scoring:
    """How documents that a model annotated are scored.

    Attributes:
        scorer: One of `SCORERS`.
        triggers: Where the triggers come from, one of `textee.TRIGGERS`.
        measure: The measure that stands for all; the scorer's own headline if empty.
    """

    scorer: str
    triggers: str = GOLD
    measure: str = ""

    @property
    def title(self) -> str:
        """What tables call F1 by the measure."""
        return SCORERS[self.scorer].titles[self._measure_of(self._made())]

    @property
    def tells_roles(self) -> bool:
        """Whether the measure tells arguments of different roles apart."""
        return self._measure_of(self._made()) not in SCORERS[self.scorer].roleless

    def count(self, gold: Document, predicted: Document) -> AnyTally:
        """Count a document, annotated and predicted."""
        made = self._made()
        return made.add(gold, predicted)[self._measure_of(made)]

    def _made(self) -> Scorer:
        return model_scorer(self.scorer, triggers=self.triggers)

    def _measure_of(self, made: Scorer) -> str:
        return self.measure or made.headline


def _model_options(name: str, triggers: str) -> dict[str, Any]:
    options = {"strict": False, "triggers": triggers}
    taken = SCORERS[name].options if name in SCORERS else frozenset()
    return {option: value for option, value in options.items() if option in taken}
