"""The reference pages, made from what the program itself says: its parsers, its settings, its recipes."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
from collections.abc import Collection, Iterator
from typing import Any

from eventune.cli import VERBS, build_parser
from eventune.recipe import all_sections
from eventune.recipes import ARMS, published, summary
from eventune.tasks.registry import TASKS

API = {
    "eventune": ("From Python", ["eventune"]),
    "adapters": ("Adapters for models of your own", ["eventune.adapters"]),
    "corpora": ("Corpora and documents", ["eventune.events", "eventune.corpora", "eventune.corpora.spacy_docs"]),
    "scoring": ("Scoring", ["eventune.scoring"]),
    "serving": ("Asking a server", ["eventune.serving.client"]),
}
"""Pages of the Python API: their heads, and the modules whose public names they show."""


def reference_pages() -> dict[str, str]:
    """Return the pages by path, as Markdown."""
    pages = {f"reference/commands/{verb}.md": _command(verb) for verb in VERBS}
    pages["reference/commands/index.md"] = _commands()
    pages["reference/settings.md"] = _settings()
    pages["reference/sft-settings.md"] = _sft_settings()
    pages["reference/recipes.md"] = _recipes()
    return pages | {f"reference/api/{name}.md": _api(name) for name in API}


def _commands() -> str:
    rows = [f"| [`eventune {verb}`]({verb}.md) | {_cell(text)} |" for verb, text in VERBS.items()]
    return "\n".join(["# Commands", "", "| command | what it does |", "|---|---|", *rows, ""])


def _command(verb: str) -> str:
    parser = build_parser(verb)
    [subparsers] = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    chosen = subparsers.choices[verb]
    nested = [action for action in chosen._actions if isinstance(action, argparse._SubParsersAction)]
    lines = [f"# eventune {verb}", "", chosen.description or ""]
    if nested:
        for name, child in nested[0].choices.items():
            lines += ["", f"## eventune {verb} {name}", "", child.description or "", *_usage(child)]
    elif verb == "train":
        lines += [*_usage(chosen), "", "Its settings: [Settings of a recipe](../settings.md)."]
    else:
        lines += _usage(chosen)
    return "\n".join([*lines, ""])


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield how a command is used: its line, and a row for each of its words and flags."""
    yield from ("", "```", parser.format_usage().removeprefix("usage: ").strip(), "```")
    common = {"positional arguments", "options"}
    is_train = parser.prog.endswith(" train")
    actions = [
        action
        for group in parser._action_groups
        for action in group._group_actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
        and (group.title in common or not is_train)
    ]
    if actions:
        yield from ("", "| | what it says |", "|---|---|")
    for action in actions:
        names = ", ".join(action.option_strings) or action.metavar or action.dest
        value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or action.dest.upper()}"
        yield f"| `{names}{value}` | {_cell(action.help or '').replace('%%', '%')} |"
    if parser.epilog:
        yield from ("", parser.epilog)


def _settings() -> str:
    """Return every setting of `eventune train`, by its group."""
    lines = [
        "# Settings of a recipe",
        "",
        "Each is a line of a recipe's YAML (`name: value`), and a flag of `eventune train` and `eventune compare`",
        "(`--name value`).",
        f"Tasks: {', '.join(f'`{name}`' for name in TASKS)}.",
    ]
    for name, section in all_sections().items():
        lines += ["", f"## {name}", "", (section.__doc__ or "").strip(), "", *_rows(section)]
    return "\n".join([*lines, ""])


def _sft_settings() -> str:
    """Return every setting of `eventune sft`, by its group."""
    settings, legacy = (importlib.import_module(f"eventune.sft.{name}") for name in ("settings", "legacy"))
    lines = [
        "# Settings of eventune sft",
        "",
        "Each is a line of YAML or JSON, and a flag (`--name value`). Names are those of transformers and of",
        "ChatGLM2-6B's script.",
    ]
    for section in settings.SECTIONS:
        lines += ["", f"## {section.__name__}", "", (section.__doc__ or "").strip().partition("\n\n")[0], ""]
        lines += _rows(section, without=[*legacy.OBSOLETE, *settings.SHARED_OUT])
    return "\n".join([*lines, ""])


def _rows(section: type, *, without: Collection[str] = ()) -> Iterator[str]:
    read_by = any("read_by" in setting.metadata for setting in dataclasses.fields(section))
    yield "| setting | default | what it says |" + (" read by |" if read_by else "")
    yield "|---|---|---|" + ("---|" if read_by else "")
    for setting in dataclasses.fields(section):
        help_text = setting.metadata.get("help")
        if help_text is None or setting.name in without:
            continue
        row = f"| `{setting.name}` | {_default(setting)} | {_cell(help_text)} |"
        yield row + (f" {setting.metadata.get('read_by', 'all')} |" if read_by else "")


def _default(setting: dataclasses.Field[Any]) -> str:
    value = setting.default
    if value is dataclasses.MISSING:
        value = setting.default_factory() if setting.default_factory is not dataclasses.MISSING else ""
    return f"`{value}`" if value not in ("", None, [], {}) else ""


def _recipes() -> str:
    lines = [
        "# Published recipes",
        "",
        "`eventune recipes NAME` prints one; `eventune train NAME` (or `sft`, as its command says) uses it.",
    ]
    for name, path in published().items():
        lines += ["", f"## {name}", "", summary(path), "", "```yaml", path.read_text(encoding="utf-8").strip(), "```"]
    lines += ["", "## Arms of comparisons", ""]
    lines += [f"- `{path.stem}`: {summary(path)}" for path in published(ARMS).values()]
    return "\n".join([*lines, ""])


def _api(name: str) -> str:
    title, modules = API[name]
    lines = [f"# {title}"]
    for module in modules:
        loaded = importlib.import_module(module)
        own = [name for name, value in vars(loaded).items() if getattr(value, "__module__", "") == module]
        names = getattr(loaded, "__all__", None) or [known for known in own if not known.startswith("_")]
        for known in sorted(names):
            lines += ["", f"::: {module}.{known}"]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").replace("*", "\\*")
