"""What the official RAMS scorer counts: multisets of links, wherever the links were read from.

A link is (trigger span, argument span, role). Documents are those of the gold; a missing prediction is an empty one,
and further predicted documents are ignored. Source of the definition: `code/scorer/` in LWL-cpu/SCPRG-master, quirks
included.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eventune.errors import EventuneError
from eventune.results import Score

TokenRange = tuple[int, int]
"""First and last token, both inside: the files' own convention, whose negative indices no `Span` can hold."""

Link = tuple[TokenRange | None, TokenRange, str]
"""Trigger, argument and role; the trigger is None where a corpus marks none."""

DISTANCES = range(-2, 3)
"""Sentences from the trigger to the argument that have a bucket; links further away count in the totals only."""


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """The annotated links of a document.

    Attributes:
        links: The links in file order; duplicates count.
        types: Event types at each trigger.
        sentence_of: Sentence index of each token.
    """

    links: Sequence[Link]
    types: Mapping[TokenRange | None, Sequence[str]]
    sentence_of: Sequence[int]


@dataclass(frozen=True, slots=True)
class PredictedEvent:
    """The predicted links of an event.

    Attributes:
        trigger: The predicted trigger.
        type: The predicted event type; None where the format holds none, as in the official prediction lines.
        links: The links in file order, each with its score; scores matter to type constraints only.
    """

    trigger: TokenRange | None
    type: str | None
    links: Sequence[tuple[Link, Any]]


@dataclass(slots=True)
class LinkTally:
    """How many links match, are missed, and are predicted without being in the gold."""

    matched: int = 0
    missed: int = 0
    overpredicted: int = 0

    @property
    def gold(self) -> int:
        """Links in the gold."""
        return self.matched + self.missed

    @property
    def predicted(self) -> int:
        """Predicted links."""
        return self.matched + self.overpredicted

    def official(self) -> tuple[float, float, float]:
        """Return what the official scorer calls precision, recall and F1, in percent.

        Its precision is matched / gold and its recall matched / predicted (`compute_metrics` in `scoring_utils.py`):
        the two names are swapped there, and F1 does not change by it. Same operations in the same order, so that the
        last bit agrees.
        """
        precision = self.matched / self.gold if self.gold else 0.0
        recall = self.matched / self.predicted if self.predicted else 0.0
        f1 = 2.0 * precision * recall / (precision + recall) if precision + recall else 0.0
        return 100.0 * precision, 100.0 * recall, 100.0 * f1

    def to_dict(self) -> dict[str, float]:
        """Return counts and correctly named figures, as fractions."""
        score = Score("rams", self.gold, self.predicted, self.matched).to_dict()
        return {**score["counts"], **score["metrics"]}


