"""What the files of a checkpoint may say: a run directory may be a stranger's, an unfinished one too.

What this training would write in their place says what is right: a training that goes on has the same settings.
"""

from __future__ import annotations

import codecs
import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le, Len, Lt
from pydantic import AfterValidator
from torch import Tensor
from torch.optim import Optimizer
from transformers import TrainerState

from eventune.errors import EventuneError, InvalidValueError
from eventune.storage.json_files import read_json
from eventune.storage.text_files import read_bytes
from eventune.storage.validation import read_settings

TRAINER_STATE = "trainer_state.json"
_MERSENNE_WORDS = 624
_MOST_STEPS = 2**53
_MOST_NUMBER = 2**63
_TIMES = ("train_seconds", "tokens_per_second")
_MEMORY = ("peak_memory_bytes", "baseline_memory_bytes")
"""What the meter tells of an epoch; of an accelerator that nothing lies on yet the memory is 0."""


def damaged(path: Path, where: str, expected: str, found: Any) -> InvalidValueError:
    """Return the error for a checkpoint that no training like this one wrote."""
    hint = f"remove {path.parent} to go on without it, or copy the whole run directory anew"
    return InvalidValueError(f"{path}: {where}", expected, str(found)[:100], hint)


def _position(words: list[int]) -> list[int]:
    if words[-1] > _MERSENNE_WORDS:
        raise ValueError(f"a position of {_MERSENNE_WORDS} at the most, as the last number")
    return words


def _figures(figures: dict[str, float]) -> dict[str, float]:
    wanted = {"loss", "logged_step", *(("tokens", "first_step") if "seconds" in figures else ())}
    if lacking := wanted - figures.keys():
        raise ValueError(f"the figure {min(lacking)}")
    if wrong := [name for name, value in figures.items() if name != "loss" and not 0 <= value < math.inf]:
        raise ValueError(f"finite figures, not less than 0, e.g. as {wrong[0]}")
    return figures


@dataclass(frozen=True, slots=True)
class ProcessState:
    """Where one process stood.

    Attributes:
        python_random: State of Python's random generator.
        numpy_random: What of NumPy's state is no array.
        figures: What is being counted within the epoch, by name.
    """

    python_random: tuple[
        Literal[3],
        Annotated[
            list[Annotated[int, Ge(0), Lt(2**32)]],
            Len(_MERSENNE_WORDS + 1, _MERSENNE_WORDS + 1),
            AfterValidator(_position),
        ],
        float | None,
    ]
    numpy_random: tuple[Literal["MT19937"], Annotated[int, Ge(0), Le(_MERSENNE_WORDS)], Literal[0, 1], float]
    figures: Annotated[dict[str, float], AfterValidator(_figures)]


@dataclass(frozen=True, slots=True)
class States:
    """A checkpoint's `states.json`; checkpoints of earlier versions had no `processes`."""

    param_groups: list[dict[str, Any]]
    scheduler: dict[str, Any]
    processes: tuple[ProcessState, ...] = ()


def _log(entry: dict[str, float]) -> dict[str, float]:
    if not 0 <= entry.get("epoch", -1) <= _MOST_STEPS:
        raise ValueError("an epoch")
    if "train_seconds" in entry:
        if wrong := [name for name in _TIMES if not 0 < entry.get(name, 0) < math.inf]:
            raise ValueError(f"a number > 0 as {wrong[0]}")
        if wrong := [name for name in _MEMORY if not 0 <= entry.get(name, -1) < math.inf]:
            raise ValueError(f"a number >= 0 as {wrong[0]}")
        if not 0 < entry.get("epoch_share", 1.0) <= 1:
            raise ValueError("an epoch_share in (0, 1]")
    return entry


@dataclass(frozen=True, kw_only=True)
class _TrainerState:
    """A checkpoint's `trainer_state.json`; the names are those of transformers' `TrainerState`."""

    epoch: Annotated[float, Ge(0), Le(_MOST_STEPS)]
    global_step: Annotated[int, Ge(1), Le(_MOST_STEPS)]
    max_steps: int = 0
    logging_steps: float = 0
    eval_steps: float = 0
    save_steps: float = 0
    train_batch_size: int | None = None
    num_train_epochs: int = 0
    num_input_tokens_seen: float = 0
    total_flos: float = 0.0
    log_history: list[Annotated[dict[str, float], AfterValidator(_log)]]
    best_metric: float | None = None
    best_global_step: int | None = None
    best_model_checkpoint: Annotated[str, Len(1, 4_096)] | None = None
    is_local_process_zero: bool = True
    is_world_process_zero: bool = True
    is_hyper_param_search: bool = False
    trial_name: None = None
    trial_params: None = None
    stateful_callbacks: dict[str, Any]


