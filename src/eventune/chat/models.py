"""A base model and the runs that were trained on it, ready to talk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, repeat
from pathlib import Path

from torch import nn

from eventune.adapters.bank import AdapterBank
from eventune.adapters.configuration import read_adapter_fields
from eventune.adapters.methods import ADAPTER_CONFIG
from eventune.adapters.sharing import can_share
from eventune.adapters.store import load_into, recorded_bits, weights_file
from eventune.backbones.arguments import AUTO
from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.chatglm.detection import UnconvertedModelError
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel, resolve
from eventune.chat.session import ChatModel, ChatSession
from eventune.errors import EventuneError
from eventune.generation.generating import GenerationSettings
from eventune.generation.templates import set_template
from eventune.runs.opening import RecordedBase
from eventune.storage.paths import exists, expanded, is_file, is_folder
from eventune.storage.text_files import read_text
from eventune.storage.validation import read_settings
from eventune.training.run_directory import BASE, EXTRACTOR, GENERATOR

BASE_NAME = "base"
"""What the model without an adapter is called."""
_TEMPLATE = "chat_template.jinja"


@dataclass(frozen=True, slots=True)
class _Prompted:
    """What of a run's `generator.json` a conversation needs."""

    source_prefix: str = ""


class ChatModels:
    """What can answer: the base, and each run on it.

    Runs that cannot share a base have one of their own each; where there are no others, the base itself is loaded when
    it is first asked.

    Attributes:
        tokenizer: Their tokenizer, with a chat template.
        max_length: The most tokens they read and write at once.
    """

    def __init__(self, base: BaseModel, runs: Mapping[str, Path], placement: Placement) -> None:
        """Load the runs, and the base where it has to answer.

        Args:
            base: The base.
            runs: Folder of each run, by the name it is called.
            placement: Where they lie, and in what type.

        Raises:
            EventuneError: If one cannot be loaded, or is another base's.
        """
        _check(runs, base)
        template = _template(runs)
        self._load = partial(load_causal_lm, base, dtype=placement.dtype_of_causal_lm(is_frozen=True))
        self._device = placement.device
        sharing = [run for run in runs.values() if can_share(run)]
        self._bits = max(map(recorded_bits, sharing), default=0)
        lm = self._load()
        self.tokenizer, self.max_length = lm.tokenizer, lm.max_length
        set_template(self.tokenizer, str(template) if template else "auto")
        model: nn.Module = lm.model
        needs_base = bool(sharing) or not runs
        if needs_base:
            self._base = model.to(self._device)
        fresh = chain(() if needs_base else (model,), (load().model for load in repeat(self._load)))
        self._chat_models = {BASE_NAME: ChatModel(self._base_alone)}
        for name, run in runs.items():
            if can_share(run):
                self._bank.add(name, run)
                activated: Callable[[], AbstractContextManager[nn.Module]] = partial(self._adapted, name)
            else:
                # A prefix or weights of the base's own: these change the model itself, so each gets one.
                activated = ChatModel.of(load_into(next(fresh), run).to(self._device)).activated
            self._chat_models[name] = ChatModel(activated, _source_prefix(run))

    def session(self, settings: GenerationSettings, *, system: str = "") -> ChatSession:
        """Begin a conversation; see `ChatSession`."""
        return ChatSession(self._chat_models, self.tokenizer, settings, max_length=self.max_length, system=system)

    @cached_property
    def _base(self) -> nn.Module:
        model: nn.Module = self._load().model
        return model.to(self._device)

    @cached_property
    def _bank(self) -> AdapterBank:
        return AdapterBank(self._base, quantization_bit=self._bits)

    @contextmanager
    def _base_alone(self) -> Iterator[nn.Module]:
        if self._bank.model is None:
            yield self._base
            return
        with self._bank.model.disable_adapter():
            yield self._bank.model

    @contextmanager
    def _adapted(self, name: str) -> Iterator[nn.Module]:
        yield self._bank.use(name)


