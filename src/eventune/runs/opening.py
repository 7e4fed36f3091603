"""From a run directory to its task and its model, on a base of its own or on one that carries several runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, cast

from annotated_types import Len
from pydantic import Field
from torch import nn

from eventune.adapters.methods import method_named
from eventune.adapters.sharing import SharedBase, can_share
from eventune.adapters.store import load_into, recorded_bits, weights_file
from eventune.backbones.backbone import Backbone
from eventune.backbones.load import require_known_tokens
from eventune.backbones.placement import Placement, move
from eventune.backbones.resolve import BaseModel, resolve
from eventune.corpora import read_ontology
from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.runs.shipped import located
from eventune.storage.json_files import read_json
from eventune.storage.paths import is_file
from eventune.storage.validation import read_settings
from eventune.tasks.ensemble import Ensemble
from eventune.tasks.protocol import UNTRAINED, AnnotatingTask, RunTask
from eventune.tasks.registry import TASKS, TaskEntry, task_named
from eventune.tasks.steps import ARGUMENTS
from eventune.training import run_directory as names
from eventune.training.run_directory import ENSEMBLE, EVENTS, EXTRACTOR, GENERATOR, RunDirectory


@dataclass(frozen=True, slots=True)
class RecordedBase:
    """What a run's `base.json` holds.

    Attributes:
        name_or_path: The base's name when the run was trained.
        sha256: Hash of its weights.
        revision: Its revision on the hub.
    """

    name_or_path: Annotated[str, Len(1, 4096)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    revision: Annotated[str, Len(0, 256)] = ""

    @classmethod
    def read(cls, folder: Path) -> RecordedBase:
        """Read a run's `base.json`."""
        return read_settings(folder / names.BASE, cls)

    def require(self, base: BaseModel, where: str, hint: str) -> None:
        """Refuse a base whose weights are not those that the run was trained on.

        Args:
            base: The base.
            where: How the error begins: the setting and the run.
            hint: What to do.

        Raises:
            EventuneError: If they are others.
        """
        if self.sha256 != base.sha256():
            raise EventuneError(
                f"{where} was trained on {self.name_or_path!r}, whose weights are not those of {base.name!r}", hint
            )


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A complete run, whose weights are not loaded yet.

    Attributes:
        directory: The run directory.
        entry: Its task.
        settings: What its settings file holds, checked.
    """

    directory: RunDirectory
    entry: TaskEntry
    settings: Any

    def base(self, model_name_or_path: str | None = None) -> BaseModel:
        """Find the base model; see `recorded_base`."""
        return recorded_base(self.directory.path, model_name_or_path)


def open_run(run: Path) -> OpenRun:
    """Read a run's settings.

    Args:
        run: The run directory, or the name of a run that comes with the package.

    Returns:
        The run.

    Raises:
        EventuneError: If the run is unfinished, or lacks a file.
        InvalidValueError: If its settings are not as they must be.
    """
    run = located(run)
    directory = RunDirectory(run)
    settings_file = next((name for name in (GENERATOR, EVENTS, ENSEMBLE) if is_file(run / name)), EXTRACTOR)
    # The base of a run that is made of others is theirs.
    directory.require(settings_file, *(() if settings_file in {EVENTS, ENSEMBLE} else (names.BASE,)))
    # Runs of 0.1.0 that extract spans do not say so.
    entry = task_named(str(read_json(run / settings_file).get("task", "extraction")), settings_file)
    task = entry.load()
    settings = read_settings(run / settings_file, task.Settings)
    trained = settings.method != UNTRAINED and not entry.holds_runs
    weights = method_named(settings.method, settings_file).files if trained else ()
    directory.require(*weights, *task.files(settings))
    if weights and weights_file(run).name not in weights:
        raise EventuneError(
            f"{run}: expected {' and '.join(weights)} of method {settings.method}, found {weights_file(run).name} too",
            "copy the whole run directory anew",
        )
    expected = getattr(settings, "ontology_bytes", 0)
    if expected and (found := (run / names.ONTOLOGY).stat().st_size) < expected:
        raise EventuneError(
            f"{run / names.ONTOLOGY}: expected {expected} bytes, found {found}: the file was cut off",
            "copy the whole run directory anew; if you shortened it yourself, correct ontology_bytes in "
            f"{settings_file}",
        )
    return OpenRun(directory, entry, settings)


def open_run_with(run: Path, trait: str) -> OpenRun:
    """Open a run whose task has a trait; of one that was made in steps, the step that finds arguments.

    Raises:
        EventuneError: If there is no such run, or its task does not have it.
    """
    opened = open_run(run)
    if opened.entry.steps:
        opened = open_run(opened.directory.path / ARGUMENTS)
    if trait not in opened.entry.traits:
        known = " or ".join(name for name, entry in TASKS.items() if trait in entry.traits)
        raise EventuneError(
            f"{run}: expected a run with task: {known}, found one with task: {opened.entry.name}",
            "eventune train makes such runs; of one with task: events the step that finds arguments is taken",
        )
    return opened


def recorded_base(folder: Path, model_name_or_path: str | None = None) -> BaseModel:
    """Find the base model of a run.

    Args:
        folder: The run directory, or a folder with a `base.json`.
        model_name_or_path: Where it is on this machine, if not where `base.json` says.

    Raises:
        EventuneError: If it is not there, or its weights are not those that the run was trained on.
    """
    recorded = RecordedBase.read(folder)
    # A run may be a stranger's: what is named in it is looked for on this machine and nowhere else.
    base = resolve(
        model_name_or_path or recorded.name_or_path,
        revision=recorded.revision,
        may_download=model_name_or_path is not None,
    )
    if base.sha256() != recorded.sha256:
        raise EventuneError(
            f"base model {base.name}: its weights are not those that the run in {folder} was trained on "
            f"(sha256 {base.sha256()[:12]}…, expected {recorded.sha256[:12]}…)",
            f"give the right one with --model_name_or_path (the run was trained on {recorded.name_or_path!r})",
        )
    return base


class LoadedBase:
    """A base model in memory, which carries the runs that are loaded on it.

    Attributes:
        backbone: The base.
        placement: Where it lies.
    """

    def __init__(self, backbone: Backbone, placement: Placement, *, dtype: str, quantization_bit: int) -> None:
        self.backbone, self.placement = backbone, placement
        self._dtype, self._bits = dtype, quantization_bit
        self._shared = SharedBase(backbone.model, quantization_bit=quantization_bit)

    @classmethod
    def of(cls, opened: OpenRun, base: BaseModel, placement: Placement) -> LoadedBase:
        """Load the base of a run, with the run's tokenizer."""
        folder, dtype = opened.directory.path, _dtype(opened, placement)
        backbone = opened.entry.load().load_backbone(base, opened.settings, dtype=dtype, tokenizer_folder=folder)
        move(backbone.model, placement.device)
        return cls(backbone, placement, dtype=dtype, quantization_bit=recorded_bits(folder))

    def load(self, task: RunTask, folder: Path) -> nn.Module:
        """Build a task's model around the base and read its trained weights."""
        model, anatomy = task.build_model(self.backbone)
        return self._shared.load(model.to(self.placement.device), folder, anatomy=anatomy).eval()

    @contextmanager
    def active(self, model: nn.Module) -> Iterator[nn.Module]:
        """Let the base compute with one model's adapter while the block lasts."""
        with self._shared.use(model):
            yield model

    def fits(self, opened: OpenRun) -> bool:
        """Tell whether a run can be loaded on this base."""
        try:
            self.require_fits(opened)
        except EventuneError:
            return False
        return True

    def require_fits(self, opened: OpenRun) -> None:
        """Refuse a run that was trained on another base, or whose training changed the base's own weights.

        Raises:
            EventuneError: If it cannot be loaded on this base.
        """
        folder = opened.directory.path
        recorded = RecordedBase.read(folder)
        recorded.require(self.backbone.base, str(folder), "load it without base")
        found = (_dtype(opened, self.placement), recorded_bits(folder))
        if found != (self._dtype, self._bits) or not can_share(folder):
            raise EventuneError(
                f"{folder}: expected an adapter of a base in {self._dtype}, quantised to {self._bits or 'no'} bits; "
                f"found method {opened.settings.method} on one in {found[0]}, {found[1] or 'no'} bits",
                "load it without base",
            )


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """A run in memory.

    Attributes:
        task: Its task.
        model: Its model, in evaluation mode.
        base: The base that it shares with others; None where it has its own.
        dtype: Type of the base's weights.
    """

    task: RunTask
    model: nn.Module
    base: LoadedBase | None
    dtype: str

    def for_ontology(self, ontology: Ontology) -> LoadedRun:
        """Return the same model, with a task that has the types and roles of another ontology; see `AnnotatingTask`."""
        return replace(self, task=cast("AnnotatingTask", self.task).for_ontology(ontology))

    @contextmanager
    def active(self) -> Iterator[nn.Module]:
        """Give the model, ready to compute, while the block lasts."""
        if self.base is None:
            yield self.model
        else:
            with self.base.active(self.model):
                yield self.model


