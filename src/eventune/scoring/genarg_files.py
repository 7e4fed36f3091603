"""Scoring the files of gen-arg as its own scorer does, by strings and positions.

A prediction line is `{"doc_key", "predicted", "gold"}`: the type's template with its slots filled. The n-th line of a
document belongs to its n-th event, so events beyond the last line are not scored. A filler is the occurrence of its
words nearest the trigger; one that occurs nowhere is split at `and`. Source: `src/genie/scorer.py` and `utils.py` in
raspberryice/gen-arg.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventune.corpora.fields import mapping, member
from eventune.corpora.records import read_json_records
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Event, EventType, Ontology, Span
from eventune.results import Score
from eventune.scoring.heads import Heads
from eventune.scoring.measures import Tally, score_of
from eventune.scoring.wikievents import cluster_spans, count_event, gold_spans, head_span, reported, tallies_of

_EMPTY_SLOT = "<arg>"


@dataclass(slots=True)
class GenargCounts:
    """What the official scorer counts.

    Attributes:
        totals: Tally of each measure, as `WikieventsScorer` names them.
        lines: What each line adds to the measures; nothing for a type that the ontology lacks.
        has_clusters: Whether a gold document has mentions that corefer.
    """

    totals: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    lines: list[dict[str, Tally]] = field(default_factory=list)
    has_clusters: bool = False

    def add(self, tallies: dict[str, Tally]) -> None:
        """Add a line."""
        self.lines.append(tallies)
        for measure, tally in tallies.items():
            self.totals[measure] += tally

    def score(self) -> Score:
        """Return the score, by heads where they are known."""
        headline = "head_c" if "head_c" in self.totals else "span_c"
        return score_of("wikievents", headline, reported(self.totals, has_clusters=self.has_clusters))


def read_predictions(path: Path) -> list[tuple[str, str]]:
    """Read gen-arg's prediction lines.

    Args:
        path: The file.

    Returns:
        Document and filled template of each line.

    Raises:
        EventuneError: If the file cannot be read or a line is wrong.
    """
    result = []
    for record in read_json_records(path):
        try:
            if isinstance(record.value, InvalidValueError):
                raise record.value
            line = mapping(record.value, "line")
            result.append((member(line, "doc_key", ""), member(line, "predicted", "")))
        except InvalidValueError as error:
            raise EventuneError(f"{record.place}: {error.message}", error.hint) from None
    return result


def count_genarg(
    gold: Sequence[Document], predictions: Sequence[tuple[str, str]], *, ontology: Ontology, heads: Heads | None = None
) -> GenargCounts:
    """Count prediction lines against the gold.

    Args:
        gold: Annotated documents; entities with several mentions are the clusters.
        predictions: Document and filled template of each line, in order.
        ontology: Templates of the event types; lines of other types are skipped.
        heads: Token heads, for the head measures.

    Returns:
        The counts.

    Raises:
        EventuneError: Where the official scorer stops: a line of an unknown document, or more lines than events.
    """
    documents = {document.id: document for document in gold}
    positions: defaultdict[str, int] = defaultdict(int)
    counts = GenargCounts(has_clusters=any(map(cluster_spans, documents.values())))
    for mode in ("span",) if heads is None else ("head", "span"):
        counts.totals.update(tallies_of((0, 0, 0, 0, 0, 0), mode))
    for number, (name, filled) in enumerate(predictions, 1):
        if name not in documents:
            raise EventuneError(f"prediction line {number}: expected a document of the gold, found {name!r}")
        document, position = documents[name], positions[name]
        positions[name] += 1
        if position >= len(document.events):
            found = f"line {position + 1} of it"
            raise EventuneError(
                f"prediction line {number}: expected {len(document.events)} lines of {name!r}, found {found}",
                "the n-th line of a document belongs to its n-th event",
            )
        event = document.events[position]
        counts.add(_count_line(document, event, filled, ontology, heads) if event.type in ontology else {})
    return counts


def _count_line(
    document: Document, event: Event, filled: str, ontology: Ontology, heads: Heads | None
) -> dict[str, Tally]:
    clusters = cluster_spans(document)
    spans = predicted_spans(document, event, filled, ontology[event.type])
    tallies: dict[str, Tally] = {}
    modes = {"span": None} if heads is None else {"head": heads(document), "span": None}
    for mode, indices in modes.items():
        annotated = gold_spans(document, ((a.span, a.role) for a in event.arguments), indices)
        guessed = {(compared(span, indices), role) for span, role in spans}
        tallies |= tallies_of(count_event(guessed, annotated, clusters), mode)
    return tallies


def compared(span: Span | int, heads: Sequence[int] | None) -> Span | int:
    """Return a span of `predicted_spans` as it is compared: as its head, where there are heads."""
    if isinstance(span, int):
        return span if heads is None else Span(span, span + 1)
    return head_span(span, heads)


def predicted_spans(
    document: Document, event: Event, filled: str, event_type: EventType
) -> set[tuple[Span | int, str]]:
    """Return the spans that a filled template means.

    Args:
        document: The document.
        event: The gold event.
        filled: The template with its slots filled.
        event_type: The type with its template.

    Returns:
        Spans and roles. A slot that is filled with no word at all is "found" by the official scorer, as an empty span:
        here the token it stands before, which is no span, and its head.
    """
    words = document.words
    result: set[tuple[Span | int, str]] = set()
    for role, filler in _slots(event_type, filled):
        found = _nearest(filler, words, event.trigger)
        if found is not None:
            result.add((found, role))
            continue
        for part in _parts(filler):
            found = _nearest(part, words, event.trigger)
            if found is not None:
                result.add((found, role))
    return result


def _slots(event_type: EventType, filled: str) -> Iterator[tuple[str, list[str]]]:
    """Align a filled template with the template, word by word, and yield what fills each slot."""
    template, words = event_type.template.split(), filled.split()
    at = position = 0
    while at < len(template) and position < len(words):
        role = _role_of(template[at], event_type)
        if role is None or words[position] == _EMPTY_SLOT:
            position += 1
        else:
            start = position
            last = at == len(template) - 1
            while position < len(words) and (last or words[position] != template[at + 1]):
                position += 1
            yield role, words[start:position]
        at += 1


def _role_of(word: str, event_type: EventType) -> str | None:
    """Return the role whose slot a template's word begins with, or None."""
    if not word.startswith("<"):
        return None
    return next((role.name for role in event_type.roles if word.startswith(f"<{role.name}>")), None)


