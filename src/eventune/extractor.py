"""From a run directory to an extractor: documents in, documents with arguments out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.store import files_of, load_into, weights_file
from eventune.backbones.load import Backbone, load_encoder, load_tokenizer
from eventune.backbones.resolve import BaseModel, resolve
from eventune.corpora import read_ontology
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Ontology
from eventune.events.naming import natural_name
from eventune.extraction.decoding import Margins
from eventune.extraction.kinds import VARIANTS
from eventune.extraction.task import ExtractionTask
from eventune.generative_extractor import EXAMPLES, PROMPT, UNTRAINED, GenerativeAnnotator, GenerativeSettings
from eventune.training import run_directory as names
from eventune.training.run_directory import RunDirectory

BACKBONE = "encoder"
"""Name of the pretrained encoder inside the joint extractor."""

SETTINGS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "extractor": (" or ".join(VARIANTS), lambda value: type(value) is str and value in VARIANTS),
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


class Annotator(Protocol):
    """Finds the arguments of documents' events.

    Attributes:
        ontology: The event types and roles that it knows.
    """

    ontology: Ontology

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int], None] | None = None
    ) -> list[Document]:
        """Return the documents with the arguments found in place of their own."""
        ...


class EncoderAnnotator:
    """Annotates documents with the spans that an encoder scores best.

    Attributes:
        ontology: The event types and roles that it knows.
    """

    def __init__(self, model: nn.Module, task: ExtractionTask, margins: Margins) -> None:
        self.ontology: Ontology = task.ontology
        self._model, self._task, self._margins = model.eval(), task, margins

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int], None] | None = None
    ) -> list[Document]:
        """Return the documents with the arguments found in place of their own."""
        part = self._task.encode(documents)
        return self._task.annotate(self._task.rank(self._model, part, on_batch=on_batch), part, self._margins)


class Extractor:
    """A trained extractor, ready for use.

    Attributes:
        annotator: What finds the arguments.
        ontology: The event types and roles that it knows.
        fingerprint: Twelve hexadecimal digits that another run's extractor does not have.
    """

    def __init__(self, annotator: Annotator, *, fingerprint: str) -> None:
        self.annotator = annotator
        self.ontology: Ontology = annotator.ontology
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
        load = _generative if isinstance(opened.settings, GenerativeSettings) else _encoding
        return cls(load(opened, batch_size), fingerprint=_fingerprint(opened.directory))

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
            on_batch: Called with the number of windows, or of questions, after each batch.

        Returns:
            The documents in the same order, with the arguments found.
        """
        return self.annotator.annotate(documents, on_batch=on_batch)


def _encoding(opened: OpenRun, batch_size: int) -> Annotator:
    folder, settings = opened.directory.path, opened.settings
    kind = VARIANTS[settings["extractor"]]
    span_length = settings["max_span_length"]
    model = build_model(opened.base, folder, kind=settings["extractor"], max_span_length=span_length)
    builder = kind.builder(
        load_tokenizer(BaseModel(opened.base.name, folder)),
        read_ontology(folder / names.ONTOLOGY),
        max_length=settings["max_length"],
        max_span_length=span_length,
    )
    return EncoderAnnotator(model, kind.task(builder, batch_size=batch_size), Margins(**settings["margins"]))


def _generative(opened: OpenRun, batch_size: int) -> Annotator:
    folder = opened.directory.path
    ontology = read_ontology(folder / names.ONTOLOGY)
    return GenerativeAnnotator.load(folder, ontology, opened.settings, opened.base, batch_size=batch_size)


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A complete run and its base model.

    Attributes:
        directory: The run directory.
        settings: What its extractor was made with: `GenerativeSettings`, or those of an encoder by name.
        base: The base model, whose weights are those that the run was trained on.
    """

    directory: RunDirectory
    settings: Any
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
    is_generative = isinstance(settings, GenerativeSettings)
    method = settings.method if is_generative else settings["method"]
    directory.require(*(files_of(method) if method != UNTRAINED else ()))
    if is_generative:
        directory.require(PROMPT, *([EXAMPLES] if settings.num_examples else []))
    return OpenRun(directory, settings, recorded_base(directory, model_name_or_path))


def recorded_base(directory: RunDirectory, model_name_or_path: str | None = None) -> BaseModel:
    """Find the base model of a run.

    Args:
        directory: The run.
        model_name_or_path: Where it is on this machine, if not where the run's `base.json` says.

    Raises:
        EventuneError: If it is not there, or its weights are not those that the run was trained on.
    """
    recorded = directory.read(names.BASE, "name_or_path", "revision", "sha256")
    base = resolve(model_name_or_path or recorded["name_or_path"], revision=recorded["revision"])
    if base.sha256() != recorded["sha256"]:
        raise EventuneError(
            f"base model {base.name}: its weights are not those that the run in {directory.path} was trained on "
            f"(sha256 {base.sha256()[:12]}…, expected {recorded['sha256'][:12]}…)",
            f"give the right one with --model_name_or_path (the run was trained on {recorded['name_or_path']!r})",
        )
    return base


def _read_settings(directory: RunDirectory) -> Any:
    if directory.read(names.EXTRACTOR).get("task") == "generation":
        return GenerativeSettings.of(directory.read(names.EXTRACTOR), directory.path / names.EXTRACTOR)
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
    digest = hashlib.sha256()
    others = (names.EXTRACTOR, names.BASE, names.ONTOLOGY, PROMPT, EXAMPLES)
    for path in (weights_file(directory.path), *(directory.path / name for name in others)):
        # A causal LM that was not trained has no weights of its own, and an encoder has no prompt.
        if path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


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
        kind: The extractor, one of `VARIANTS`.

    Returns:
        The model, in evaluation mode.

    Raises:
        EventuneError: If a file is missing, damaged or of another model.
    """
    backbone = load_encoder(base)
    model: nn.Module = VARIANTS[kind].model(backbone.model, max_span_length=max_span_length)
    anatomy = anatomy_of_extractor(model, backbone)
    return load_into(model, folder, anatomy=anatomy).eval()