def load_run(
    opened: OpenRun,
    *,
    base: LoadedBase | None = None,
    model_name_or_path: str | None = None,
    placement: Placement,
    batch_size: int,
) -> LoadedRun:
    """Load a run's weights.

    Args:
        opened: The run.
        base: A base in memory to load it on; by default it is loaded, too.
        model_name_or_path: Where the base is on this machine, if not where the run says.
        placement: Where the model goes.
        batch_size: Inputs a batch.

    Returns:
        The run, ready for use.

    Raises:
        EventuneError: If a file is missing, damaged or of another model, or the base is not the run's.
    """
    folder, settings, task_class = opened.directory.path, opened.settings, opened.entry.load()
    if opened.entry.settings_file == ENSEMBLE:
        return _load_ensemble(opened, base, model_name_or_path, placement, batch_size)
    dtype = _dtype(opened, base.placement if base else placement)
    if base is not None:
        base.require_fits(opened)
        backbone = require_known_tokens(replace(base.backbone, tokenizer=task_class.load_tokenizer(folder)), folder)
    elif settings.method != UNTRAINED and can_share(folder):
        base = LoadedBase.of(opened, opened.base(model_name_or_path), placement)
        backbone = base.backbone
    else:
        backbone = task_class.load_backbone(
            opened.base(model_name_or_path), settings, dtype=dtype, tokenizer_folder=folder
        )
    task = task_class.from_run(folder, settings, backbone, batch_size=batch_size)
    if base is not None:
        return LoadedRun(task, base.load(task, folder), base, dtype)
    model, anatomy = task.build_model(backbone)
    if settings.method != UNTRAINED:
        model = load_into(model, folder, anatomy=anatomy)
    return LoadedRun(task, model.to(placement.device).eval(), None, dtype)