@dataclass(slots=True)
class RamsCounts:
    """Everything that the official scorer counts.

    Attributes:
        roles: Tally of each role that was annotated or predicted.
        table_roles: Roles that have a row in the official table, in order of appearance.
        distances: Tally of each sentence distance in `DISTANCES`.
        confusion: Predicted roles by gold role, over the links that agree in trigger and span.
        unknown_types: Event types that the ontology lacks, once a document, when type constraints are on.
        documents: Numbers of `gold` and `predicted` documents, of predicted ones that are `ignored` because the gold
            has none of that name, and of gold ones that are `absent` from the predictions.
    """

    roles: defaultdict[str, LinkTally] = field(default_factory=lambda: defaultdict(LinkTally))
    table_roles: dict[str, None] = field(default_factory=dict)
    distances: dict[int, LinkTally] = field(default_factory=lambda: {distance: LinkTally() for distance in DISTANCES})
    confusion: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unknown_types: list[str] = field(default_factory=list)
    documents: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> LinkTally:
        """The tally over all roles, those without a row in the table included."""
        tallies = self.roles.values()
        return LinkTally(
            sum(tally.matched for tally in tallies),
            sum(tally.missed for tally in tallies),
            sum(tally.overpredicted for tally in tallies),
        )

    def score(self) -> Score:
        """Return the micro-averaged score.

        Returns:
            A score with the tables `roles` (most frequent first; roles that are only predicted come last), `distance`
            (by sentences from trigger to argument), `documents`, and `official`: the figures under the official
            scorer's own, swapped names, in percent.
        """
        total = self.total
        precision, recall, f1 = total.official()
        rows = sorted(self.roles.items(), key=lambda item: (-item[1].gold, item[0]))
        tables = {
            "roles": [{"role": role, **tally.to_dict()} for role, tally in rows],
            "distance": {str(distance): tally.to_dict() for distance, tally in self.distances.items()},
            "documents": dict(self.documents),
            "official": {"precision": precision, "recall": recall, "f1": f1},
        }
        return Score("rams", total.gold, total.predicted, total.matched, tables)

    def add(self, name: str, gold: GoldDocument, predicted: Sequence[Link], *, strict: bool) -> LinkTally:
        """Count a document, and return what it adds; `predicted` has passed the type constraints already."""
        annotated, found = Counter(gold.links), Counter(predicted)
        matched, missed, overpredicted = annotated & found, annotated - found, found - annotated
        for link, count in matched.items():
            self.roles[link[2]].matched += count
            if (bucket := self._bucket(f"{name}: gold", link, gold.sentence_of, strict)) is not None:
                bucket.matched += count
        for link, count in missed.items():
            self.roles[link[2]].missed += count
            if (bucket := self._bucket(f"{name}: gold", link, gold.sentence_of, strict)) is not None:
                bucket.missed += count
        for link, count in overpredicted.items():
            self.roles[link[2]].overpredicted += count
            if (bucket := self._bucket(f"{name}: predicted", link, gold.sentence_of, strict)) is not None:
                bucket.overpredicted += count
        self._add_confusion(matched, missed, overpredicted)
        return LinkTally(matched.total(), missed.total(), overpredicted.total())

    def _bucket(self, where: str, link: Link, sentence_of: Sequence[int], strict: bool) -> LinkTally | None:
        """Return the tally of the link's distance, measured from its own trigger; None if it is in no bucket."""
        trigger, argument, _ = link
        target = _sentence(f"{where} argument", argument, sentence_of, strict)
        source = None if trigger is None else _sentence(f"{where} trigger", trigger, sentence_of, strict)
        if target is None or source is None:
            return None
        return self.distances.get(target - source)

    def _add_confusion(self, matched: Iterable[Link], missed: Iterable[Link], overpredicted: Iterable[Link]) -> None:
        """Count distinct links: a link that is right twice adds one, and a span's errors add every pair of roles."""
        roles_at: defaultdict[tuple[TokenRange | None, TokenRange], list[str]] = defaultdict(list)
        for trigger, argument, role in overpredicted:
            roles_at[trigger, argument].append(role)
        for _, _, role in matched:
            self.confusion[role][role] += 1
        for trigger, argument, role in missed:
            for other in roles_at.get((trigger, argument), ()):
                self.confusion[role][other] += 1


def _sentence(what: str, tokens: TokenRange, sentence_of: Sequence[int], strict: bool) -> int | None:
    """Return the sentence of a range; None if it crosses a boundary and that is allowed."""
    first, last = tokens
    try:
        # Indices below zero count from the document's end: Python's way, and so the official scorer's.
        start, end = sentence_of[first], sentence_of[last]
    except IndexError:
        raise EventuneError(
            f"{what}: expected a span inside the document's {len(sentence_of)} tokens, "
            f"found tokens {first} to {last} (both inclusive)"
        ) from None
    if start == end:
        return start
    if strict:
        raise EventuneError(
            f"{what}: expected a span inside one sentence, found tokens {first} to {last} (both inclusive), "
            f"which cross a sentence boundary: sentences {start} to {end}",
            "the official RAMS scorer stops here: mend the span, or count it anyway (strict=False, --allow_crossing)",
        )
    return None
