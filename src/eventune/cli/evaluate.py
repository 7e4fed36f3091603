"""`eventune evaluate`: score a trained run on a corpus."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventune.cli.libraries import import_model_libraries
from eventune.cli.output import add_json_flag, emit, notify
from eventune.cli.placement import add_placement_flags
from eventune.errors import EventuneError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventune.events import Document
    from eventune.inference.extractor import Extractor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, the corpus and the scorer."""
    from eventune.corpora import AUTO, format_names
    from eventune.scoring import SCORERS

    parser.add_argument("run_directory", metavar="RUN", help="run directory that `eventune train` made")
    parser.add_argument("--test_file", required=True, metavar="FILE", help="corpus with gold arguments")
    format_help = f"its format: {', '.join(format_names())} (default: guess it)"
    parser.add_argument("--format", default=AUTO, choices=[AUTO, *format_names()], metavar="NAME", help=format_help)
    scorer_help = f"definition of the score: {', '.join(SCORERS)} (default: rams)"
    parser.add_argument("--scorer", default="rams", choices=sorted(SCORERS), metavar="NAME", help=scorer_help)
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
    from eventune.training.run_directory import RunDirectory

    if arguments.endpoint_model and not arguments.endpoint:
        raise EventuneError("--endpoint_model: expected --endpoint URL beside it, found none")
    if arguments.per_device_eval_batch_size < 1:
        found = str(arguments.per_device_eval_batch_size)
        raise InvalidValueError("per_device_eval_batch_size", "an integer >= 1", found)
    if not arguments.endpoint:
        RunDirectory(Path(arguments.run_directory)).require()
    import_model_libraries()
    from eventune.inference.extractor import Extractor

    if arguments.endpoint:
        from eventune.generation.extracting.endpoint import Endpoint
        from eventune.inference.endpoint import endpoint_extractor

        return endpoint_extractor(
            Path(arguments.run_directory), Endpoint.open(arguments.endpoint, arguments.endpoint_model)
        )
    return Extractor.load(
        arguments.run_directory,
        model_name_or_path=arguments.model_name_or_path,
        device=arguments.device,
        dtype=arguments.dtype,
        batch_size=arguments.per_device_eval_batch_size,
    )


def notify_of_answers(extractor: Extractor) -> None:
    """Say what was wrong with the answers of a causal LM."""
    counts = dict(extractor.annotator.counts)
    answers = counts.pop("answers", 0)
    if answers:
        wrong = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        notify(f"{answers} answers: {wrong or 'all valid, every value a span of its document'}")


def run(arguments: argparse.Namespace) -> int:
    """Extract, score and print."""
    from eventune.cli.scores import render_score
    from eventune.corpora import write_corpus
    from eventune.corpora.ontology_fit import known_part
    from eventune.scoring import SCORERS, score

    if arguments.predictions_file and not Path(arguments.predictions_file).resolve().parent.is_dir():
        raise EventuneError(f"--predictions_file: {arguments.predictions_file}: no such folder", "create it first")
    if arguments.predictions_file and Path(arguments.predictions_file).exists():
        raise EventuneError(
            f"--predictions_file: {arguments.predictions_file}: exists already", "choose another file, or remove it"
        )
    gold = _gold(arguments)
    _require_arguments(gold, arguments)
    extractor = load_extractor(arguments)
    from eventune.cli.progress import delayed_bar

    known, unknown = known_part(gold, extractor.ontology)
    if arguments.ignore_unknown_roles:
        gold = known
        _require_arguments(gold, arguments)
    if unknown:
        outcome = "left out" if arguments.ignore_unknown_roles else "counted as missed"
        hint = "" if arguments.ignore_unknown_roles else " (--ignore_unknown_roles leaves them out)"
        notify(f"{arguments.test_file}: what the run's ontology lacks, {outcome}: {unknown}{hint}")
    with delayed_bar("extracting", total=None) as bar:
        predicted = extractor.extract_all(gold, on_batch=bar.advance)
    notify_of_answers(extractor)
    if arguments.predictions_file:
        write_corpus(predicted, arguments.predictions_file)
    options = {"strict": False} if "strict" in SCORERS[arguments.scorer].options else {}
    result: dict[str, Any] = score(gold, predicted, scorer=arguments.scorer, **options).to_dict()
    counts = extractor.annotator.counts
    result |= {"answers": dict(counts)} if counts else {}
    result |= {"run": arguments.run_directory, "test_file": arguments.test_file}
    emit(result, as_json=arguments.json, render=lambda console: render_score(console, result))
    return 0


def _gold(arguments: argparse.Namespace) -> Sequence[Document]:
    """Read the annotated documents, with their clusters where these are given."""
    from eventune.corpora import read_corpus
    from eventune.corpora.coreference import with_coreference

    gold = read_corpus(arguments.test_file, arguments.format)
    if gold.guessed:
        notify(f"{gold.path}: {len(gold)} documents, format {gold.format} (guessed)")
    if arguments.coreference_file:
        return tuple(with_coreference(gold, arguments.coreference_file))
    return gold.documents


def _require_arguments(gold: Sequence[Document], arguments: argparse.Namespace) -> None:
    events = [event for document in gold for event in document.events]
    if not any(event.arguments for event in events):
        raise EventuneError(
            f"{arguments.test_file}: expected annotated arguments to score against, found no gold argument in "
            f"{len(gold)} documents with {len(events)} events",
            f"to find arguments: eventune extract {arguments.run_directory} {arguments.test_file} -o OUT",
        )
