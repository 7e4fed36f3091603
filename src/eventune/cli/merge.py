"""`eventune merge`: one plain model out of a run's base and adapter."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.output import add_json_flag, emit
from eventune.cli.placement import add_device_flag
from eventune.storage.atomic import refuse_existing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, the target and the type of its weights."""
    parser.add_argument("run_directory", metavar="RUN", help="run directory of method lora, vera or ia3")
    parser.add_argument("target", metavar="OUT", help="new run directory; must not exist yet")
    parser.add_argument(
        "--dtype",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="type of the saved weights; merging itself is in float32 (default: float32)",
    )
    add_device_flag(parser)
    parser.add_argument(
        "--model_name_or_path", metavar="MODEL", help="where the base model is, if not where the run says"
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Merge, and say how far the scores are from those of base and adapter."""
    from eventune.training.run_directory import RunDirectory

    run_directory, target = Path(arguments.run_directory), Path(arguments.target)
    refuse_existing(target)
    RunDirectory(run_directory).require()
    import_model_libraries()
    from eventune.runs.merging import merge_run

    merged = merge_run(
        run_directory,
        target,
        dtype=arguments.dtype,
        model_name_or_path=arguments.model_name_or_path,
        device=arguments.device,
    )
    result = {
        "run": arguments.run_directory,
        "output_dir": arguments.target,
        "dtype": arguments.dtype,
        "saved_bytes": merged.saved_bytes,
        "difference": merged.difference,
        "difference_after_cast": merged.difference_after_cast,
    }
    emit(
        result,
        as_json=arguments.json,
        render=lambda console: console.print(
            f"{arguments.target}: {merged.saved_bytes / 1e6:,.1f} MB in {arguments.dtype}; greatest difference of the "
            f"scores from the run's: {merged.difference:.1e} in float32, {merged.difference_after_cast:.1e} as saved"
        ),
    )
    return 0
