"""`eventune ensemble`: several runs that find arguments, as one."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.output import add_json_flag, emit, notify
from eventune.cli.placement import add_device_flag
from eventune.scoring.definitions import SCORERS
from eventune.storage.atomic import refuse_existing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the runs, the target, and what it is calibrated on."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="run directories with task: extraction or events, two or more"
    )
    parser.add_argument(
        "-o", "--output_dir", required=True, metavar="OUT", help="new run directory; must not exist yet"
    )
    parser.add_argument(
        "--dev_file",
        metavar="FILE",
        help="annotated documents that no run was trained on, to learn from which of what they say together is right "
        "(default: the runs' own dev part, which has to be the same)",
    )
    parser.add_argument(
        "--scorer", choices=tuple(SCORERS), default="rams", metavar="NAME", help="what is right (default: rams)"
    )
    parser.add_argument(
        "--model_name_or_path",
        metavar="MODEL",
        help="where a base model is that has moved: that of the runs that were trained on it",
    )
    add_device_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Put the runs together, and print the scores."""
    target = Path(arguments.output_dir)
    refuse_existing(target)
    import_model_libraries()
    from eventune.backbones.placement import Placement
    from eventune.runs.ensembles import make_ensemble

    result = make_ensemble(
        [Path(run) for run in arguments.runs],
        target,
        dev_file=Path(arguments.dev_file) if arguments.dev_file else None,
        scorer=arguments.scorer,
        model_name_or_path=arguments.model_name_or_path,
        placement=Placement.of(arguments.device),
        notice=notify,
    )
    scores = {name: score["metrics"] for name, score in result.scores.items()}
    lines = [f"{name}: P {m['precision']:.3f}, R {m['recall']:.3f}, F1 {m['f1']:.3f}" for name, m in scores.items()]
    emit(
        {"output_dir": str(target), **result.to_dict()},
        as_json=arguments.json,
        render=lambda console: console.print(
            f"{target}: {len(arguments.runs)} runs ({arguments.scorer}); {'; '.join(lines)}"
        ),
    )
    return 0
