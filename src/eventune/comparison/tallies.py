"""Counts of an arm's predictions, one a document or row: what intervals and paired differences are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import add
from pathlib import Path
from typing import Any

from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.events import UNPLACED, Document
from eventune.scoring.definitions import Scoring
from eventune.scoring.measures import AnyTally, Summable
from eventune.scoring.text_tally import BleuTally, bleu_tallies
from eventune.storage.json_files import read_json_lines


@dataclass(frozen=True, slots=True)
class Tallies:
    """What each item of the test part added to an arm's counts, all its seeds together.

    Attributes:
        all: Tallies of the items, in their order.
        roles: The same for each role; empty where there are none, or the measure does not tell them apart.
    """

    all: Sequence[Summable]
    roles: Mapping[str, Sequence[AnyTally]] = field(default_factory=dict)


def tallies_of_documents(files: Sequence[Sequence[Path]], gold: Sequence[Document], scoring: Scoring) -> Tallies:
    """Count documents: what they add up to is the arm's score.

    Args:
        files: The predictions of each seed, in a file or in one for each fold.
        gold: The annotated documents.
        scoring: How they are counted.

    Returns:
        The counts.

    Raises:
        EventuneError: If the predictions are of other documents.
    """
    total: list[AnyTally] = []
    roles: dict[str, list[AnyTally]] = {}
    for of_seed in files:
        predicted = [document for file in of_seed for document in read_corpus(file).documents]
        _require_all(of_seed, predicted, gold)
        rows, by_role = _counted(gold, predicted, scoring)
        total = list(map(add, total, rows)) if total else rows
        for role, own in by_role.items():
            roles[role] = list(map(add, roles[role], own)) if role in roles else own
    return Tallies(total, roles)


def require_same_documents(arm: str, gold: Sequence[Document], first: Sequence[Document], part: str) -> None:
    """Make sure that an arm is scored on the first arm's documents, annotated as they are there.

    Args:
        arm: Name of the arm.
        gold: Its documents.
        first: Those of the first arm.
        part: What part they are, `dev` or `test`.

    Raises:
        EventuneError: If it is not.
    """
    ours, theirs = ({document.id: _annotated(document) for document in part} for part in (gold, first))
    both = [name for name in theirs if name in ours]
    found = {
        "missing": [name for name in theirs if name not in ours],
        "beside them": [name for name in ours if name not in theirs],
        "annotated otherwise": [name for name in both if ours[name] != theirs[name]],
    }
    told = [f"{len(names)} {how} (such as {names[0]})" for how, names in found.items() if names]
    if told:
        raise EventuneError(
            f"arm {arm}: expected the documents of the first arm's {part} part, found {', '.join(told)}",
            f"give all arms the same {part} part, or make a comparison for each",
        )


def _annotated(document: Document) -> tuple[Any, ...]:
    return document.text, document.tokens, document.sentences, document.events, document.entities


def _require_all(files: Sequence[Path], predicted: Sequence[Document], gold: Sequence[Document]) -> None:
    found, expected = ({document.id for document in part} for part in (predicted, gold))
    if found != expected:
        raise EventuneError(
            f"{', '.join(map(str, files))}: expected predictions for the {len(expected)} documents of the test part, "
            f"found {len(expected - found)} missing and {len(found - expected)} others, such as "
            f"{min(found ^ expected)}",
            "the corpus has changed since the run was made; choose another --output_dir, or remove that run",
        )


def tallies_of_rows(files: Sequence[Path], references: Sequence[Sequence[str]]) -> Tallies:
    """Count responses: what they add up to is BLEU of all seeds' responses as one corpus.

    Args:
        files: The predictions of each seed.
        references: The references of each row.

    Returns:
        The counts.

    Raises:
        EventuneError: If a run answered other rows.
    """
    total: list[BleuTally] = []
    for file in files:
        rows = read_predictions(file)
        if [row["references"] for row in rows] != references:
            raise EventuneError(
                f"{file}: expected predictions for the rows of the first run, found other rows or references",
                "give all arms the same test part",
            )
        counts = bleu_tallies([row["prediction"] for row in rows], references)
        total = [a + b for a, b in zip(total, counts, strict=True)] if total else counts
    return Tallies(total)


def read_predictions(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a fine-tuning's `predictions.jsonl`."""
    rows = read_json_lines(file)
    for number, row in enumerate(rows, 1):
        references = row.get("references")
        texts = [row.get("prediction"), *(references if isinstance(references, list) else [None])]
        if not all(isinstance(text, str) for text in texts):
            raise EventuneError(f"{file}:{number}: expected a prediction and references, found {', '.join(row)}")
    return rows


def _counted(
    gold: Sequence[Document], predicted: Sequence[Document], scoring: Scoring
) -> tuple[list[AnyTally], dict[str, list[AnyTally]]]:
    """Count each document, all roles together and, where the measure tells them apart, each by itself."""
    tells_roles = scoring.tells_roles
    by_id = {document.id: document for document in predicted}
    rows: list[AnyTally] = []
    roles: dict[str, list[AnyTally]] = {}
    for number, annotated in enumerate(gold):
        found = by_id.get(annotated.id, annotated.with_events([]))
        rows.append(scoring.count(annotated, found))
        for role in sorted(_roles_of(annotated) | _roles_of(found)) if tells_roles else ():
            own = roles.setdefault(role, [type(rows[0])()] * len(gold))
            own[number] = scoring.count(_only(annotated, role), _only(found, role))
    return rows, roles


def _roles_of(document: Document) -> set[str]:
    placed = {argument.role for event in document.events for argument in event.arguments}
    return placed | {str(item.get("role", "")) for event in document.events for item in event.unplaced}


def _only(document: Document, role: str) -> Document:
    """Return a document with the arguments of one role."""
    events = []
    for event in document.events:
        arguments = tuple(argument for argument in event.arguments if argument.role == role)
        unplaced = [item for item in event.unplaced if item.get("role", "") == role]
        events.append(replace(event, arguments=arguments, attributes={**event.attributes, UNPLACED: unplaced}))
    return document.with_events(events)
