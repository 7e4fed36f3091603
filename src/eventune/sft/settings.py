"""Settings of `eventune sft`, named as in transformers and ChatGLM2-6B's script, from flags, JSON or YAML."""

from __future__ import annotations

import argparse
import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from transformers import HfArgumentParser, IntervalStrategy

from eventune.backbones.placement import Placement
from eventune.errors import InvalidValueError, did_you_mean
from eventune.generation.arguments import DataTrainingArguments
from eventune.generation.generating import GenerationSettings
from eventune.recipe import raise_all
from eventune.sft.legacy import translate
from eventune.sft.sections import SamplingArguments, SftModelArguments, SftTrainingArguments
from eventune.storage.paths import reason_of
from eventune.training.trainer import ONE_DEVICE

SHARED_OUT = ("fsdp", "fsdp_config", "deepspeed")
"""Settings that share a model out over devices."""
_SWITCHES = ("true", "false")
SECTIONS: tuple[type, ...] = (SftModelArguments, DataTrainingArguments, SamplingArguments, SftTrainingArguments)


@dataclass(frozen=True)
class SftArguments:
    """Everything that decides a run.

    Attributes:
        model: The base model, and what is trained of it.
        data: The rows.
        generation: How responses are generated.
        training: How it is trained, and where the run goes.
        given: The settings that were given, by name, after translation.
    """

    model: SftModelArguments
    data: DataTrainingArguments
    generation: SamplingArguments
    training: SftTrainingArguments
    given: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        values: Mapping[str, Any],
        *,
        source: str = "settings",
        notice: Callable[[str], None] = lambda _: None,
    ) -> SftArguments:
        """Build the settings from flat values.

        Args:
            values: Setting by name; texts are converted to the setting's type.
            source: What an error message calls them.
            notice: Hears of older names that were translated.

        Returns:
            The settings.

        Raises:
            EventuneError: With every unknown, ill-typed and out-of-range setting at once.
        """
        actions = _actions()
        problems: list[InvalidValueError] = []
        values, notices = translate(_switched_off(values, actions, problems))
        given: dict[str, Any] = {}
        for name, value in values.items():
            if name not in actions:
                hint = did_you_mean(name, actions)
                problems.append(InvalidValueError(name, "a known setting", "an unknown one", hint))
                continue
            if value is None:
                continue
            try:
                given[name] = _converted(name, value, actions[name])
            except (ValueError, TypeError, argparse.ArgumentTypeError):
                problems.append(InvalidValueError(name, _expected(actions[name]), repr(value)))
        sections = _built(given, problems)
        raise_all(problems, source)
        made = cls(sections[0], sections[1], sections[2], sections[3], given)
        raise_all(made._generation_problems(), source)
        if notices:
            notice(f"{source}: {'; '.join(notices)}")
        return made

    @property
    def tasks(self) -> tuple[str, ...]:
        """What is done: `train`, `eval`, `predict`; where nothing is asked for, what there are files for."""
        # Not what the training arguments say: they take an eval_strategy for do_eval.
        asked = [name for name in ("train", "eval", "predict") if self.given.get(f"do_{name}")]
        if asked:
            return tuple(asked)
        data = self.data
        files = {
            "train": data.train_file,
            "eval": data.validation_file or data.dev_fraction,
            "predict": data.test_file or data.test_fraction,
        }
        return tuple(name for name, file in files.items() if file) or ("train",)

    @property
    def resumes(self) -> bool:
        """Whether an unfinished run is gone on with."""
        return self.training.resume_from_checkpoint not in {None, "", "false"}

    @property
    def generated_length(self) -> int:
        """Tokens of the longest response that is generated."""
        if self.data.val_max_target_length is None and self.training.generation_max_length:
            return self.training.generation_max_length
        return self.data.generated_length

    @property
    def checkpoints_activations(self) -> bool:
        """Whether activations are computed anew in the backward pass."""
        return bool(self.given.get("gradient_checkpointing") or self.given.get("activation_checkpointing"))

    @property
    def placement(self) -> Placement:
        """Where the model lies, and in what type; transformers' `use_cpu` is the device `cpu`."""
        return Placement.of("cpu" if self.given.get("use_cpu") else self.model.device, self.model.dtype)

    def generation_settings(self) -> GenerationSettings:
        """Return how responses are generated."""
        chosen = self.generation
        return GenerationSettings(
            max_new_tokens=self.generated_length,
            num_beams=self.data.num_beams or self.training.generation_num_beams or 1,
            do_sample=chosen.do_sample,
            temperature=chosen.temperature,
            top_p=chosen.top_p,
            top_k=chosen.top_k,
            repetition_penalty=chosen.repetition_penalty,
            seed=self.training.seed,
        )

    def _generation_problems(self) -> Iterator[InvalidValueError]:
        """Yield an error where responses could not be generated in the end, with settings of several sections."""
        try:
            self.generation_settings()
        except InvalidValueError as error:
            yield error

    def trainer_settings(self, checkpoints: Path, *, has_dev: bool) -> SftTrainingArguments:
        """Return the settings as `TaskTrainer` takes them.

        Args:
            checkpoints: Where checkpoints go.
            has_dev: Whether there are rows to evaluate on.
        """
        training = copy.copy(self.training)
        training.output_dir = str(checkpoints)
        training.remove_unused_columns = False
        training.label_names = []
        training.disable_tqdm = True
        training.restore_callback_states_from_checkpoint = True
        if training.metric_for_best_model == "perplexity" and "greater_is_better" not in self.given:
            training.greater_is_better = False
        training.dataloader_pin_memory = training.dataloader_pin_memory and self.placement.device.type == "cuda"
        if not has_dev:
            training.eval_strategy = IntervalStrategy.NO
            training.load_best_model_at_end = False
        return training

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that were given, without what only says how to start the run."""
        starting = {"overwrite_output_dir", "resume_from_checkpoint", "local_rank"}
        return {name: value for name, value in self.given.items() if name not in starting}

    def to_yaml(self) -> str:
        """Return the same as YAML."""
        return yaml.safe_dump(self.to_dict(), sort_keys=True, allow_unicode=True)


def setting_names() -> set[str]:
    """Return the names of all settings."""
    return set(_actions())


def _actions() -> dict[str, argparse.Action]:
    """Return the parser's actions, by the name of the setting."""
    parser = HfArgumentParser(cast(Any, SECTIONS))
    # Each switch has a second action, --no_NAME, of the same destination.
    options = parser._option_string_actions
    return {action.dest: action for name, action in options.items() if name == f"--{action.dest}"}