def _parts(filler: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in filler:
        if word == "and" and part:
            yield part
            part = []
        else:
            part.append(word)
    if part:
        yield part


def _nearest(filler: Sequence[str], words: Sequence[str], trigger: Span | None) -> Span | int | None:
    """Return the occurrence nearest the trigger, the first of equals; of no words, the token it stands before."""
    best: Span | int | None = None
    least = len(words)
    target = tuple(filler)
    origin = trigger or Span(0, 1)
    for start in range(len(words)):
        if tuple(words[start : start + len(target)]) == target:
            before = start < origin.start
            distance = abs(origin.start - start - len(target)) if before else abs(start - origin.end)
            if distance < least:
                best, least = Span(start, start + len(target)) if target else start, distance
    return best


def official_genarg_report(score: Score, *, heads: bool, coreference: bool) -> str:
    """Return what the official scorer prints for a run.

    Args:
        score: A score of `GenargCounts`.
        heads: Whether the run is by heads (`--head-only`).
        coreference: Whether it counts coreference (`--coref`).

    Returns:
        The text.
    """
    mode = "head" if heads else "span"
    rows = [("Role identification", f"{mode}_i"), ("Role", f"{mode}_c")]
    if coreference:
        rows += [("Coref Role identification", f"{mode}_coref_i"), ("Coref Role", f"{mode}_coref_c")]
    lines = ["Evaluation by matching head words only...."] if heads else []
    for label, measure in rows:
        # Without clusters the score has no measure of coreference, and the official scorer prints the plain one again.
        measures: dict[str, Any] = score.tables["measures"]
        metrics = measures.get(measure, measures[measure.replace("_coref", "")])["metrics"]
        figures = [100.0 * metrics[name] for name in ("precision", "recall", "f1")]
        lines.append("{}: P: {:.2f}, R: {:.2f}, F: {:.2f}".format(label, *figures))
    return "\n".join(lines) + "\n"