def _load_ensemble(
    opened: OpenRun, base: LoadedBase | None, model_name_or_path: str | None, placement: Placement, batch_size: int
) -> LoadedRun:
    members = load_members(
        member_folders(opened),
        base=base,
        model_name_or_path=model_name_or_path,
        placement=placement,
        batch_size=batch_size,
    )
    ontology = read_ontology(opened.directory.path / names.ONTOLOGY)
    # It is never trained: of a `RunTask` it has what annotates.
    task: Any = Ensemble(members, opened.settings, ontology)
    return LoadedRun(task, nn.ModuleList(member.model for member in members), None, members[0].dtype)


def member_folders(opened: OpenRun) -> list[Path]:
    """Return the run directories of an ensemble's members."""
    folder = opened.directory.path / names.MEMBERS
    return [folder / str(number) for number in range(1, opened.settings.members + 1)]


def load_members(
    folders: Sequence[Path],
    *,
    base: LoadedBase | None = None,
    model_name_or_path: str | None = None,
    placement: Placement,
    batch_size: int,
) -> list[LoadedRun]:
    """Load runs with task: extraction, those on one base on the same one; arguments and errors as for `load_run`.

    The base at `model_name_or_path` is that of the runs that were trained on it; the others' are where they say.
    """
    bases, members = [base] if base else [], []
    for folder in folders:
        member = open_run(folder)
        shared = next((each for each in bases if each.fits(member)), None)
        loaded = load_run(
            member,
            base=shared,
            model_name_or_path=model_name_or_path if _is_base_of(member, model_name_or_path) else None,
            placement=placement,
            batch_size=batch_size,
        )
        if shared is None and loaded.base is not None:
            bases.append(loaded.base)
        members.append(loaded)
    return members


def _is_base_of(member: OpenRun, model_name_or_path: str | None) -> bool:
    if model_name_or_path is None:
        return False
    return resolve(model_name_or_path).sha256() == RecordedBase.read(member.directory.path).sha256


def _dtype(opened: OpenRun, placement: Placement) -> str:
    return placement.dtype_of_run(opened.settings.dtype)
