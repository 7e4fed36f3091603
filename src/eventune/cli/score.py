"""`eventune score`: score a prediction file against a gold file, without a model."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from eventune.cli.bars import delayed_bar
from eventune.cli.output import add_json_flag, emit, notify
from eventune.cli.scores import render_all, render_score
from eventune.corpora import AUTO, read_ontology, stream_corpus
from eventune.corpora.coreference import with_coreference
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.reports import errors_page
from eventune.scoring import SCORERS, Scorer, Tally, make_scorer, official_report
from eventune.scoring.differences import Differences
from eventune.scoring.errors import ErrorAnalysis
from eventune.scoring.evaluation import Evaluation, evaluate
from eventune.scoring.genarg_files import count_genarg, official_genarg_report, read_predictions
from eventune.scoring.heads import read_heads, spacy_heads
from eventune.scoring.omnievent import MODES, STRICT
from eventune.scoring.pairs import Pairing
from eventune.scoring.prediction_files import first_record, predictions_of
from eventune.scoring.rams_pairs import count_files
from eventune.scoring.resampling import bootstrap
from eventune.scoring.textee import GOLD, TRIGGERS
from eventune.storage.atomic import require_new, write_atomically


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--gold", type=Path, required=True, metavar="FILE", help="annotated corpus, any known format")
    parser.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="FILE",
        help="official prediction lines of RAMS or gen-arg, or a corpus file with the predicted events",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--scorer",
        choices=tuple(SCORERS),
        metavar="NAME",
        help=f"definition to count by: {', '.join(SCORERS)} (default: rams)",
    )
    chosen.add_argument("--all", action="store_true", help="all that apply, side by side, and where they differ here")
    parser.add_argument("--format", default=AUTO, help="format of the gold and of predictions that are a corpus")
    parser.add_argument(
        "--ontology_file", type=Path, metavar="FILE", help="event types with their roles, any known ontology file"
    )
    parser.add_argument("--coreference_file", type=Path, metavar="FILE", help="WikiEvents clusters of the gold")
    heads = parser.add_mutually_exclusive_group()
    heads.add_argument("--heads_file", type=Path, metavar="FILE", help='{"doc", "head"} lines: heads of a parse')
    heads.add_argument("--spacy_model", metavar="NAME", help="parse with this spaCy model, e.g. en_core_web_sm")
    parser.add_argument("--compare_with", type=Path, metavar="FILE", help="another system's predictions")
    parser.add_argument(
        "--resamples", type=int, default=1000, metavar="N", help="for intervals and p values; 0: none (default: 1000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the resamples (default: 0)")
    parser.add_argument("--errors", action="store_true", help="tell what kinds of errors there are")
    parser.add_argument("--html", type=Path, metavar="PAGE", help="write the errors as a page; must not exist yet")
    parser.add_argument("--training_file", type=Path, metavar="FILE", help="tells how frequent roles were in training")
    _add_official_arguments(parser)
    add_json_flag(parser)


def _add_official_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--type_constrained",
        action="store_true",
        help="rams: keep the best-scored arguments that the event type's roles admit (the official -cd)",
    )
    parser.add_argument(
        "--allow_crossing",
        action="store_true",
        help="rams: count spans that cross a sentence boundary, at which the official scorer stops",
    )
    parser.add_argument(
        "--triggers",
        choices=TRIGGERS,
        metavar="WHICH",
        help="textee: where those of the predictions come from: gold (default), predicted (TI and TC are told too), "
        "alone (nothing else is told)",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        metavar="NAME",
        help="omnievent: strict (default): all events count; default: not those that were missed; loose: nor those "
        "that are spurious",
    )
    parser.add_argument("--window", type=int, metavar="TOKENS", help="paie: the window outside which gold is invalid")
    parser.add_argument(
        "--official",
        action="store_true",
        help="print exactly what the official scorer of RAMS (--do_all; its P and R are swapped) or gen-arg prints",
    )


_OPTIONS = {
    "type_constrained": "type_constrained",
    "allow_crossing": "strict",
    "window": "window",
    "triggers": "triggers",
    "mode": "mode",
    "heads_file": "heads",
    "spacy_model": "heads",
}
"""Flags that some scorers take, with the option's name."""


