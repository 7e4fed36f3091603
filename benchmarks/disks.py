"""What the commands that write say of a full disk, a read-only folder, a folder that goes away, and a second process.

    unshare --mount python benchmarks/disks.py

Needs Linux and the right to mount: each case has a small file system in memory. Prints a Markdown table: exit code, the
message, and what lies in the folder afterwards. Exits with 1 where there is a traceback, or where the first of two
processes fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tiny_commands import Command, Forked, contents, prepare

SMALL = {
    "train": "32k",
    "events": "32k",
    "extract": "16k",
    "chatglm2": "256k",
    "adapter": "8k",
    "compare": "32k",
    "select": "8k",
}
"""What each command's output does not fit into."""
BEGUN = {
    "train": "out/checkpoints/checkpoint-*",
    "events": "out/detection/checkpoints/checkpoint-*",
    "compare": "out/runs/*/*/run/checkpoints/checkpoint-*",
    "extract": "out.*.partial",
    "chatglm2": ".out.converting/*",
    "adapter": ".out.tmp",
    "select": ".out*",
}
"""What is there when a command has begun to write."""


def mounted(folder: Path, options: str) -> None:
    """Put an empty file system in memory at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def wait_for(folder: Path, pattern: str, process: Forked) -> bool:
    """Wait until there is something of a name; tell whether the process is still at it."""
    while process.poll() is None:
        if any(folder.glob(pattern)):
            return True
        time.sleep(0.002)
    return False


def full(key: str, command: Command, folder: Path) -> tuple[Forked, Path]:
    """Give a command too small a disk."""
    mounted(folder, f"size={SMALL[key]}")
    return Forked(list(command.words), folder, folder.with_suffix(".log")), folder.with_suffix(".log")


def read_only(key: str, command: Command, folder: Path) -> tuple[Forked, Path]:  # noqa: ARG001
    """Give a command a disk that nothing can be written to."""
    mounted(folder, "ro")
    return Forked(list(command.words), folder, folder.with_suffix(".log")), folder.with_suffix(".log")


def removed(key: str, command: Command, folder: Path) -> tuple[Forked, Path]:
    """Remove everything around a command as soon as it has begun to write."""
    folder.mkdir(parents=True)
    process = Forked(list(command.words), folder, folder.with_suffix(".log"))
    if wait_for(folder, BEGUN[key], process):
        shutil.rmtree(folder / "out" if key in {"train", "events", "compare"} else folder, ignore_errors=True)
    return process, folder.with_suffix(".log")


def second(key: str, command: Command, folder: Path) -> tuple[Forked, Path]:
    """Start a command twice; the answer is that of the second process."""
    folder.mkdir(parents=True)
    first = Forked(list(command.words), folder, folder.with_suffix(".first"))
    wait_for(folder, BEGUN[key], first)
    log = folder.with_suffix(".log")
    late = Forked(list(command.again), folder, log)
    late.wait()
    if first.wait():
        log.write_text(f"Traceback: the first ended with {first.returncode}\n{log.read_text()}", encoding="utf-8")
    return late, log


CASES: dict[str, Callable[[str, Command, Path], tuple[Forked, Path]]] = {
    "full disk": full,
    "read-only folder": read_only,
    "folder removed on the way": removed,
    "two processes": second,
}


def main() -> int:
    """Try every case on every command, and print a Markdown table."""
    is_fine = True
    print("| case | command | exit | message | left |\n| --- | --- | --: | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for key, command in prepare(place).items():
            for number, (case, disturb) in enumerate(CASES.items()):
                where = place / f"{key}-{number}"
                process, log = disturb(key, command, where)
                code, said = process.wait(), log.read_text(encoding="utf-8")
                left = ", ".join(sorted({name.partition("/")[0] for name in contents(where)})) or "nothing"
                lines = [line for line in said.splitlines() if line.startswith("error: ")] or said.splitlines()[-1:]
                message = " ".join(lines).replace(f"{where}/", "").replace(folder, "")
                print(f"| {case} | {command.name} | {code} | {message} | {left} |", flush=True)
                if "Traceback" in said or code not in {0, 1, 2}:
                    is_fine = False
                    print(said, file=sys.stderr)
                if os.path.ismount(where):
                    subprocess.run(["umount", str(where)], check=True)
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