def open_chat_models(
    model: str,
    adapters: Mapping[str, Path],
    *,
    model_name_or_path: str | None = None,
    device: str = AUTO,
    dtype: str = AUTO,
) -> ChatModels:
    """Load a model, or the base of a run, with runs on it.

    Args:
        model: A folder, a packaged model, a hub id, or the directory of a run.
        adapters: Folder of each run, by the name it is called.
        model_name_or_path: Where the base of a run is, if not where the run says.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: Type of the base's weights, or `auto`.

    Returns:
        All that can answer.

    Raises:
        EventuneError: If something is not there or does not fit.
    """
    placement = Placement.of(device, dtype)
    folder = expanded(model)
    name, revision = base_of(folder)
    if not name:
        return ChatModels(resolve(model), adapters, placement)
    try:
        base = resolve(model_name_or_path or name, revision=revision, may_download=model_name_or_path is not None)
    except UnconvertedModelError:
        raise
    except EventuneError as error:
        raise EventuneError(
            f"{folder} was trained on {name!r}: {error.message}",
            f"if that is elsewhere on this machine, or is to be downloaded: eventune chat MODEL --adapter {folder}, or "
            f"eventune serve {folder} --model_name_or_path MODEL",
        ) from error
    own = adapter_name(folder)
    if own in adapters:
        raise EventuneError(f"--adapter: {own!r} is the run {folder} already", f"e.g. --adapter other={adapters[own]}")
    return ChatModels(base, {own: folder, **adapters}, placement)


def adapter_name(run: Path) -> str:
    """Return what a run is called that was given no name: its folder's, as far as a name may be so."""
    name = re.sub(r"[^\w-]", "_", expanded(run).absolute().name or "run")
    is_name = name.replace("-", "_").isidentifier() and name != BASE_NAME
    return name if is_name else f"run_{name}"


def base_of(folder: Path) -> tuple[str, str]:
    """Return name and revision of the base that a folder's weights were trained on; empty for a model of its own.

    Args:
        folder: The directory of a run, an adapter's folder, or any other path.

    Raises:
        EventuneError: If it is a run that extracts arguments.
    """
    if is_file(folder / BASE):
        if is_file(folder / EXTRACTOR):
            raise EventuneError(
                f"{folder}: expected a causal LM or a run on one, found a run that extracts arguments",
                f'eventune extract {folder} --text "…"',
            )
        recorded = RecordedBase.read(folder)
        return recorded.name_or_path, recorded.revision
    if is_file(folder / ADAPTER_CONFIG) and not is_file(folder / "config.json"):
        fields = read_adapter_fields(folder)
        return fields.base_model_name_or_path or "", fields.revision or ""
    return "", ""


def _source_prefix(run: Path) -> str:
    path = run / GENERATOR
    return read_settings(path, _Prompted).source_prefix if exists(path) else ""


def _template(runs: Mapping[str, Path]) -> Path | None:
    """Return the chat template that the runs were trained with; None where none brings its own."""
    found = [path for path in (run / _TEMPLATE for run in runs.values()) if exists(path)]
    for path in found:
        if read_text(path) != read_text(found[0]):
            raise EventuneError(
                f"{found[0].parent} and {path.parent} were trained with different chat templates, so they cannot share "
                "a conversation",
                "talk to one after the other",
            )
    return found[0] if found else None


def _check(runs: Mapping[str, Path], base: BaseModel) -> None:
    """Find out before the model is loaded, which may take minutes, whether the runs are there and are the base's."""
    digest = base.sha256() if any(exists(run / BASE) for run in runs.values()) else ""
    for name, run in runs.items():
        if not is_folder(run):
            raise EventuneError(f"adapter {name}: no such run: {run}", "give a run directory of eventune sft")
        if not is_file(weights_file(run)):
            raise EventuneError(
                f"adapter {name}: expected a finished run, found no {weights_file(run).name} in {run}",
                "give a run directory of eventune sft, or a checkpoint in one",
            )
        if not exists(run / BASE):
            continue
        recorded = RecordedBase.read(run)
        if recorded.sha256 != digest:
            raise EventuneError(
                f"adapter {name}: {run} was trained on {recorded.name_or_path!r}, whose weights are not those "
                f"of {base.name!r}",
                f"eventune chat {run}",
            )