def check_trainer_state(folder: Path, callbacks: Mapping[str, Any]) -> None:
    """Refuse a checkpoint whose `trainer_state.json` transformers would stumble over, or obey in what is not there.

    Args:
        folder: The checkpoint.
        callbacks: States of the callbacks of the training that goes on, by their class.

    Raises:
        EventuneError: If a field is missing, unknown, or not as it must be; it names the field.
    """
    path = folder / TRAINER_STATE
    if read_bytes(path).startswith(codecs.BOM_UTF8):
        raise damaged(path, "its beginning", "JSON", "a byte order mark")
    known = {each.name for each in fields(TrainerState)}
    if unknown := read_json(path).keys() - known:
        raise damaged(path, min(unknown)[:100], "no such field", "it")
    state = read_settings(path, _TrainerState, finite=False)
    for name in callbacks.keys() & state.stateful_callbacks.keys():
        require_like(path, f"stateful_callbacks.{name}", callbacks[name], state.stateful_callbacks[name])


def require_like(path: Path, where: str, own: Any, found: Any) -> None:
    """Refuse a value that is of another kind than what this training would write there.

    Args:
        path: The file.
        where: Place of the value in it.
        own: What this training would write at its beginning.
        found: What is there.

    Raises:
        InvalidValueError: If kinds, names or lengths differ; or texts, which are settings.
    """
    if isinstance(own, Mapping):
        if not isinstance(found, dict) or found.keys() != own.keys():
            raise damaged(path, where, f"the fields {', '.join(map(str, own))}", found)
        for name in own:
            require_like(path, f"{where}.{name}", own[name], found[name])
    elif isinstance(own, list | tuple):
        if not isinstance(found, list) or len(found) != len(own):
            raise damaged(path, where, f"{len(own)} values", found)
        for number, (one, other) in enumerate(zip(own, found, strict=True)):
            require_like(path, f"{where}[{number}]", one, other)
    elif isinstance(own, bool) or not isinstance(own, int | float):
        if type(found) is not type(own) or (isinstance(own, str) and own != found):
            raise damaged(path, where, "true or false" if isinstance(own, bool) else str(own), found)
    elif isinstance(found, bool) or not isinstance(found, int | float) or not _is_bounded(found, own):
        raise damaged(path, where, "a number", found)


def _is_bounded(found: float, own: float) -> bool:
    return -_MOST_NUMBER < found < _MOST_NUMBER or (isinstance(found, float) and not math.isfinite(own))


def require_moments(path: Path, optimizer: Optimizer, states: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Refuse an optimiser's state of other parameters, or of another optimiser.

    Args:
        path: The file.
        optimizer: The optimiser, with the parameters that are trained.
        states: What is there, by number of the parameter.

    Raises:
        InvalidValueError: If names or shapes are not those of this optimiser.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    kinds: dict[int, dict[str, tuple[int, ...]]] = {}
    for number, state in states.items():
        if not 0 <= number < len(parameters):
            raise damaged(path, str(number), f"a parameter's number below {len(parameters)}", number)
        parameter = parameters[number]
        if parameter.ndim not in kinds:
            kinds[parameter.ndim] = _state_of(optimizer, parameter)
        own = kinds[parameter.ndim]
        if state.keys() != own.keys():
            raise damaged(path, str(number), ", ".join(own), ", ".join(state))
        for name, tensor in state.items():
            shape = tuple(parameter.shape[size - 2] if size > 1 else size for size in own[name])
            if tuple(tensor.shape) != shape:
                raise damaged(path, f"{number}.{name}", f"the shape {shape}", tuple(tensor.shape))
            if tensor.ndim == 0 and not 0 <= float(tensor) < _MOST_STEPS:
                raise damaged(path, f"{number}.{name}", "a finite number, not less than 0", float(tensor))


def _state_of(optimizer: Optimizer, parameter: Tensor) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of what an optimiser keeps of a parameter whose sizes are 2, 3 and so on."""
    small = torch.zeros(tuple(range(2, 2 + parameter.ndim)), dtype=parameter.dtype, device=parameter.device)
    small.requires_grad_().grad = torch.zeros_like(small)
    options = inspect.signature(type(optimizer)).parameters
    fresh = type(optimizer)([small], **{n: value for n, value in optimizer.defaults.items() if n in options})
    fresh.step()
    return {name: tuple(torch.as_tensor(value).shape) for name, value in fresh.state[small].items()}


def is_known(optimizer: Optimizer) -> bool:
    """Tell whether an optimiser keeps of a small parameter what it keeps of a large one, as torch's do."""
    return type(optimizer).__module__.startswith(("torch.", "transformers."))


def require_names(path: Path, own: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Refuse tensors of other names or shapes than this training's.

    Raises:
        EventuneError: If they differ; it names one that does.
    """
    wrong = sorted(own.keys() ^ found.keys())
    wrong += [name for name in own.keys() & found.keys() if own[name].shape != found[name].shape]
    if wrong:
        raise EventuneError(
            f"{path}: expected this model's {len(own)} tensors, found others, e.g. {wrong[0][:100]}",
            f"remove {path.parent} to go on without it",
        )
