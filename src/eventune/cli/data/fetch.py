"""`eventune data fetch`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from eventune.cli.output import add_json_flag, emit, notify
from eventune.errors import EventuneError, did_you_mean
from eventune.storage.paths import make_folder

if TYPE_CHECKING:
    from eventune.corpora.published import PublishedCorpus, PublishedFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of the corpus")
    parser.add_argument("--list", action="store_true", help="list the corpora with their licences")
    parser.add_argument("-o", "--output_dir", metavar="FOLDER", help="where the files go (default: ./NAME)")
    parser.add_argument("--files", metavar="FILE", nargs="+", help="only these files of the corpus")
    parser.add_argument("--sha256", help="checksum of the one file that is fetched, where eventune knows none")
    parser.add_argument(
        "--accept_unverified", action="store_true", help="take files whose checksum is not known as they come"
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Download, or list what there is."""
    from eventune.corpora.fetch import fetch
    from eventune.corpora.published import CORPORA

    if arguments.list:
        listed = {"corpora": [_described(corpus) for corpus in CORPORA.values()]}
        emit(listed, as_json=arguments.json, render=lambda console: _render_list(console, list(CORPORA.values())))
        return 0
    if arguments.name is None:
        raise EventuneError("expected the name of a corpus, found none", "--list shows them")
    if arguments.name not in CORPORA:
        hint = did_you_mean(arguments.name, CORPORA) or f"known corpora: {', '.join(CORPORA)}"
        raise EventuneError(f"unknown corpus {arguments.name!r}", hint)
    corpus = CORPORA[arguments.name]
    files, left_out = _chosen(corpus, arguments)
    folder = Path(arguments.output_dir or corpus.name)
    make_folder(folder)
    notify(f"{corpus.summary}; licence: {corpus.licence}; {corpus.page}")
    if left_out:
        notify(f"left out, as their checksums are not known (--accept_unverified takes them): {', '.join(left_out)}")
    fetched = []
    for file in files:
        notify(file.url)
        fetched.append(fetch(file, folder).to_dict())
    result = {
        "corpus": corpus.name,
        "licence": corpus.licence,
        "page": corpus.page,
        "files": fetched,
        "left_out": left_out,
    }
    emit(result, as_json=arguments.json, render=lambda console: _render(console, result))
    return 0


def _chosen(corpus: PublishedCorpus, arguments: argparse.Namespace) -> tuple[list[PublishedFile], list[str]]:
    """Return the files that are wanted, each with a checksum unless it is said that none is needed.

    Args:
        corpus: The corpus.
        arguments: The parsed arguments.

    Returns:
        The files, and the names of those that nobody named and that are left out for want of a checksum.
    """
    names = {file.name: file for file in corpus.files}
    for name in arguments.files or ():
        if name not in names:
            hint = did_you_mean(name, names) or f"its files: {', '.join(names)}"
            raise EventuneError(f"{corpus.name} has no file {name!r}", hint)
    files = [names[name] for name in dict.fromkeys(arguments.files or names)]
    if arguments.sha256 is not None:
        checksum = arguments.sha256.lower()
        if len(checksum) != 64 or set(checksum) - set("0123456789abcdef"):
            raise EventuneError(f"--sha256: expected 64 hexadecimal digits, found {arguments.sha256!r}")
        if len(files) != 1:
            raise EventuneError(f"--sha256: expected one file, found {len(files)}", "name the file with --files")
        if files[0].sha256 not in ("", checksum):
            raise EventuneError(f"--sha256: expected {files[0].sha256} for {files[0].name}, found {checksum}")
        return [replace(files[0], sha256=checksum)], []
    unknown = [file.name for file in files if not file.sha256]
    if not unknown or arguments.accept_unverified:
        return files, []
    if arguments.files or len(unknown) == len(files):
        raise EventuneError(
            f"{corpus.name}: the checksum of {', '.join(unknown)} is not known",
            "--accept_unverified takes files as they come, and shows their checksums",
        )
    return [file for file in files if file.sha256], unknown


def _described(corpus: PublishedCorpus) -> dict[str, Any]:
    files = [{"name": file.name, "url": file.url, "sha256": file.sha256 or None} for file in corpus.files]
    return {
        "name": corpus.name,
        "summary": corpus.summary,
        "licence": corpus.licence,
        "page": corpus.page,
        "files": files,
    }


def _render_list(console: Console, corpora: list[PublishedCorpus]) -> None:
    for corpus in corpora:
        console.print(Text.assemble((corpus.name, "bold"), f": {corpus.summary}; {corpus.licence}"))
        for file in corpus.files:
            console.print(f"  {file.name}{'' if file.sha256 else ' (no checksum known)'}")


def _render(console: Console, result: dict[str, Any]) -> None:
    for file in result["files"]:
        state = "verified" if file["verified"] else "NOT verified"
        console.print(Text.assemble((file["file"], "bold"), f": {file['bytes']:,} bytes, {state}"))
        console.print(Text(f"  sha256 {file['sha256']}"), soft_wrap=True)
    console.print(f"licence: {result['licence']}; see {result['page']}")
