"""Counting links as the official RAMS scorer does, with its type constraints on request.

Source of the constraints: `code/scorer/constraints.py` in LWL-cpu/SCPRG-master.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.scoring.measures import Tally
from eventune.scoring.rams_counts import GoldDocument, Link, PredictedEvent, RamsCounts


class LinkCounter:
    """Counts the links of documents one by one as the official scorer does, whatever they were read from.

    Args:
        ontology: Types, roles and multiplicities; needed by `type_constrained`.
        type_constrained: Keep of each event the best-scored links of each role, up to the role's multiplicity (`-cd`).
        strict: Refuse a span that crosses a sentence boundary, as the official scorer does. Otherwise such a link
            counts in the totals and in no distance bucket.

    Attributes:
        counts: What was counted so far.

    Raises:
        EventuneError: If there are type constraints and no ontology.
    """

    def __init__(
        self, *, ontology: Ontology | None = None, type_constrained: bool = False, strict: bool = True
    ) -> None:
        if type_constrained and ontology is None:
            raise EventuneError(
                "type constraints need an ontology with the roles of each event type, found none",
                "give the ontology file, for RAMS event_role_multiplicities.txt (--ontology_file F)",
            )
        self._multiplicities = None if ontology is None or not type_constrained else _multiplicities(ontology)
        self._strict = strict
        self.counts = RamsCounts()

    def add(self, name: str, gold: GoldDocument, predicted: Sequence[PredictedEvent]) -> Tally:
        """Count a document.

        Args:
            name: Its name, for messages.
            gold: Its annotated links.
            predicted: Its predicted events.

        Returns:
            What it adds to the total.

        Raises:
            EventuneError: Where the official scorer stops: a span over a sentence boundary (if strict) or outside the
                document, type constraints without scores or without one type to apply.
        """
        self.counts.table_roles |= dict.fromkeys(role for _, _, role in gold.links)
        if self._multiplicities is None:
            links = [link for event in predicted for link, _ in event.links]
        else:
            types = [event_type for types in gold.types.values() for event_type in types]
            self.counts.unknown_types += [name for name in types if name not in self._multiplicities]
            links = []
            for event in predicted:
                event_type = _type_to_apply(name, event, gold)
                links += _constrained(name, event, self._multiplicities.get(event_type or ""))
        added = self.counts.add(name, gold, links, strict=self._strict)
        return Tally(added.gold, added.predicted, added.matched)


def count_links(
    counter: LinkCounter,
    gold: Mapping[str, GoldDocument],
    predicted: Mapping[str, Sequence[PredictedEvent]],
    *,
    more_roles: Iterable[str] = (),
) -> list[Tally]:
    """Count all documents of two files.

    Args:
        counter: Takes the counts.
        gold: Annotated documents by name.
        predicted: Predicted events by the same names; names that are not in the gold are ignored.
        more_roles: Roles that have a row in the official table beside those of the gold.

    Returns:
        What each gold document adds.

    Raises:
        EventuneError: As `LinkCounter.add` does.
    """
    tallies = [counter.add(name, document, predicted.get(name, ())) for name, document in gold.items()]
    counter.counts.table_roles |= dict.fromkeys(more_roles)
    counter.counts.documents = {
        "gold": len(gold),
        "predicted": len(predicted),
        "ignored": sum(name not in gold for name in predicted),
        "absent": sum(name not in predicted for name in gold),
    }
    return tallies


def _multiplicities(ontology: Ontology) -> dict[str, dict[str, int]]:
    return {
        name: {role.name: role.multiplicity for role in event_type.roles} for name, event_type in ontology.types.items()
    }


def _type_to_apply(name: str, event: PredictedEvent, document: GoldDocument) -> str | None:
    """Return the gold event's type; the prediction's own where several events leave no choice; None if unknown."""
    if len(document.types) == 1:
        # One event in the document: the official scorer applies its type wherever the predicted trigger stands.
        candidates = next(iter(document.types.values()))
    else:
        candidates = document.types.get(event.trigger, ())
    if len(candidates) == 1:
        return candidates[0]
    if event.type is None and (candidates or len(document.types) == 1):
        found = ", ".join(candidates) or "none"
        raise EventuneError(f"{name}: type constraints expect one gold event type, found {found}")
    return event.type


def _constrained(name: str, event: PredictedEvent, multiplicity: Mapping[str, int] | None) -> list[Link]:
    """Return the links that the roles' multiplicities admit, best first; all of them for an unknown type."""
    if multiplicity is None:
        return [link for link, _ in event.links]
    for link, score in event.links:
        if not isinstance(score, int | float):
            raise EventuneError(
                f"{name}: type constraints expect a score for each predicted argument, found {score!r} for "
                f"{link[2]!r} at tokens {link[1][0]} to {link[1][1]}",
                "annotations have no scores: leave out the type constraints, or give scored predictions",
            )
    kept: list[Link] = []
    used: Counter[str] = Counter()
    # A stable sort: of equal scores, the first in the file comes first.
    for link, _ in sorted(event.links, key=lambda scored: -scored[1]):
        if used[link[2]] < multiplicity.get(link[2], 0):
            used[link[2]] += 1
            kept.append(link)
    return kept
