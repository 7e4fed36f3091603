"""`eventune evaluate`: score a trained run on a corpus."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.output import add_json_flag, emit, notify
from eventune.cli.placement import add_placement_flags
from eventune.errors import EventuneError, InvalidValueError
from eventune.scoring.textee import ALONE, GOLD, PREDICTED
from eventune.storage.atomic import require_new

if TYPE_CHECKING:
    from eventune.events import Document
    from eventune.inference.extractor import Extractor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, the corpus and the scorer."""
    from eventune.corpora import AUTO, format_names
    from eventune.scoring import SCORERS

    parser.add_argument(
        "run_directory", metavar="RUN", help="run directory that `eventune train` made, or an export of one"
    )
    parser.add_argument("--test_file", metavar="FILE", help="corpus with gold events")
    format_help = f"its format: {', '.join(format_names())} (default: guess it)"
    parser.add_argument("--format", default=AUTO, choices=[AUTO, *format_names()], metavar="NAME", help=format_help)
    scorer_help = (
        f"definition of the score: {', '.join(SCORERS)} (default: the run's own; on predicted triggers textee)"
    )
    parser.add_argument("--scorer", choices=sorted(SCORERS), metavar="NAME", help=scorer_help)
    parser.add_argument(
        "--triggers",
        choices=(GOLD, PREDICTED),
        metavar="WHICH",
        help="gold: find the arguments of the annotated events; predicted: find the events first (default: predicted "
        "where the run can)",
    )
    parser.add_argument(
        "--event_free",
        metavar="FILE",
        help="count false alarms: plain text without events, a sentence or document a line, or a corpus, of which the "
        "sentences without events are taken",
    )
    parser.add_argument(
        "--coreference_file", metavar="FILE", help="WikiEvents clusters of the gold, for wikievents' coref measures"
    )
    parser.add_argument(
        "--ignore_unknown_roles",
        action="store_true",
        help="leave out of the gold what the run's ontology lacks, arguments by their role and events by their type",
    )
    parser.add_argument(
        "--predictions_file",
        metavar="FILE",
        help="write the predicted documents here as JSON lines; must not exist yet",
    )
    add_model_arguments(parser)
    add_json_flag(parser)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says how a run is loaded."""
    parser.add_argument(
        "--model_name_or_path", metavar="MODEL", help="where the base model is, if not where the run says"
    )
    parser.add_argument(
        "--detection",
        metavar="OTHER",
        help="run with task: detection or events, to find the triggers whose arguments RUN finds",
    )
    parser.add_argument(
        "--ontology_file",
        metavar="FILE",
        help="event types and roles to find in place of the run's own, any known ontology file; the run warmup, which "
        "comes with eventune, finds those of any ontology, as well as it can",
    )
    add_placement_flags(parser)
    parser.add_argument(
        "--per_device_eval_batch_size", type=int, default=32, metavar="N", help="events a batch (default: 32)"
    )
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="ask an OpenAI-compatible server, e.g. vLLM's, in place of a model here; RUN is one with task: "
        "generation, or an ontology file",
    )
    parser.add_argument("--endpoint_model", metavar="NAME", default="", help="the model or LoRA module there")


def load_extractor(arguments: argparse.Namespace) -> Extractor:
    """Load what the arguments of `add_model_arguments` name; no model library is imported before they are checked."""
    from eventune.runs.shipped import located
    from eventune.runtime.folder import is_export
    from eventune.training.run_directory import RunDirectory

    if arguments.endpoint_model and not arguments.endpoint:
        raise EventuneError("--endpoint_model: expected --endpoint URL beside it, found none")
    if arguments.per_device_eval_batch_size < 1:
        found = str(arguments.per_device_eval_batch_size)
        raise InvalidValueError("per_device_eval_batch_size", "an integer >= 1", found)
    run = Path(arguments.run_directory)
    if arguments.endpoint:
        import_model_libraries()
    elif not is_export(run):
        RunDirectory(located(run)).require()
        import_model_libraries()
    from eventune.inference.extractor import Extractor

    if arguments.endpoint and arguments.ontology_file:
        raise EventuneError("--ontology_file: expected no --endpoint beside it", "give the ontology in place of RUN")
    if arguments.endpoint and arguments.detection:
        raise EventuneError("--detection: expected no --endpoint beside it", "find the triggers first, to a file")
    if arguments.endpoint:
        from eventune.generation.extracting.endpoint import Endpoint
        from eventune.inference.endpoint import endpoint_extractor

        return endpoint_extractor(
            Path(arguments.run_directory), Endpoint.open(arguments.endpoint, arguments.endpoint_model)
        )
    return Extractor.load(
        arguments.run_directory,
        detection=arguments.detection,
        ontology=arguments.ontology_file,
        model_name_or_path=arguments.model_name_or_path,
        device=arguments.device,
        dtype=arguments.dtype,
        batch_size=arguments.per_device_eval_batch_size,
    )


def notify_of_answers(told: Mapping[str, int]) -> None:
    """Say what was wrong with the answers of a causal LM, by kind; `answers` is their number."""
    counts = dict(told)
    answers = counts.pop("answers", 0)
    if answers:
        wrong = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        notify(f"{answers} answers: {wrong or 'all valid, every value a span of its document'}")


def run(arguments: argparse.Namespace) -> int:
    """Extract, score and print."""
    from eventune.storage.locks import creating

    _check(arguments)
    with creating(Path(arguments.predictions_file)) if arguments.predictions_file else nullcontext():
        return _evaluate(arguments)


def _evaluate(arguments: argparse.Namespace) -> int:
    from eventune.cli.scores import render_evaluation
    from eventune.corpora.raw_text import open_event_free

    gold = _gold(arguments) if arguments.test_file else ()
    event_free = open_event_free(arguments.event_free, format=arguments.format) if arguments.event_free else None
    extractor = load_extractor(arguments)
    if event_free is not None and not extractor.detects:
        raise EventuneError(
            "--event_free: expected a run that finds triggers, found one that finds arguments of given events",
            "leave it out",
        )
    result: dict[str, Any] = {}
    if arguments.test_file:
        result |= _score(arguments, extractor, gold)
    if event_free is not None:
        result["event_free"] = {"file": arguments.event_free, **_false_alarms(extractor, event_free)}
    result |= {"run": arguments.run_directory, "test_file": arguments.test_file}
    emit(result, as_json=arguments.json, render=lambda console: render_evaluation(console, result))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what does not go together, before anything is read."""
    if not arguments.test_file and not arguments.event_free:
        raise EventuneError("expected --test_file or --event_free, found neither", "e.g. --test_file test.jsonl")
    if arguments.predictions_file and not arguments.test_file:
        raise EventuneError("--predictions_file: expected --test_file beside it, found none")
    if arguments.predictions_file:
        require_new(Path(arguments.predictions_file), flag="--predictions_file")


