"""`eventune doctor`: what this machine can do, what on it is known to fail, and the fix of a known error message."""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from eventune.cli.output import add_json_flag, emit
from eventune.errors import EventuneError
from eventune.storage.paths import exists, expanded

if TYPE_CHECKING:
    from eventune.doctor.combinations import BadCombination
    from eventune.doctor.machine import Failure, Hub, Machine, Precision, Processor, Torch
    from eventune.doctor.packages import Package
    from eventune.doctor.remedies import Match

GIB = 2**30
STDIN, MESSAGE = "-", "message"
LOOKS_LIKE_A_FILE = re.compile(r"\S*/\S*|\S+\.(?:log|txt|out|err)")
INDENT = (0, 0, 0, 2)
T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to look at: an error, or the machine."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--error",
        metavar="TEXT_OR_FILE",
        help="explain an error message or a log file (-: standard input), and leave the machine alone",
    )
    what.add_argument("--network", action="store_true", help="ask the hub whether it answers (one request)")
    what.add_argument("--vllm", metavar="RUN", help="say whether vLLM can serve a run's adapter, and by which command")
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Explain an error, or describe the machine; exit code 1 where a combination on it cannot work."""
    if arguments.error is not None:
        return explain(arguments.error, as_json=arguments.json)
    if arguments.vllm is not None:
        return check_for_vllm(Path(arguments.vllm), as_json=arguments.json)
    from eventune.doctor.combinations import find_bad_combinations
    from eventune.doctor.machine import inspect_machine

    machine = inspect_machine(network=arguments.network)
    findings = find_bad_combinations(machine)
    result = {"machine": asdict(machine), "findings": [asdict(finding) for finding in findings]}
    emit(result, as_json=arguments.json, render=lambda console: render_machine(console, machine, findings))
    return int(any(finding.severity == "error" for finding in findings))


def check_for_vllm(run: Path, *, as_json: bool) -> int:
    """Say whether vLLM can serve an adapter; exit code 1 where it cannot."""
    from eventune.adapters.configuration import read_adapter_fields
    from eventune.adapters.vllm import problems_in_vllm, vllm_command
    from eventune.backbones.resolve import PACKAGED, resolve

    problems = problems_in_vllm(run)
    # Names of packaged models are this project's own.
    base = read_adapter_fields(run).base_model_name_or_path or ""
    command = "" if problems else vllm_command(run, base=str(resolve(base).folder) if base in PACKAGED else base)
    emit(
        {"run": str(run), "problems": problems, "command": command},
        as_json=as_json,
        render=lambda console: console.print("\n".join(problems) or command, soft_wrap=True, markup=False),
    )
    return int(bool(problems))


def explain(text: str, *, as_json: bool) -> int:
    """Print causes and fixes of the known messages in a text.

    Args:
        text: The text itself, the name of a file that holds it, or `-` for standard input.
        as_json: Whether to print JSON.

    Returns:
        0, whether something was found or not.

    Raises:
        EventuneError: If the text is empty, or the file is not there or cannot be read.
    """
    from eventune.doctor.remedies import find_remedies

    if not text.strip():
        raise EventuneError(
            "--error: expected a message or a file, found nothing", 'for example: eventune doctor --error "the message"'
        )
    with opened(text) as (source, stream):
        try:
            matches = find_remedies(stream)
        except OSError as error:
            raise EventuneError(f"--error: {source} cannot be read: {error.strerror}") from error
    if source == MESSAGE and not matches and LOOKS_LIKE_A_FILE.fullmatch(text):
        raise EventuneError(f"--error: {text}: no such file", "name a log file, or quote the message itself")
    rows = [
        {"line_number": match.line_number, "line": match.line, "count": match.count, **asdict(match.remedy)}
        for match in matches
    ]
    result = {"source": source, "matches": rows}
    emit(result, as_json=as_json, render=lambda console: render_matches(console, source, matches))
    return 0


@contextmanager
def opened(text: str) -> Iterator[tuple[str, TextIO]]:
    """Open what `--error` names.

    Args:
        text: A text, the name of a file, or `-`.

    Yields:
        What it is (`message`, `standard input`, or the file's name), and a stream of its lines.

    Raises:
        EventuneError: If it is a folder, or a file that cannot be opened.
    """
    if text == STDIN:
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        yield "standard input", sys.stdin
        return
    path = expanded(text)
    if not exists(path):
        yield MESSAGE, io.StringIO(text)
        return
    if path.is_dir():
        raise EventuneError(
            f"--error: expected a message or a file, found the folder {text}", "name the log file in it"
        )
    try:
        file = path.open(encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise EventuneError(f"--error: {text} cannot be read: {error.strerror}") from error
    with file:
        yield text, file


def render_matches(console: Console, source: str, matches: Sequence[Match]) -> None:
    """Print what is known about each message.

    Args:
        console: Where to print.
        source: What was read.
        matches: The known messages in it.
    """
    if not matches:
        console.print(f"{source}: no known message was found.")
        console.print(
            "Next: give the whole traceback or the log file, whose decisive line may stand further up; without "
            "--error, `eventune doctor` shows versions and combinations that are known to fail."
        )
    for number, match in enumerate(matches):
        if number:
            console.print()
        times = f", and on {match.count - 1} more" if match.count > 1 else ""
        place = "" if source == MESSAGE and not times else f" (line {match.line_number}{times})"
        console.print(f"{match.remedy.name}{place}", style="bold")
        console.print(Padding(match.line, INDENT), style="dim")
        for label, text in (
            ("cause", match.remedy.cause),
            ("fix", match.remedy.fix),
            ("threads", ", ".join(match.remedy.threads)),
        ):
            if text:
                console.print(Padding(f"{label}: {text}", INDENT))


def render_machine(console: Console, machine: Machine, findings: Sequence[BadCombination]) -> None:
    """Print the facts, and what on them is known to fail.

    Args:
        console: Where to print.
        machine: The facts.
        findings: The bad combinations.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in describe(machine):
        table.add_row(name, text)
    console.print(table)
    console.print()
    if not findings:
        console.print("No combination here is known to fail.")
    for finding in findings:
        console.print(
            f"{finding.severity}: {finding.found}", style="bold red" if finding.severity == "error" else "yellow"
        )
        threads = f" ({', '.join(finding.threads)})" if finding.threads else ""
        console.print(Padding(f"{finding.fix}{threads}", INDENT))


def describe(machine: Machine) -> Iterator[tuple[str, str]]:
    """Say each fact in words.

    Args:
        machine: The facts.

    Yields:
        Name and text of each fact.
    """
    yield "eventune", machine.eventune
    yield "Python", f"{machine.python}, {machine.platform}"
    yield "packages", _said(machine.packages, _packages)
    yield "not installed", _said(machine.packages, _absent)
    if machine.environment:
        yield "environment", ", ".join(f"{name}={value}" for name, value in machine.environment.items())
    yield "CPU", _said(machine.processor, lambda cpu: ", ".join([cpu.model, *cpu.features]))
    yield "cores", _said(machine.processor, _cores)
    yield "memory", _said(machine.memory, lambda memory: _size(memory.usable_bytes, memory.available_bytes))
    yield "torch", _said(machine.torch, _torch)
    yield "NVIDIA driver", _said(machine.driver, lambda version: version or "none")
    yield "precision", _said(machine.precisions, lambda ones: "; ".join(map(_precision, ones)))
    yield "bitsandbytes", _said(machine.bitsandbytes, _bitsandbytes)
    yield "hub", _said(machine.hub, _hub)
    yield (
        "disk",
        _said(
            machine.disks,
            lambda disks: "; ".join(f"{disk.place}: {_size(disk.total_bytes, disk.free_bytes)}" for disk in disks),
        ),
    )
    yield (
        "models",
        _said(
            machine.packaged_models,
            lambda models: ", ".join(f"{name}{'' if there else ' (not installed)'}" for name, there in models.items()),
        ),
    )


def _said(fact: T | Failure, say: Callable[[T], str]) -> str:
    """Return a fact in words, or why it could not be found out."""
    from eventune.doctor.machine import Failure

    return f"unknown: {fact.failed}" if isinstance(fact, Failure) else say(fact)


def _size(total_bytes: int, free_bytes: int | None) -> str:
    free = "" if free_bytes is None else f"{free_bytes / GIB:.1f} free of "
    return f"{free}{total_bytes / GIB:.1f} GiB"


def _packages(packages: Mapping[str, Package]) -> str:
    return ", ".join(f"{name} {package.version}" for name, package in sorted(packages.items()) if package.version)


def _absent(packages: Mapping[str, Package]) -> str:
    return ", ".join(name for name, package in sorted(packages.items()) if not package.version) or "nothing"


def _cores(cpu: Processor) -> str:
    physical = "" if cpu.physical_cores is None else f"{cpu.physical_cores} physical, "
    return f"{physical}{cpu.logical_cores} logical, {cpu.usable_cores} for this process"


def _torch(torch: Torch) -> str:
    devices = [f"{one.name} ({one.capability}, {one.memory_bytes / GIB:.0f} GiB)" for one in torch.devices]
    found = ", ".join(devices) or ("Apple GPU" if torch.mps else "no GPU")
    return f"for {torch.built_for}, {torch.threads} threads, {found}{f'; {torch.complaint}' if torch.complaint else ''}"


def _precision(one: Precision) -> str:
    speed = {True: "fast", False: "works, but slow", None: "works"}[one.fast] if one.usable else f"fails: {one.reason}"
    return f"{one.device} {one.dtype} {speed}"


def _bitsandbytes(trials: Mapping[str, str]) -> str:
    parts = [f"4-bit on {device} {f'fails: {failure}' if failure else 'works'}" for device, failure in trials.items()]
    return "; ".join(parts) or "not installed"


def _hub(hub: Hub) -> str:
    answer = "not asked (--network asks it)" if hub.reachable is None else hub.answer
    count = f"{hub.cache_bytes / GIB:.1f} GiB{'' if hub.cache_is_counted_whole else ' or more'}"
    offline = ", offline by HF_HUB_OFFLINE" if hub.offline else ""
    return f"{hub.endpoint}{offline}: {answer}; cache {hub.cache}, {count}"
