"""From a run directory to an extractor: documents in, documents with arguments out."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from torch import nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.store import files_of, load_into, weights_file
from eventune.backbones.load import Backbone, load_encoder, load_tokenizer
from eventune.backbones.resolve import BaseModel, resolve
from eventune.corpora import AUTO, Losses, iter_corpus, lines_of, read_ontology
from eventune.corpora.registry import format_named
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Ontology
from eventune.extraction.decoding import Margins
from eventune.extraction.kinds import KINDS
from eventune.extraction.prompts import natural_name
from eventune.extraction.task import ExtractionTask
from eventune.training import run_directory as names
from eventune.training.run_directory import RunDirectory

BACKBONE = "encoder"
"""Name of the pretrained encoder inside the joint extractor."""

_logger = logging.getLogger(__name__)
CHUNK_DOCUMENTS = 256
"""Documents that are extracted together: enough for batches of like length, few enough to be done again."""

SETTINGS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "extractor": (" or ".join(KINDS), lambda value: type(value) is str and value in KINDS),
    "method": ("a name", lambda value: type(value) is str),
    "max_length": ("an integer >= 1", lambda value: type(value) is int and value >= 1),
    "max_span_length": ("an integer >= 1", lambda value: type(value) is int and value >= 1),
    "margins": (
        "the numbers first and further",
        lambda value: (
            type(value) is dict
            and value.keys() == {"first", "further"}
            and all(type(margin) in (int, float) for margin in value.values())
        ),
    ),
}
"""What the extractor's settings file must hold: each field's description and check."""

OPTIONAL = {"extractor": "joint"}
"""Settings that runs of earlier versions lack."""


class Extractor:
    """A trained extractor, ready for use.

    Attributes:
        ontology: The event types and roles that it knows.
        fingerprint: Twelve hexadecimal digits that another run's extractor does not have.
    """

    def __init__(self, model: nn.Module, task: ExtractionTask, margins: Margins, *, fingerprint: str) -> None:
        self._model = model.eval()
        self._task = task
        self._margins = margins
        self.ontology: Ontology = task.ontology
        self.fingerprint = fingerprint

    @classmethod
    def load(cls, run: Path | str, *, model_name_or_path: str | None = None, batch_size: int = 32) -> Extractor:
        """Load a run.

        Args:
            run: The run directory.
            model_name_or_path: Where the base model is on this machine, if not where the run's `base.json` says.
            batch_size: Events a batch.

        Returns:
            The extractor.

        Raises:
            EventuneError: If the run is unfinished or lacks a file, or the base is not the one it was trained on.
        """
        if batch_size < 1:
            raise InvalidValueError("batch_size", "an integer >= 1", str(batch_size))
        opened = open_run(Path(run), model_name_or_path=model_name_or_path)
        directory, settings, base = opened.directory, opened.settings, opened.base
        model = build_model(
            base,
            directory.path,
            kind=settings["extractor"],
            max_span_length=settings["max_span_length"],
        )
        kind = KINDS[settings["extractor"]]
        builder = kind.builder(
            load_tokenizer(BaseModel(base.name, directory.path)),
            read_ontology(directory.path / names.ONTOLOGY),
            max_length=settings["max_length"],
            max_span_length=settings["max_span_length"],
        )
        return cls(
            model,
            kind.task(builder, batch_size=batch_size),
            Margins(**settings["margins"]),
            fingerprint=_fingerprint(directory),
        )

    def extract(self, document: Document) -> Document:
        """Find the arguments of a document's events.

        Args:
            document: A document whose events have a type and a trigger; arguments that they have are not looked at.

        Returns:
            The document with the arguments found, each with its probability.

        Raises:
            EventuneError: If an event's type is not in the ontology, nor one word of exactly one of its types.
        """
        named = [replace(event, type=find_type(self.ontology, event.type)) for event in document.events]
        return self.extract_all([document.with_events(named)])[0]

    def extract_all(
        self, documents: Sequence[Document], *, on_batch: Callable[[int], None] | None = None
    ) -> list[Document]:
        """Find the arguments of many documents' events, in batches of like length.

        Args:
            documents: The documents; events of a type that the ontology lacks get no arguments.
            on_batch: Called with the number of windows after each batch.

        Returns:
            The documents in the same order, with the arguments found.
        """
        part = self._task.encode(documents)
        return self._task.annotate(self._task.rank(self._model, part, on_batch=on_batch), part, self._margins)


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A complete run and its base model.

    Attributes:
        directory: The run directory.
        settings: What its extractor was made with.
        base: The base model, whose weights are those that the run was trained on.
    """

    directory: RunDirectory
    settings: dict[str, Any]
    base: BaseModel