def _score(arguments: argparse.Namespace, extractor: Extractor, gold: Sequence[Document]) -> dict[str, Any]:
    from eventune.cli.bars import delayed_bar
    from eventune.corpora import write_corpus
    from eventune.corpora.ontology_fit import known_part
    from eventune.scoring.definitions import score_model

    triggers = _triggers(arguments, extractor)
    scorer = _scorer(arguments, extractor, triggers)
    known, unknown = known_part(gold, extractor.ontology)
    if unknown:
        outcome = "left out" if arguments.ignore_unknown_roles else "counted as missed"
        hint = "" if arguments.ignore_unknown_roles else " (--ignore_unknown_roles leaves them out)"
        notify(f"{arguments.test_file}: what the run's ontology lacks, {outcome}: {unknown}{hint}")
    gold = known if arguments.ignore_unknown_roles else gold
    _require_gold(gold, arguments, with_arguments=extractor.finds_arguments)
    asked = [document.with_events(()) for document in gold] if triggers == PREDICTED else gold
    with delayed_bar("extracting", total=None) as bar:
        predicted = extractor.extract_all(asked, on_batch=bar.update)
    notify_of_answers(extractor.annotator.counts)
    if arguments.predictions_file:
        write_corpus(predicted, arguments.predictions_file)
    counts = extractor.annotator.counts
    return {
        **score_model(gold, predicted, scorer, triggers=triggers if extractor.finds_arguments else ALONE).to_dict(),
        "triggers": triggers,
        **({"answers": dict(counts)} if counts else {}),
    }


def _triggers(arguments: argparse.Namespace, extractor: Extractor) -> str:
    """Return where the triggers come from."""
    if arguments.triggers == PREDICTED and not extractor.detects:
        raise EventuneError(
            f"--triggers predicted: expected a run that finds triggers, found {arguments.run_directory}, which finds "
            "arguments",
            "leave it out to score the arguments of the annotated events",
        )
    if arguments.triggers == GOLD and not extractor.finds_arguments:
        raise EventuneError(
            f"--triggers gold: expected a run that finds arguments, found {arguments.run_directory}, which finds "
            "triggers",
            "leave it out to score the triggers that it finds",
        )
    return str(arguments.triggers or (PREDICTED if extractor.detects else GOLD))


def _scorer(arguments: argparse.Namespace, extractor: Extractor, triggers: str) -> str:
    """Return the scorer's name: the one asked for, else what the run was trained by."""
    from eventune.scoring.checks import check_scorer
    from eventune.scoring.definitions import DEFAULT_SCORER
    from eventune.training.run_directory import RECIPE, RunDirectory

    run = RunDirectory(Path(arguments.run_directory))
    name = arguments.scorer or ("textee" if triggers == PREDICTED else run.setting("scorer") or DEFAULT_SCORER)
    where = "--scorer" if arguments.scorer else f"{run.path / RECIPE}: scorer"
    return check_scorer(name, where, finds_arguments=extractor.finds_arguments)


def _false_alarms(extractor: Extractor, documents: Iterable[Document]) -> dict[str, Any]:
    from eventune.cli.bars import delayed_bar
    from eventune.inference.files import extracted_anew
    from eventune.scoring.false_alarms import FalseAlarms

    alarms = FalseAlarms()
    with delayed_bar("extracting", total=None) as bar:
        for document, found in extracted_anew(extractor, documents, on_documents=bar.advance):
            alarms.add(document, found)
    return alarms.to_dict()


def _gold(arguments: argparse.Namespace) -> Sequence[Document]:
    """Read the annotated documents, with their clusters where these are given."""
    from eventune.corpora import read_corpus
    from eventune.corpora.coreference import with_coreference

    gold = read_corpus(arguments.test_file, arguments.format)
    if gold.guessed:
        notify(f"{gold.path}: {len(gold)} documents, format {gold.format} (guessed)")
    documents = gold.documents
    if arguments.coreference_file:
        documents = tuple(with_coreference(gold, arguments.coreference_file))
    _require_gold(documents, arguments, with_arguments=False)
    return documents


def _require_gold(gold: Sequence[Document], arguments: argparse.Namespace, *, with_arguments: bool) -> None:
    from eventune.scoring.checks import check_gold

    to_find = f"eventune extract {arguments.run_directory} {arguments.test_file} -o OUT"
    check_gold(gold, arguments.test_file, with_arguments=with_arguments, to_find=to_find)