def _switched_off(
    values: Mapping[str, Any], actions: Mapping[str, argparse.Action], problems: list[InvalidValueError]
) -> dict[str, Any]:
    """Read `--no_NAME` as transformers' scripts do; what is neither true nor false is added to the problems."""
    negated = {name for name in values if name not in actions and name.removeprefix("no_") in actions}
    kept = {name: value for name, value in values.items() if name not in negated}
    for name in (name for name in values if name in negated):
        text = str(values[name]).lower()
        if text not in _SWITCHES:
            problems.append(InvalidValueError(name, "true or false", repr(values[name])))
        elif text == "true":
            kept[name.removeprefix("no_")] = False
    return kept


def _converted(name: str, value: Any, action: argparse.Action) -> Any:
    """Return a value in its setting's type; JSON and YAML have types of their own, flags have none."""
    if isinstance(value, dict):
        return value if action.type not in {int, float, None} else _refuse(value)
    if name == "lora_target_modules" and isinstance(value, list):
        return ",".join(map(str, value))
    if name.endswith("_strategy") and value is False:
        # YAML's reading of `no`.
        return "no"
    if name == "report_to" and isinstance(value, str):
        return value.split(",")
    if isinstance(value, list):
        if action.nargs not in {"+", "*"}:
            _refuse(value)
        return [found for one in value for found in _converted(name, one, action)]
    if name == "resume_from_checkpoint" and str(value).lower() in _SWITCHES:
        return str(value).lower()
    kind = cast("Callable[[str], Any]", action.type or str)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, bool) and kind in {int, float}:
        _refuse(value)
    found = kind(text)
    if action.choices and found not in action.choices:
        _refuse(value)
    return [found] if action.nargs in {"+", "*"} else found


def _refuse(value: Any) -> Any:
    raise ValueError(value)


def _expected(action: argparse.Action) -> str:
    if action.choices:
        return " or ".join(str(choice) for choice in action.choices)
    return {int: "an integer", float: "a number", str: "a text"}.get(cast(Any, action.type), "true or false")


def _built(given: Mapping[str, Any], problems: list[InvalidValueError]) -> Any:
    """Build the dataclasses; what is wrong with them is added to the problems."""
    built: list[Any] = []
    wrong = {problem.field for problem in problems}
    for section in SECTIONS:
        own = {f.name: given[f.name] for f in dataclasses.fields(section) if f.name in given}
        if section is SftTrainingArguments:
            if not own.get("output_dir") and "output_dir" not in wrong:
                problems.append(InvalidValueError("output_dir", "a folder for the run", "nothing"))
            shared = [name for name in SHARED_OUT if own.pop(name, None)]
            problems += [InvalidValueError(name, "nothing", "a setting", ONE_DEVICE) for name in shared]
            own |= {"output_dir": own.get("output_dir") or "unused"}
            own.setdefault("use_cpu", _is_on_cpu(built))
            # Ours is set on the model itself, before adapters are attached.
            own.pop("gradient_checkpointing", None)
            own.pop("activation_checkpointing", None)
        # Of these, transformers' own alone may be mappings.
        nested = [n for n, value in own.items() if isinstance(value, dict) and section is not SftTrainingArguments]
        problems += [InvalidValueError(name, "one value", repr(own[name])) for name in nested]
        if nested:
            continue
        try:
            part = section(**own)
        except OSError as error:
            reason = f"{error.filename!r}: {reason_of(error)}"
            name = next((name for name, value in own.items() if value == error.filename), "training")
            problems.append(InvalidValueError(name, "a file that can be read", reason))
            continue
        except (ValueError, TypeError, ImportError, RuntimeError) as error:
            problems.append(InvalidValueError("training", "settings that fit together", " ".join(str(error).split())))
            continue
        if hasattr(part, "problems"):
            problems += [problem for problem in part.problems() if problem.field not in wrong]
        built.append(part)
    return built


def _is_on_cpu(built: list[Any]) -> bool:
    model = next((part for part in built if isinstance(part, SftModelArguments)), None)
    if model is None:
        return True
    try:
        return Placement.of(model.device).is_cpu
    except InvalidValueError:
        return True  # what is wrong with the device is said by its own check