def open_run(run: Path, *, model_name_or_path: str | None = None) -> OpenRun:
    """Read a run's settings and find its base model.

    Args:
        run: The run directory.
        model_name_or_path: Where the base model is on this machine, if not where the run's `base.json` says.

    Returns:
        The run; its weights are not loaded yet.

    Raises:
        EventuneError: If the run is unfinished or lacks a file, or the base is not the one it was trained on.
    """
    directory = RunDirectory(run)
    directory.require(names.EXTRACTOR, names.BASE, names.ONTOLOGY)
    settings = _read_settings(directory)
    recorded = directory.read(names.BASE, "name_or_path", "revision", "sha256")
    directory.require(*files_of(settings["method"]))
    base = resolve(model_name_or_path or recorded["name_or_path"], revision=recorded["revision"])
    if base.sha256() != recorded["sha256"]:
        raise EventuneError(
            f"base model {base.name}: its weights are not those that the run in {directory.path} was trained on "
            f"(sha256 {base.sha256()[:12]}…, expected {recorded['sha256'][:12]}…)",
            f"give the right one with --model_name_or_path (the run was trained on {recorded['name_or_path']!r})",
        )
    return OpenRun(directory, settings, base)


def extract_file(
    extractor: Extractor,
    source: Path,
    target: Path,
    *,
    format: str = AUTO,
    output_format: str = "jsonl",
    on_documents: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Extract from a corpus of any size into a file; an interrupted extraction goes on where it stopped.

    Documents are written as they are done to a file beside the target, which takes the target's name at the end.

    Args:
        extractor: The extractor.
        source: The corpus.
        target: The file to write; must not exist yet.
        format: Format of the corpus.
        output_format: Format of the file, one with a record a line.
        on_documents: Called with the number of documents after each chunk.

    Returns:
        Counts: `documents`, `events`, `arguments`, `resumed` documents, events of `unknown_types`.

    Raises:
        EventuneError: If the corpus cannot be read, the target exists, or it cannot be written.
    """
    if target.exists():
        raise EventuneError(f"{target}: exists already", "choose another file, or remove it")
    counts = dict.fromkeys(("documents", "events", "arguments", "resumed", "unknown_types"), 0)
    chunks = _chunks(iter_corpus(source, format))
    losses = Losses()
    with _partial(target, extractor.fingerprint) as file:
        for chunk in chunks:
            found = _written(file, chunk, output_format)
            if found:
                counts["resumed"] += len(chunk)
            else:
                found = extractor.extract_all(chunk)
                lines = [line for document in found for line in lines_of(document, output_format, losses=losses)]
                file.write("".join(f"{line}\n" for line in lines).encode())
                file.flush()
            events = [event for document in found for event in document.events]
            counts["documents"] += len(chunk)
            counts["events"] += len(events)
            counts["arguments"] += sum(len(event.arguments) for event in events)
            counts["unknown_types"] += sum(event.type not in extractor.ontology for event in events)
            if on_documents is not None:
                on_documents(len(chunk))
    if losses:
        _logger.warning("%s: %s has no place for all, left out: %s", target, output_format, losses)
    return counts


@contextmanager
def _partial(target: Path, fingerprint: str) -> Iterator[BinaryIO]:
    """Open the file beside the target that an extraction writes to, or began to; at the end it becomes the target."""
    partial = target.with_name(f"{target.name}.{fingerprint}.partial")
    try:
        with partial.open("a+b") as file:
            file.seek(0)
            yield file
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise EventuneError(
            f"{target}: cannot be written: {error.strerror}", "choose another place, or free some space"
        ) from None
    finally:
        if partial.is_file() and not partial.stat().st_size:
            partial.unlink()


def _read_settings(directory: RunDirectory) -> dict[str, Any]:
    settings = {**OPTIONAL, **directory.read(names.EXTRACTOR, *(SETTINGS.keys() - OPTIONAL.keys()))}
    for name, (expected, is_valid) in SETTINGS.items():
        if not is_valid(settings[name]):
            raise InvalidValueError(
                f"{directory.path / names.EXTRACTOR}: {name}",
                expected,
                json.dumps(settings[name], ensure_ascii=False),
                "copy the whole run directory anew, or train again with this version",
            )
    return settings


def _fingerprint(directory: RunDirectory) -> str:
    with weights_file(directory.path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update((directory.path / names.EXTRACTOR).read_bytes())
    return digest.hexdigest()[:12]


def _chunks(documents: Iterable[Document]) -> Iterator[tuple[Document, ...]]:
    stream = iter(documents)
    while chunk := tuple(islice(stream, CHUNK_DOCUMENTS)):
        yield chunk


def _written(file: BinaryIO, chunk: Sequence[Document], output_format: str) -> list[Document]:
    """Read back what an interrupted extraction wrote of a chunk.

    A chunk is taken over whole or not at all: its batches, and so the last digits of its scores, are then the same as
    without the interruption.

    Args:
        file: The file, at the chunk's first line.
        chunk: The documents of the corpus.
        output_format: Format of the file.

    Returns:
        The documents, one a line; none if not all of them are there, in which case the file ends before them.

    Raises:
        EventuneError: If the file is an extraction from another corpus.
    """
    start = file.tell()
    read = format_named(output_format).read
    written = []
    for document in chunk:
        for expected in lines_of(document, output_format):
            line = file.readline()
            if not line.endswith(b"\n"):
                file.truncate(start)
                file.seek(start)
                return []
            try:
                again = read(json.loads(line))
            except (ValueError, InvalidValueError):
                again = None
            if again is None or _questions(again) != _questions(read(json.loads(expected))):
                raise EventuneError(
                    f"{file.name}: expected what an interrupted extraction from the same corpus wrote, found a line "
                    f"that is not document {document.id!r}",
                    "remove it, or choose another output file",
                )
            written.append(again)
    return written


def _questions(document: Document) -> tuple[Any, ...]:
    """What an extraction does not change: the words, and the events' types and triggers."""
    return document.words, [(event.type, event.trigger) for event in document.events]


def find_type(ontology: Ontology, name: str) -> str:
    """Return the event type that a name means: the type itself, or the only one that has it as a word.

    Args:
        ontology: The ontology.
        name: A type's name, or one word of it, such as `attack` for `conflict.attack`.

    Returns:
        The type's name in the ontology.

    Raises:
        EventuneError: If no type has it, or several have.
    """
    if name in ontology:
        return name
    having = [known for known in ontology.types if name.lower() in natural_name(known)]
    if len(having) > 1:
        raise EventuneError(
            f"event type {name!r} means several of the ontology's", f"choose one: {', '.join(having[:12])}"
        )
    return having[0] if having else ontology[name].name


def anatomy_of_extractor(model: nn.Module, backbone: Backbone) -> Anatomy:
    """Return an extractor's backbone and heads, with what the base's checkpoint lacks among them."""
    new = [f"{BACKBONE}.{name}" for name in backbone.new_modules]
    return anatomy_of(model, backbones=(BACKBONE,), new_modules=new)


def build_model(base: BaseModel, folder: Path, *, max_span_length: int, kind: str = "joint") -> nn.Module:
    """Build an extractor on its base and read the trained weights.

    Args:
        base: The base model.
        folder: The folder with the trained weights: a PEFT adapter with heads, or the whole model's.
        max_span_length: Words of the longest argument.
        kind: The extractor, one of `KINDS`.

    Returns:
        The model, in evaluation mode.

    Raises:
        EventuneError: If a file is missing, damaged or of another model.
    """
    backbone = load_encoder(base)
    model: nn.Module = KINDS[kind].model(backbone.model, max_span_length=max_span_length)
    anatomy = anatomy_of_extractor(model, backbone)
    return load_into(model, folder, anatomy=anatomy).eval()