def run(arguments: argparse.Namespace) -> int:
    """Score and print."""
    _check(arguments)
    scorer = arguments.scorer or "rams"
    ontology = read_ontology(arguments.ontology_file) if arguments.ontology_file else None
    if scorer == "wikievents" and first_record(arguments.predictions).keys() >= {"doc_key", "predicted"}:
        return _score_genarg(arguments, ontology)
    if scorer == "wikievents" and arguments.official:
        raise EventuneError(
            f"--official: {arguments.predictions}: expected gen-arg's prediction lines, found others", "leave it out"
        )
    started = time.perf_counter()
    if scorer == "rams" and not (arguments.all or arguments.compare_with or _wants_errors(arguments)):
        result = _score_rams_files(arguments, ontology)
    else:
        result = _score_documents(arguments, ontology)
    if result is None:
        return 0
    _report_unmatched(result["documents"])
    seconds = time.perf_counter() - started
    result |= {"seconds": seconds, "documents_per_second": result["documents"]["gold"] / seconds}
    render = render_all if arguments.all else render_score
    emit(result, as_json=arguments.json, render=lambda console: render(console, result))
    return 0


def _score_genarg(arguments: argparse.Namespace, ontology: Ontology | None) -> int:
    """Score gen-arg's own prediction lines, which are filled templates."""
    if arguments.compare_with or _wants_errors(arguments):
        raise EventuneError("--compare_with, --errors and --html: not for gen-arg's prediction lines", "leave them out")
    if ontology is None:
        raise EventuneError(
            "gen-arg's predictions need the templates of the event types, found no ontology",
            "give event_role_KAIROS.json (--ontology_file F)",
        )
    heads = _heads(arguments)
    lines = read_predictions(arguments.predictions)
    counts = count_genarg(list(_gold(arguments)), lines, ontology=ontology, heads=heads)
    score = counts.score()
    if arguments.official:
        coreference = arguments.coreference_file is not None
        sys.stdout.write(official_genarg_report(score, heads=heads is not None, coreference=coreference))
        return 0
    result = score.to_dict()
    if arguments.resamples:
        # Lines are drawn, as the official scorer counts lines.
        tallies = {name: [line.get(name, Tally()) for line in counts.lines] for name in score.tables["measures"]}
        result["intervals"] = {
            name: bootstrap(added, resamples=arguments.resamples, seed=arguments.seed).to_dict()
            for name, added in tallies.items()
        }
    emit(result, as_json=arguments.json, render=lambda console: render_score(console, result))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse flags that do not go together, before anything is read."""
    if arguments.json and arguments.official:
        raise EventuneError("--json and --official: expected one of them, found both", "--json holds both figures")
    if arguments.official and (arguments.all or arguments.compare_with or _wants_errors(arguments)):
        raise EventuneError("--official: prints what one official scorer prints, and nothing else", "leave it out")
    if arguments.official and arguments.scorer not in (None, "rams", "wikievents"):
        raise EventuneError(f"--official: expected scorer rams or wikievents, found {arguments.scorer}")
    name = arguments.scorer or "rams"
    for flag, option in _OPTIONS.items():
        if getattr(arguments, flag) and not arguments.all and option not in SCORERS[name].options:
            takers = ", ".join(other for other in SCORERS if option in SCORERS[other].options)
            raise EventuneError(
                f"--{flag}: expected scorer {takers}, found {name}", "leave it out, or choose the scorer"
            )
    if arguments.training_file and not _wants_errors(arguments):
        raise EventuneError(
            "--training_file: expected --errors or --html beside it, found neither", "only errors are told by it"
        )
    if arguments.coreference_file and name == "rams" and not arguments.all:
        raise EventuneError(
            "--coreference_file: expected another scorer than rams, which does not read it", "e.g. --scorer wikievents"
        )
    if arguments.resamples < 0:
        raise EventuneError(f"--resamples: expected 0 or more, found {arguments.resamples}")
    if arguments.html:
        require_new(arguments.html, flag="--html")


def _wants_errors(arguments: argparse.Namespace) -> bool:
    return bool(arguments.errors or arguments.html)


def _score_rams_files(arguments: argparse.Namespace, ontology: Ontology | None) -> dict[str, Any] | None:
    """Score by the RAMS definition; None where what the official scorer prints was printed."""
    counts, tallies = count_files(
        arguments.gold,
        arguments.predictions,
        format=arguments.format,
        ontology=ontology,
        type_constrained=arguments.type_constrained,
        strict=not arguments.allow_crossing,
        official=arguments.official,
    )
    if arguments.official:
        _report_unmatched(counts.documents)
        sys.stdout.write(official_report(counts))
        return None
    if counts.unknown_types:
        types = ", ".join(sorted(set(counts.unknown_types)))
        notify(f"not in the ontology, so left unconstrained: {types}")
    result = {**counts.score().to_dict(), "type_constrained": arguments.type_constrained, "confusion": counts.confusion}
    if arguments.resamples:
        interval = bootstrap(tallies, resamples=arguments.resamples, seed=arguments.seed)
        result["intervals"] = {"arguments": interval.to_dict()}
    return result


def _score_documents(arguments: argparse.Namespace, ontology: Ontology | None) -> dict[str, Any]:
    """Score documents by one definition or by all."""
    names = _all_scorers() if arguments.all else (arguments.scorer or "rams",)
    options = {
        "ontology": ontology,
        "heads": _heads(arguments),
        "window": arguments.window,
        "type_constrained": arguments.type_constrained,
        "strict": not arguments.allow_crossing and not arguments.all,
        "triggers": arguments.triggers or GOLD,
        "mode": arguments.mode or STRICT,
    }
    if options["heads"] is None and any("heads" in SCORERS[name].options for name in names):
        notify("head measures are left out: they need a parse, --heads_file or --spacy_model")
    evaluation, differences = Evaluation(_scorers(names, options)), Differences()
    analysis = ErrorAnalysis(training_counts=_role_counts(arguments)) if _wants_errors(arguments) else None
    pairing = Pairing(_gold(arguments), predictions_of(arguments.predictions, arguments.format))
    with delayed_bar("scoring", total=None, unit="documents") as bar:
        for gold, predicted in pairing:
            evaluation.add(gold, predicted)
            if arguments.all or names == ("textee",):
                differences.add(gold, predicted)
            if analysis is not None:
                analysis.add(gold, predicted)
            bar.advance()
    others = differences.counts["other_triggers"]
    if others and arguments.triggers is None:
        notify(
            f"{others} predicted events have a trigger or type that the gold lacks: --triggers predicted tells TI, TC"
        )
    scores = {name: score.to_dict() for name, score in evaluation.scores().items()}
    intervals = evaluation.intervals(resamples=arguments.resamples, seed=arguments.seed) if arguments.resamples else {}
    if arguments.all:
        result: dict[str, Any] = {"scores": scores, "intervals": intervals, "differences": differences.to_dict()}
    else:
        result = {**scores[names[0]], "intervals": intervals.get(names[0], {})}
    if arguments.compare_with:
        pairs = Pairing(_gold(arguments), predictions_of(arguments.compare_with, arguments.format))
        other = evaluate(_scorers(names, options), pairs)
        result["against"] = _against(arguments, evaluation, other)
    if analysis is not None:
        result["errors"] = {**analysis.to_dict(), "note": analysis.note_on(scores.values())}
        if arguments.html:
            title = f"{arguments.predictions.name} against {arguments.gold.name}"
            page = errors_page(result["errors"], analysis.examples, score=result, title=title)
            write_atomically(arguments.html, page)
    return {**result, "documents": pairing.to_dict()}


def _scorers(names: Sequence[str], options: Mapping[str, Any]) -> dict[str, Scorer]:
    return {
        name: make_scorer(name, **{key: value for key, value in options.items() if key in SCORERS[name].options})
        for name in names
    }


def _gold(arguments: argparse.Namespace) -> Iterable[Document]:
    documents = stream_corpus(arguments.gold, arguments.format)
    return with_coreference(documents, arguments.coreference_file) if arguments.coreference_file else documents


def _all_scorers() -> tuple[str, ...]:
    """Return the names of those whose libraries are installed, and tell of the others."""
    lacking = {name for name, definition in SCORERS.items() if definition.library and not find_spec(definition.library)}
    for name in sorted(lacking):
        notify(f"{name} is left out: it needs {SCORERS[name].library}")
    return tuple(name for name in SCORERS if name not in lacking)


def _heads(arguments: argparse.Namespace) -> Callable[[Document], Sequence[int]] | None:
    if arguments.heads_file:
        return read_heads(arguments.heads_file)
    return spacy_heads(arguments.spacy_model) if arguments.spacy_model else None


def _role_counts(arguments: argparse.Namespace) -> Mapping[str, int] | None:
    if not arguments.training_file:
        return None
    events = (event for document in stream_corpus(arguments.training_file) for event in document.events)
    return Counter(argument.role for event in events for argument in event.arguments)


def _against(arguments: argparse.Namespace, evaluation: Evaluation, other: Evaluation) -> dict[str, Any]:
    differences = evaluation.against(other, resamples=arguments.resamples, seed=arguments.seed)
    return {
        "file": str(arguments.compare_with),
        "scores": {name: score.to_dict() for name, score in other.scores().items()},
        "differences": differences,
    }


def _report_unmatched(documents: Mapping[str, int]) -> None:
    if documents["ignored"]:
        notify(f"{documents['ignored']} predicted documents are not in the gold file: ignored")
    if documents["absent"]:
        notify(f"{documents['absent']} of {documents['gold']} gold documents have no prediction: all missed")
