"""`eventune serve`: runs behind HTTP, for programs and for people."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.output import add_json_flag, emit
from eventune.cli.placement import add_placement_flags
from eventune.errors import EventuneError, InvalidValueError, require_library
from eventune.serving.arguments import TOKEN_VARIABLE, ServeSettings, setting_flags

if TYPE_CHECKING:
    from eventune.serving.annotations import Annotations
    from eventune.serving.training import Training

_INSTALL = "pip install 'eventune[serve]'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the runs, where to listen, and the limits."""
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="+",
        help="run directory, export of one, or warmup; those of `eventune sft` chat",
    )
    add_setting_flags(parser)
    parser.add_argument(
        "--annotate", metavar="DIR", help="let the page save corrected documents in this folder, as JSON lines"
    )
    parser.add_argument(
        "--documents",
        metavar="FILE",
        help="documents or texts to work through on the page, such as `eventune data select` writes; with --annotate",
    )
    parser.add_argument(
        "--recipe",
        metavar="RECIPE",
        help="train by this recipe when Label Studio asks for it, and serve the new run in place of the first",
    )
    parser.add_argument(
        "--comparisons",
        metavar="FOLDER",
        action="append",
        default=[],
        help="a folder that `eventune compare` made, whose page is shown as well; may be repeated",
    )
    parser.add_argument(
        "--detection",
        metavar="OTHER",
        help="run with task: detection or events, to find the triggers whose arguments the RUNs find",
    )
    parser.add_argument(
        "--ontology_file",
        metavar="FILE",
        help="event types and roles to find in place of the runs' own; the run warmup finds those of any ontology",
    )
    parser.add_argument(
        "--model_name_or_path", metavar="MODEL", help="where the base model is, if not where the runs say"
    )
    parser.add_argument(
        "--per_device_eval_batch_size", type=int, default=32, metavar="N", help="events a batch (default: 32)"
    )
    add_placement_flags(parser)
    add_json_flag(parser)
    parser.epilog = f"A token in the environment variable {TOKEN_VARIABLE} must then come with each request."


def add_setting_flags(parser: argparse.ArgumentParser, *names: str, note: str = "") -> None:
    """Add the flags of settings.

    Args:
        parser: Where they are added.
        names: Which ones; all by default.
        note: What is said behind each one's help.
    """
    for name, kind, default, text in setting_flags():
        if not names or name in names:
            metavar = name.split("_")[-1].upper()
            parser.add_argument(f"--{name}", type=kind, default=default, metavar=metavar, help=text + note)


def run(arguments: argparse.Namespace) -> int:
    """Load the runs and serve them until a signal says to stop."""
    from eventune.runs.shipped import located
    from eventune.runtime.folder import is_export

    settings = ServeSettings(**{name: getattr(arguments, name) for name, *_ in setting_flags()})
    token = os.environ.get(TOKEN_VARIABLE, "")
    folders = [located(Path(folder)) for folder in arguments.runs]
    _check(arguments, settings, folders, token)
    from eventune.serving.server import bind

    with closing(bind(settings)) as taken, _annotations(arguments) as annotations:
        if not all(map(is_export, folders)):
            import_model_libraries()
        from eventune.serving.app import make_app
        from eventune.serving.chats import load_chats
        from eventune.serving.comparisons import read_comparisons
        from eventune.serving.runs import annotates, load_served
        from eventune.serving.server import run_server, url_of

        pages = read_comparisons([Path(folder) for folder in arguments.comparisons])
        training = _training(arguments)
        talking = [folder for folder in folders if not is_export(folder) and not annotates(folder)]
        if training is not None and len(talking) == len(folders):
            raise EventuneError(
                "--recipe: expected a RUN that finds events, in whose place the new one is served, found none",
                "add one, or leave --recipe out",
            )
        runs = load_served([folder for folder in folders if folder not in talking], **_loading(arguments))
        base = arguments.model_name_or_path
        chats = load_chats(talking, model_name_or_path=base, device=arguments.device, dtype=arguments.dtype)
        names = [*runs, *chats]
        if len(set(names)) < len(names):
            raise EventuneError(f"RUN: expected folders of different names, found {', '.join(names)}", "rename one")
        result = {"url": url_of(taken), "models": names}

        def say() -> None:
            told = f"{', '.join(names)} at {result['url']}; Ctrl-C stops"
            emit(result, as_json=arguments.json, render=lambda console: console.print(told, soft_wrap=True))

        app = make_app(
            runs,
            settings,
            token=token,
            annotations=annotations,
            comparison_pages=pages,
            training=training,
            chats=chats,
        )
        # The server answers what it accepted, and then gives the signal back.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        run_server(app, taken, on_start=say)
    return 0


def check_reach(settings: ServeSettings, token: str) -> None:
    """Refuse to listen to other machines without a token.

    Raises:
        InvalidValueError: If there is none.
    """
    if not token and not settings.is_loopback:
        raise InvalidValueError(
            "host",
            f"{settings.host} with a token in {TOKEN_VARIABLE}",
            "none",
            "anybody who reaches this machine could ask; set one, or listen on 127.0.0.1",
        )


def _check(arguments: argparse.Namespace, settings: ServeSettings, folders: list[Path], token: str) -> None:
    """Refuse what is wrong before anything is loaded."""
    from eventune.runtime.folder import is_export
    from eventune.training.run_directory import RunDirectory

    if arguments.documents and not arguments.annotate:
        raise EventuneError("--documents: expected --annotate DIR beside it, found none")
    check_reach(settings, token)
    for library in ("fastapi", "uvicorn", "prometheus_client"):
        require_library(library, f"eventune serve needs {library}", _INSTALL)
    for folder in folders:
        if not is_export(folder):
            RunDirectory(folder).require()


def _loading(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return how runs are loaded."""
    from eventune.corpora import read_ontology

    return {
        "ontology": read_ontology(arguments.ontology_file) if arguments.ontology_file else None,
        "detection": arguments.detection,
        "model_name_or_path": arguments.model_name_or_path,
        "batch_size": arguments.per_device_eval_batch_size,
        "device": arguments.device,
        "dtype": arguments.dtype,
    }


def _training(arguments: argparse.Namespace) -> Training | None:
    from eventune.recipe import Recipe, read_changed
    from eventune.serving.runs import load_served
    from eventune.serving.training import Training

    if not arguments.recipe:
        return None
    recipe = Recipe.of(read_changed(arguments.recipe, {})[0], source=arguments.recipe)
    options = _loading(arguments)
    return Training(
        arguments.recipe,
        Path(recipe.optimisation.output_dir),
        lambda folder: next(iter(load_served([folder], **options).values())),
    )


def _annotations(arguments: argparse.Namespace) -> AbstractContextManager[Annotations | None]:
    from eventune.corpora.raw_text import open_texts
    from eventune.serving.annotations import open_annotations

    if not arguments.annotate:
        return nullcontext()
    to_do = list(open_texts(arguments.documents)) if arguments.documents else ()
    return open_annotations(Path(arguments.annotate), to_do)
