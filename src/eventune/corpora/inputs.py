"""Files, folders, patterns and URLs as one stream of records."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from eventune.corpora.corpus import CorpusStream
from eventune.corpora.parquet import SUFFIX
from eventune.corpora.raw_text import TEXT_SUFFIX, RawTexts, holds_brat, open_texts
from eventune.corpora.records import Record
from eventune.corpora.registry import AUTO
from eventune.corpora.sources import Source
from eventune.corpora.streams import STDIN, URL_HINT, check_place, is_url, place_of, suffix_of
from eventune.errors import EventuneError, InvalidValueError, first_line
from eventune.events import Document
from eventune.storage.paths import exists, files_below, is_folder

RECORD_SUFFIXES = frozenset({".jsonl", ".jsonlines", ".ndjson", ".json", SUFFIX})
"""What a folder without texts is read for."""
_MAGIC = frozenset("*?[")


class Item(NamedTuple):
    """A record, and what makes a document of it."""

    source: Source
    record: Record


class NamedFile(NamedTuple):
    """A file or URL, and what tells its records from those of the others."""

    name: str
    label: str


@dataclass(frozen=True)
class Inputs(Iterable[Document]):
    """What a user named, in that order; what a pattern or a folder stands for, in the order of the names.

    Attributes:
        files: The files; a folder of brat is one.
        first: The first, opened.
        format: Name of the corpora's format, or `auto`.
        text_field: See `open_texts`.
        language: See `open_texts`.
        bytes_in_all: Size of all; 0 where it is not known.
    """

    files: Sequence[NamedFile]
    first: RawTexts | CorpusStream
    format: str
    text_field: str
    language: str
    bytes_in_all: int

    def __iter__(self) -> Iterator[Document]:
        for source in self.sources():
            yield from source

    @property
    def is_one_text(self) -> bool:
        """Whether there is exactly one text."""
        return len(self.files) == 1 and isinstance(self.first, RawTexts) and self.first.is_one_text

    @property
    def is_read_once(self) -> bool:
        """Whether the records can be read only once."""
        return self.first.is_read_once

    def sources(self) -> Iterator[RawTexts | CorpusStream]:
        """Open file after file; raises EventuneError where one is nothing that is known."""
        yield self.first
        for file in self.files[1:]:
            yield self._opened(file)

    def items(self) -> Iterator[tuple[Item, int]]:
        """Yield all records, those of a file that cannot be read as one that is broken.

        Yields:
            A record with its source, and how many bytes of all files are read with it, about.
        """
        done = 0
        for number, file in enumerate(self.files):
            source: RawTexts | CorpusStream = RawTexts(file.name)
            try:
                source = self.first if number == 0 else self._opened(file)
                for record in source.records():
                    yield Item(source, record), done + record.position
            except EventuneError as error:
                broken = InvalidValueError("file", "one that can be read", error.message, error.hint)
                yield Item(source, Record(file.name, broken)), done
            done += _size(file.name)

    def _opened(self, file: NamedFile) -> RawTexts | CorpusStream:
        return open_texts(
            file.name, format=self.format, text_field=self.text_field, language=self.language, label=file.label
        )


def open_inputs(names: Sequence[str], *, format: str = AUTO, text_field: str = "", language: str = AUTO) -> Inputs:
    """Open what a user named; the first file is looked into, the others as they come.

    Args:
        names: Files, folders, patterns (`news/*.jsonl.gz`), URLs that fsspec knows, or `-` alone for standard input.
        format: See `open_texts`.
        text_field: See `open_texts`.
        language: See `open_texts`.

    Raises:
        EventuneError: If there is nothing at one of these places, or the first file is nothing that is known.
    """
    if STDIN in names and len(names) > 1:
        raise EventuneError(f"expected {STDIN} alone, found other inputs beside it", "read them in a run of its own")
    files = [file for name in names for file in _files(name, is_alone=len(names) == 1)]
    for file in files:
        if not is_folder(file.name):
            check_place(place_of(file.name))
    first = open_texts(files[0].name, format=format, text_field=text_field, language=language, label=files[0].label)
    sizes = [_size(file.name) for file in files]
    return Inputs(tuple(files), first, format, text_field, language, sum(sizes) if all(sizes) else 0)


def input_of(text: str, *, name: str, language: str = AUTO) -> Inputs:
    """Return a text as an input of this name."""
    return Inputs((NamedFile(name, ""),), RawTexts(name, content=text, language=language), AUTO, "", language, 0)


def _files(name: str, *, is_alone: bool) -> list[NamedFile]:
    """Return the files that a name stands for; their labels are short where it is the only one."""
    if is_url(name):
        found, root = _of_url(name), ""
    elif is_folder(name):
        if holds_brat(Path(name)):
            return [NamedFile(name, "")]
        found, root = _of_folder(Path(name)), name
    elif glob.has_magic(name) and not exists(name):
        # pathlib's own takes no absolute pattern.
        found = sorted(path for path in glob.glob(name, recursive=True) if not is_folder(path))  # noqa: PTH207
        root = str(Path(f"{name[: min(map(name.find, set(name) & _MAGIC))]}_").parent)
    elif is_alone:
        return [NamedFile(name, "")]
    else:
        found, root = [name], ""
    if not found:
        raise EventuneError(f"{name}: expected files, found none", "check the pattern or the folder")
    return [NamedFile(one, os.path.relpath(one, root) if is_alone and root else one) for one in found]


def _of_folder(folder: Path) -> list[str]:
    """Return the texts in a folder and below; where there is none, the files of records."""
    files: dict[bool, list[Path]] = {True: [], False: []}
    for path in files_below(folder, ""):
        suffix = suffix_of(path)
        if suffix == TEXT_SUFFIX or suffix in RECORD_SUFFIXES:
            files[suffix == TEXT_SUFFIX].append(path)
    return [str(path) for path in sorted(files[True] or files[False])]


def _of_url(url: str) -> list[str]:
    if not glob.has_magic(url):
        return [url]
    import fsspec

    try:
        system, path = fsspec.url_to_fs(url)
        return sorted(system.unstrip_protocol(found) for found in system.glob(path))
    except (ImportError, OSError, ValueError) as error:
        raise EventuneError(f"{url}: cannot be read: {first_line(error)}", URL_HINT) from None


def _size(name: str) -> int:
    """Return the bytes of a file on this machine; 0 where they are not known."""
    try:
        return 0 if name == STDIN or is_url(name) else Path(name).stat().st_size
    except OSError:
        return 0
