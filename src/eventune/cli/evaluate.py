"""`eventune evaluate`: score a trained run on a corpus."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventune.cli.output import add_json_flag, emit, notify
from eventune.cli.placement import add_placement_flags
from eventune.errors import EventuneError
from eventune.storage.paths import exists, is_folder

if TYPE_CHECKING:
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
    """Load what the arguments of `add_model_arguments` name."""
    from eventune.inference.extractor import Extractor

    if arguments.endpoint:
        from eventune.generation.extracting.endpoint import Endpoint
        from eventune.inference.endpoint import endpoint_extractor

        return endpoint_extractor(
            Path(arguments.run_directory), Endpoint.open(arguments.endpoint, arguments.endpoint_model)
        )
    if arguments.endpoint_model:
        raise EventuneError("--endpoint_model: expected --endpoint URL beside it, found none")
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
    from eventune.cli.progress import delayed_bar
    from eventune.cli.scores import render_score
    from eventune.corpora import read_corpus, write_corpus
    from eventune.scoring import SCORERS, score

    if arguments.predictions_file and not is_folder(Path(arguments.predictions_file).absolute().parent):
        raise EventuneError(f"--predictions_file: {arguments.predictions_file}: no such folder", "create it first")
    if arguments.predictions_file and exists(arguments.predictions_file):
        raise EventuneError(
            f"--predictions_file: {arguments.predictions_file}: exists already", "choose another file, or remove it"
        )
    gold = read_corpus(arguments.test_file, arguments.format)
    if gold.guessed:
        notify(f"{gold.path}: {len(gold)} documents, format {gold.format} (guessed)")
    extractor = load_extractor(arguments)
    unknown = {event.type for document in gold for event in document.events} - set(extractor.ontology.types)
    if unknown:
        notify(f"{len(unknown)} event types are not in the run's ontology; their arguments count as missed")
    with delayed_bar("extracting", total=None) as bar:
        predicted = extractor.extract_all(gold.documents, on_batch=bar.advance)
    notify_of_answers(extractor)
    if arguments.predictions_file:
        write_corpus(predicted, arguments.predictions_file)
    options = {"strict": False} if "strict" in SCORERS[arguments.scorer].options else {}
    result: dict[str, Any] = score(gold.documents, predicted, scorer=arguments.scorer, **options).to_dict()
    counts = extractor.annotator.counts
    result |= {"answers": dict(counts)} if counts else {}
    result |= {"run": arguments.run_directory, "test_file": arguments.test_file}
    emit(result, as_json=arguments.json, render=lambda console: render_score(console, result))
    return 0
