"""Files as they are stored: on this machine, behind a URL or on standard input, plain, or packed with gzip or zstd."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from eventune.corpora.encoding import HEAD_BYTES
from eventune.errors import EventuneError, first_line, require_library
from eventune.storage.paths import check_is_file

STDIN = "-"
PACKED_SUFFIXES = (".gz", ".zst")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_CHUNK_BYTES = 1 << 17
URL_HINT = "check the URL and who may read it"

Location = Path | str
"""Where something is stored: a path, or as text a URL or `-`."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An open file.

    Attributes:
        file: Its content, unpacked.
        stored: The file as it is stored.
    """

    file: io.BufferedReader
    stored: BinaryIO

    @property
    def position(self) -> int:
        """How many bytes of the stored file were read, about; 0 where that cannot be told."""
        try:
            return self.stored.tell()
        except OSError:
            return 0


def is_url(place: Location) -> bool:
    """Tell whether something is a URL that fsspec opens."""
    return isinstance(place, str) and "://" in place


def place_of(name: str) -> Location:
    """Return where something is, as a user names it."""
    return name if name == STDIN or is_url(name) else Path(name)


def suffix_of(place: Location) -> str:
    """Return the suffix that tells what a file holds, without that of its packing."""
    path = Path(place)
    return Path(path.stem).suffix if path.suffix in PACKED_SUFFIXES else path.suffix


def check_place(place: Location) -> None:
    """Make sure that there is a file to read.

    Raises:
        EventuneError: If there is none, or the URL cannot be asked.
    """
    if isinstance(place, Path):
        check_is_file(place)
    elif is_url(place):
        with _of_url(place):
            return


@contextmanager
def opened(place: Location) -> Iterator[Stream]:
    """Open a file to read its content, whatever it is packed with.

    Args:
        place: The file.

    Yields:
        The open file.

    Raises:
        EventuneError: If it cannot be opened, or its packing is damaged.
    """
    with _stored(place) as stored:
        try:
            yield Stream(_unpacked(stored, place), stored)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            found = first_line(error)
            raise EventuneError(f"{place}: expected whole gzip data, found: {found}", "copy the file anew") from None
        except OSError as error:
            raise EventuneError(f"{place}: cannot be read: {error.strerror or first_line(error)}") from None


@contextmanager
def _stored(place: Location) -> Iterator[BinaryIO]:
    if place == STDIN:
        reader = io.BufferedReader(cast("Any", sys.stdin.buffer), HEAD_BYTES)
        try:
            yield reader
        finally:
            # Who reads it is done with it, but it is not closed.
            with suppress(ValueError):
                reader.detach()
    elif is_url(place):
        with _of_url(place) as file:
            yield file
    else:
        check_is_file(Path(place))
        try:
            file = Path(place).open("rb", buffering=HEAD_BYTES)  # noqa: SIM115
        except OSError as error:
            raise EventuneError(f"{place}: cannot be read: {error.strerror}") from None
        with file:
            yield file


@contextmanager
def _of_url(place: Location) -> Iterator[BinaryIO]:
    import fsspec

    try:
        file = fsspec.open(str(place), "rb").open()
    except ImportError as error:
        raise EventuneError(f"{place}: {first_line(error)}", "install what fsspec asks for") from None
    except (OSError, ValueError) as error:
        raise EventuneError(f"{place}: cannot be read: {first_line(error)}", URL_HINT) from None
    with file:
        yield file


def _unpacked(stored: BinaryIO, place: Location) -> io.BufferedReader:
    """Return a stored file's content; what it is packed with is told by its first bytes."""
    packed: Any = stored if hasattr(stored, "peek") else io.BufferedReader(cast("Any", stored), HEAD_BYTES)
    head = packed.peek(len(_ZSTD))
    if head.startswith(_GZIP):
        return io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=packed)), HEAD_BYTES)
    if head.startswith(_ZSTD):
        return io.BufferedReader(_Zstd(packed, place), HEAD_BYTES)
    return cast("io.BufferedReader", packed)


class _Zstd(io.RawIOBase):
    """Unpacks frame after frame; unlike the library's own reader it tells when a frame is cut off."""

    def __init__(self, packed: BinaryIO, place: Location) -> None:
        self._library = require_library(
            "zstandard", f"{place}: zstd data needs zstandard, which is not installed", "pip install 'eventune[files]'"
        )
        self._packed, self._place = packed, place
        self._frame: Any = None
        self._waiting, self._ready = b"", b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack as much as there is room for."""
        while not self._ready and self._fill():
            pass
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _fill(self) -> bool:
        """Unpack some more; tell whether there was any."""
        packed = self._waiting or self._packed.read(_CHUNK_BYTES)
        self._waiting = b""
        if not packed:
            if self._frame is not None:
                raise EventuneError(f"{self._place}: expected whole zstd data, found its end cut off", "copy it anew")
            return False
        self._frame = self._frame or self._library.ZstdDecompressor().decompressobj()
        try:
            self._ready = self._frame.decompress(packed)
        except self._library.ZstdError as error:
            raise EventuneError(f"{self._place}: expected zstd data, found: {first_line(error)}") from None
        if self._frame.eof:
            self._waiting, self._frame = self._frame.unused_data, None
        return True
