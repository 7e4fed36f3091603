"""Chooses a rate for each arm on the dev part, every arm with the same number of trials.

LoRA wants about ten times the learning rate of full fine-tuning: one rate for all would compare rates, not methods.
"""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from eventune.comparison.arms import Arm, recipe_of
from eventune.comparison.execution import make_run
from eventune.comparison.kinds import kind_of
from eventune.comparison.plan import Run, require_same
from eventune.errors import EventuneError, InvalidValueError, require_library
from eventune.storage.locks import locked
from eventune.storage.paths import make_folder

TUNING = "tuning"
DATABASE = "tuning.db"
RANGES: Mapping[str, tuple[float, float]] = {
    "learning_rate": (1e-5, 1e-2),
    "head_learning_rate": (1e-5, 1e-2),
    "loraplus_lr_ratio": (1.0, 32.0),
}
"""What can be tuned, and between what; all are searched on a logarithmic scale."""
_FAILED = "failed"
SEED = 0
"""All trials have this seed, and the test part plays no role in the choice."""


class _FailedTrialError(EventuneError):
    """A trial's run ended with an error: the trial counts, and others are made."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What tuning found for an arm.

    Attributes:
        settings: The best values.
        measure: What was looked at on the dev part.
        dev: What they reached there.
        trials: How many were made.
        failed: How many of them failed.
    """

    settings: dict[str, float]
    measure: str
    dev: float
    trials: int
    failed: int

    def to_dict(self) -> dict[str, Any]:
        """Return what was found as JSON values."""
        found = {"settings": self.settings, f"dev_{self.measure}": self.dev}
        return {**found, "trials": self.trials, "failed": self.failed}


def tune(
    base: Mapping[str, Any],
    arm: Arm,
    names: tuple[str, ...],
    *,
    trials: int,
    output_dir: Path,
    notice: Callable[[str], None] = lambda _: None,
    make: Callable[[Run], str] | None = None,
) -> Tuned:
    """Find the settings' values that are best on the dev part; trials that are there are not made again.

    Args:
        base: The settings that all arms share; there must be a dev part.
        arm: The arm.
        names: The settings, of `RANGES`.
        trials: How many are tried, all with the same seed and without looking at the test part.
        output_dir: The comparison's folder.
        notice: Hears that another comparison is tuning in the same folder, which is waited for.
        make: Makes a run; by default in a process of its own, after any other process that is at it.

    Returns:
        The best values.

    Raises:
        EventuneError: If Optuna is missing, a setting cannot be tuned, there is no dev part, every trial failed, or
            trials that are there were made with other settings.
    """
    optuna = _optuna()
    require_tunable(base, arm, names, output_dir)
    make_folder(output_dir)
    with locked(output_dir / DATABASE, wait=notice):
        return _tuned(optuna, base, arm, names, trials, output_dir, make or partial(make_run, wait=True))


def _tuned(
    optuna: Any,
    base: Mapping[str, Any],
    arm: Arm,
    names: tuple[str, ...],
    trials: int,
    output_dir: Path,
    make: Callable[[Run], str],
) -> Tuned:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kind = kind_of(base)
    study = optuna.create_study(
        storage=f"sqlite:///{output_dir / DATABASE}",
        study_name=f"{arm.name} {' '.join(names)} {_digest(base, arm, names, output_dir)}",
        direction=kind.direction,
        load_if_exists=True,
    )
    # With the same seed, the trials of a study that goes on would be drawn as its first ones were.
    seed = SEED + len(study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(2, trials // 2))
    state = optuna.trial.TrialState
    _try_again(study, state)

    def on_dev(trial: Any) -> float:
        values = {name: trial.suggest_float(name, *RANGES[name], log=True) for name in names}
        try:
            return _on_dev(_trial(base, arm, values, output_dir), make)
        except _FailedTrialError as error:
            trial.set_user_attr(_FAILED, error.message)
            raise

    done = [trial for trial in study.trials if trial.state == state.COMPLETE or _FAILED in trial.user_attrs]
    study.optimize(on_dev, n_trials=max(0, trials - len(done)), catch=(_FailedTrialError,))
    finished = study.get_trials(states=(state.COMPLETE,))
    if not finished:
        raise EventuneError(f"arm {arm.name}: all {trials} trials failed", f"see {output_dir / TUNING / arm.folder}")
    failed = [trial for trial in study.trials if _FAILED in trial.user_attrs]
    return Tuned(dict(study.best_params), kind.dev_measure, float(study.best_value), len(finished), len(failed))


def require_tunable(base: Mapping[str, Any], arm: Arm, names: tuple[str, ...], output_dir: Path) -> None:
    """Make sure that settings of an arm can be tuned.

    Args:
        base: The settings that all arms share.
        arm: The arm.
        names: The settings.
        output_dir: The comparison's folder.

    Raises:
        EventuneError: If one cannot be tuned, or is none that the arm reads, or the arm has no dev part.
    """
    kind = kind_of(base)
    tunable = [name for name in RANGES if name in kind.names()]
    unknown = next((name for name in names if name not in tunable), None)
    if unknown is not None:
        raise InvalidValueError("tune", " or ".join(tunable), repr(unknown))
    tried = Arm(arm.name, {**arm.settings, **{name: RANGES[name][0] for name in names}})
    # Without the settings of trials, which ask for a dev part.
    if not kind.has_part(recipe_of(base, tried, output_dir=str(output_dir)), "dev"):
        message = f"arm {arm.name}: tune: expected a dev part, found none"
        raise EventuneError(message, f"give {kind.dev_file} or dev_fraction")


def _digest(base: Mapping[str, Any], arm: Arm, names: tuple[str, ...], output_dir: Path) -> str:
    """Return what tells the studies of different settings apart."""
    settings = _trial(base, arm, {name: RANGES[name][0] for name in names}, output_dir).recipe.to_dict()
    told = {name: value for name, value in settings.items() if name != "output_dir"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _try_again(study: Any, state: Any) -> None:
    """Put the values of trials that were interrupted or killed at the head of the queue; their runs go on."""
    ended = [trial.params for trial in study.trials if trial.state == state.COMPLETE or _FAILED in trial.user_attrs]
    for trial in study.get_trials(states=(state.RUNNING, state.FAIL)):
        if trial.params not in ended and _FAILED not in trial.user_attrs:
            study.enqueue_trial(trial.params, skip_if_exists=False)
            ended.append(trial.params)
        if trial.state == state.RUNNING:
            study.tell(trial.number, state=state.FAIL)


def _trial(base: Mapping[str, Any], arm: Arm, values: Mapping[str, float], output_dir: Path) -> Run:
    """Return the run that tries some values."""
    kind = kind_of(base)
    label = ",".join(f"{name}={value:.9g}" for name, value in values.items())
    folder = output_dir / TUNING / arm.folder / label
    tried = Arm(arm.name, {**arm.settings, **kind.trial, **values})
    recipe = recipe_of(base, tried, seed=SEED, output_dir=str(folder / "run"))
    return Run(arm, SEED, "", folder, kind, recipe)


def _on_dev(run: Run, make: Callable[[Run], str]) -> float:
    """Make a trial's run, or find it, and return what it reached."""
    require_same(run)
    make(run)
    result = run.result()
    if result is None:
        raise _FailedTrialError(run.error())
    reached = float(result.scores["dev"]["metrics"][run.kind.dev_measure])
    if not math.isfinite(reached):
        raise _FailedTrialError(f"{run.kind.dev_measure} on the dev part is {reached}")
    return reached


def _optuna() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return require_library(
            "optuna", "tune: expected optuna, which is not installed", "pip install 'eventune[tune]'"
        )
