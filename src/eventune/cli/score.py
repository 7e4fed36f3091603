"""`eventune score`: score a prediction file against a gold file, without a model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from eventune.cli.output import add_json_flag, emit, notify, print_scores
from eventune.corpora import read_corpus, read_ontology
from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.scoring import SCORERS, official_report
from eventune.scoring.rams import gold_links, predicted_links
from eventune.scoring.rams_counts import RamsCounts
from eventune.scoring.rams_files import read_gold, read_lines, read_predictions, read_predictions_in_gold_format
from eventune.scoring.rams_links import count_links


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--gold", type=Path, required=True, metavar="FILE", help="annotated corpus, any known format")
    parser.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="FILE",
        help="RAMS prediction lines, or a corpus file with the predicted events",
    )
    parser.add_argument("--scorer", choices=tuple(SCORERS), default="rams", help="definition to count by")
    parser.add_argument(
        "--ontology_file", type=Path, metavar="FILE", help="event types with their roles: RAMS multiplicities or YAML"
    )
    parser.add_argument(
        "--type_constrained",
        action="store_true",
        help="keep the best-scored arguments that the event type's roles admit (the official -cd)",
    )
    parser.add_argument(
        "--allow_crossing",
        action="store_true",
        help="count spans that cross a sentence boundary, at which the official scorer stops",
    )
    parser.add_argument(
        "--official",
        action="store_true",
        help="print exactly what the official scorer prints with --do_all; its P and R are swapped",
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Score and print."""
    if arguments.json and arguments.official:
        raise EventuneError("--json and --official: expected one of them, found both", "--json holds both figures")
    counts = COUNTERS[arguments.scorer](
        arguments.gold,
        arguments.predictions,
        ontology=read_ontology(arguments.ontology_file) if arguments.ontology_file else None,
        type_constrained=arguments.type_constrained,
        strict=not arguments.allow_crossing,
    )
    _report_unmatched(counts.documents)
    if arguments.official:
        sys.stdout.write(official_report(counts))
        return 0
    if counts.unknown_types:
        types = ", ".join(sorted(set(counts.unknown_types)))
        notify(f"not in the ontology, so left unconstrained: {types}")
    score = counts.score().to_dict()
    result = {**score, "type_constrained": arguments.type_constrained, "confusion": counts.confusion}
    emit(result, as_json=arguments.json, render=lambda console: render_score(console, result))
    return 0


def count(
    gold: Path,
    predictions: Path,
    *,
    ontology: Ontology | None = None,
    type_constrained: bool = False,
    strict: bool = True,
) -> RamsCounts:
    """Count the links of two files by the RAMS definition.

    RAMS files are read as the official scorer reads them, line for line; all others as corpora.

    Args:
        gold: Annotated corpus.
        predictions: Official prediction lines, or a corpus with the predicted events.
        ontology: Types, roles and multiplicities; needed by `type_constrained`.
        type_constrained: Keep the best-scored arguments that the event type's roles admit.
        strict: Refuse spans over a sentence boundary.

    Returns:
        The counts.
    """
    more_roles: list[str] = []
    if _first_record(gold).keys() & {"evt_triggers", "gold_evt_links"}:
        gold_file = read_gold(read_lines(gold), name=str(gold))
        annotated = gold_file.documents
        more_roles += gold_file.roles
    else:
        annotated = gold_links(read_corpus(gold))
    first = _first_record(predictions)
    if first.keys() & {"evt_triggers", "gold_evt_links"}:
        file = read_predictions_in_gold_format(read_lines(predictions), name=str(predictions))
        predicted = file.documents
        more_roles += file.roles
    elif not first or first.keys() & {"doc_key", "predictions"}:
        predicted = read_predictions(read_lines(predictions), name=str(predictions)).documents
    else:
        predicted = predicted_links(read_corpus(predictions), annotated)
    return count_links(
        annotated,
        predicted,
        ontology=ontology,
        type_constrained=type_constrained,
        more_roles=more_roles,
        strict=strict,
    )


COUNTERS: Mapping[str, Callable[..., RamsCounts]] = {"rams": count}
"""What counts the links of two files, by the scorer's name."""


def _first_record(path: Path) -> Mapping[str, Any]:
    """Return the object in the first line that is not blank, to tell the format by; an empty one if there is none."""
    line = next((line for line in read_lines(path) if line.strip()), "")
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _report_unmatched(documents: Mapping[str, int]) -> None:
    if documents["ignored"]:
        notify(f"{documents['ignored']} predicted documents are not in the gold file: ignored")
    if documents["absent"]:
        notify(f"{documents['absent']} of {documents['gold']} gold documents have no prediction: all missed")


def render_score(console: Console, result: Mapping[str, Any]) -> None:
    """Print a score, by role and by distance from the trigger."""
    constrained = ", type-constrained" if result.get("type_constrained") else ""
    console.print(f"scorer: {result['scorer']}{constrained} (exact spans, in percent)")
    print_scores(console, "", [("all", {**result["counts"], **result["metrics"]})])
    print_scores(console, "role", [(row["role"], row) for row in result["roles"]])
    print_scores(console, "sentences from trigger", list(result["distance"].items()))
