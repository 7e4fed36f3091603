"""From rows of prompt and response to a run directory: fine-tuning, evaluation and prediction of a causal LM."""

from __future__ import annotations

import os
from pathlib import Path

from transformers import TrainingArguments

from eventune.backbones.placement import Placement
from eventune.errors import EventuneError
from eventune.reporter import Reporter, SilentReporter
from eventune.results import RunResult
from eventune.runs.pipeline import RunSettings, claimed, make_run
from eventune.sft.rows import read_row_splits
from eventune.sft.settings import SftArguments
from eventune.sft.source import Source
from eventune.tasks.protocol import UNTRAINED, RunTask
from eventune.tasks.responses import Responses, RowSplits
from eventune.training.epochwise import on_device
from eventune.training.run_directory import TRACKING


def fine_tune(arguments: SftArguments, *, reporter: Reporter | None = None) -> RunResult:
    """Train, evaluate and predict as the arguments say, and leave a complete run directory.

    Args:
        arguments: The settings; without `do_train`, `do_eval` and `do_predict`, what there are files for is done.
        reporter: Hears notices and shows progress; silent by default.

    Returns:
        Scores and resources, as `result.json` holds them.

    Raises:
        LockedError: If another process is making a run in the same folder.
        EventuneError: If a file, a setting or the model is not as it must be; nothing is left half-written.
    """
    with claimed(Path(str(arguments.training.output_dir))):
        return _fine_tune(arguments, reporter or SilentReporter())


def _fine_tune(arguments: SftArguments, reporter: Reporter) -> RunResult:
    placement = arguments.placement
    rows = read_row_splits(arguments, reporter.notice)
    source = Source.of(arguments.model, reporter.notice)
    settings = _settings_of(arguments, rows, source, placement)
    if source.run is not None and source.run.resolve().is_relative_to(settings.output_dir.resolve()):
        raise EventuneError(
            f"output_dir: expected another folder than that of ptuning_checkpoint, found {settings.output_dir}",
            f"give --output_dir {settings.output_dir}-evaluation",
        )
    trained = settings.adapter.method if rows.train else source.method() if source.run else UNTRAINED

    def load_task() -> RunTask:
        return Responses.from_arguments(arguments, rows, source.base, placement, method=trained)

    return make_run(settings, load_task, reporter)


def _settings_of(arguments: SftArguments, rows: RowSplits, source: Source, placement: Placement) -> RunSettings:
    given, output_dir = arguments.training, Path(str(arguments.training.output_dir))

    def training(checkpoints: Path, has_dev: bool, epochs: int | None) -> TrainingArguments:  # noqa: ARG001
        # transformers keeps them beside the checkpoints, which are gone in the end.
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(output_dir / TRACKING))
        return on_device(arguments.trainer_settings(checkpoints, has_dev=has_dev), placement.device)

    wanted = str(given.resume_from_checkpoint)
    return RunSettings(
        values=arguments.to_dict(),
        text=arguments.to_yaml(),
        command="sft",
        output_dir=output_dir,
        overwrite=given.overwrite_output_dir and not arguments.resumes,
        resume=arguments.resumes and (wanted == "true" or Path(wanted)),
        seed=given.seed,
        adapter=arguments.model.adapter(),
        device=placement.device,
        training=training,
        learning_rate=given.learning_rate,
        head_learning_rate=given.learning_rate,
        gradient_checkpointing=arguments.checkpoints_activations and bool(rows.train),
        start_from=source.run,
    )
