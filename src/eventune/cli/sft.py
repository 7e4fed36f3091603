"""`eventune sft`: fine-tune a causal LM on prompt and response."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console

from eventune.adapters.libraries import import_model_libraries
from eventune.cli import Parser
from eventune.cli.conversion import add_convert_flag, convert_if_needed
from eventune.cli.output import RECIPE_HELP, add_json_flag, emit, notify, plain_table

TEXT_SCORES = ("rouge-1", "rouge-2", "rouge-l", "bleu-4", "bleu", "chrf")


def add_arguments(parser: Parser) -> None:
    """Add the file of settings; the settings' flags are read by `eventune.sft.settings`."""
    parser.usage = (
        "eventune sft [-h] [--json] [--convert] [ARGS.json|RECIPE]\n                    [--SETTING VALUE ...]"
    )
    parser.epilog = (
        f"ARGS.json is a JSON file with settings, RECIPE a {RECIPE_HELP}. "
        "Settings are those of transformers' Seq2SeqTrainingArguments and of ChatGLM2's script (train_file, "
        "prompt_column, response_column, lora_r, pre_seq_len, …), as flags, JSON or YAML; flags replace the file's. "
        "docs/llm.md tells what they do, a wrong name is answered with the closest right one."
    )
    add_convert_flag(parser)
    add_json_flag(parser)
    parser.takes_words = True


def run(arguments: argparse.Namespace) -> int:
    """Fine-tune and print the result."""
    from eventune.recipes import without_absent_files
    from eventune.sft.reading import read_flags, read_sft_settings

    words: list[str] = arguments.words
    file = words.pop(0) if words and not words[0].startswith("--") else ""
    flags = read_flags(words)
    own = read_sft_settings(Path(file)) if file else {}
    settings_of_file, left_out = without_absent_files(file, own, flags)
    given = {**settings_of_file, **flags}
    import_model_libraries()
    from eventune.cli.progress import StepRows, TerminalReporter
    from eventune.sft.settings import SftArguments
    from eventune.sft.tuning import fine_tune

    # Of several processes of one run, started by torchrun, the first alone is heard.
    is_heard = os.environ.get("RANK", "0") == "0"
    for message in left_out if is_heard else ():
        notify(message)
    settings = SftArguments.of(given, source=file or "flags", notice=notify if is_heard else _ignore)
    if arguments.convert:
        model = settings.model
        revision = "" if model.model_revision == "main" else model.model_revision
        convert_if_needed(model.model_name_or_path, revision=revision)
    with closing(TerminalReporter(StepRows)) if is_heard else nullcontext() as reporter:
        result = fine_tune(settings, reporter=reporter).to_dict()
    if not is_heard:
        return 0
    folder = str(settings.training.output_dir)
    emit(result, as_json=arguments.json, render=lambda console: _print(console, result, folder))
    return 0


def _ignore(_: str) -> None:
    """Say nothing."""


def _print(console: Console, result: Mapping[str, Any], folder: str) -> None:
    for name, score in result["scores"].items():
        metrics = score["metrics"]
        table = plain_table(f"{name} ({score['counts']['rows']} rows)", "")
        for key, value in metrics.items():
            table.add_row(key, f"{100 * value:.2f} %" if key in TEXT_SCORES else f"{value:.4f}")
        console.print(table)
    console.print(f"run: {folder}")
