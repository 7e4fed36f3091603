"""Settings of `eventune sft`: transformers' and the notes' names, from flags, JSON or YAML, checked all at once."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import torch
import yaml
from transformers import HfArgumentParser, IntervalStrategy, Seq2SeqTrainingArguments

from eventune.adapters.arguments import AdapterArguments
from eventune.errors import EventuneError, InvalidValueError, did_you_mean
from eventune.generation.arguments import DataTrainingArguments
from eventune.recipe import read_settings
from eventune.sft.legacy import translate


@dataclass(kw_only=True)
class ModelArguments:
    """The base model, and what is trained of it: a prefix with pre_seq_len, LoRA with lora_r, else everything."""

    model_name_or_path: str = field(
        default="smollm2", metadata={"help": "A folder, a packaged model such as smollm2, or a hub id"}
    )
    model_revision: str = field(default="main", metadata={"help": "Revision on the hub"})
    ptuning_checkpoint: str | None = field(
        default=None, metadata={"help": "Finished run or checkpoint to go on from, or to evaluate, with do_train off"}
    )
    quantization_bit: int | None = field(default=None, metadata={"help": "QLoRA: the base in 4 or 8 bits"})
    pre_seq_len: int | None = field(default=None, metadata={"help": "P-tuning v2 with so many learned positions"})
    prefix_projection: bool = field(default=False, metadata={"help": "Compute them by a small network"})
    lora_r: int | None = field(default=None, metadata={"help": "LoRA of this rank"})
    lora_alpha: int | None = field(default=None, metadata={"help": "LoRA's scale is lora_alpha / lora_r; 2 lora_r"})
    lora_dropout: float = field(default=0.0, metadata={"help": "Dropout before LoRA's A"})
    lora_target_modules: str = field(
        default="auto",
        metadata={"help": "auto (all projections), attention-qv, attention, mlp, names with commas, a regex"},
    )
    use_rslora: bool = field(default=False, metadata={"help": "Scale by lora_alpha / sqrt(lora_r)"})
    use_dora: bool = field(default=False, metadata={"help": "Learn the weights' magnitude beside their direction"})
    init_lora_weights: str = field(default="default", metadata={"help": "default, gaussian, orthogonal, olora, pissa"})
    loraplus_lr_ratio: float = field(default=1.0, metadata={"help": "LoRA+: B's learning rate over A's"})
    torch_dtype: Literal["auto", "float32", "bfloat16", "float16"] = field(
        default="auto", metadata={"help": "Type of the frozen base; auto: bfloat16 on a GPU that has it, else float32"}
    )

    def adapter(self) -> AdapterArguments:
        """Return what is trained, in the notes' order: pre_seq_len, then lora_r, else the whole model."""
        method = "prefix" if self.pre_seq_len else "lora" if self.lora_r else "full"
        rank = self.lora_r or 8
        names = [name.strip() for name in self.lora_target_modules.split(",")]
        are_names = len(names) > 1 and all(re.fullmatch(r"[\w.]+", name) for name in names)
        return AdapterArguments(
            method=method,
            lora_r=rank,
            lora_alpha=self.lora_alpha or 2 * rank,
            lora_dropout=self.lora_dropout,
            lora_target_modules=names if are_names else self.lora_target_modules,
            use_rslora=self.use_rslora,
            use_dora=self.use_dora,
            init_lora_weights=self.init_lora_weights,
            loraplus_lr_ratio=self.loraplus_lr_ratio,
            pre_seq_len=self.pre_seq_len or 32,
            prefix_projection=self.prefix_projection,
            quantization_bit=self.quantization_bit or 0,
        )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        for name in ("pre_seq_len", "lora_r", "lora_alpha"):
            value = getattr(self, name)
            if value is not None and value < 1:
                yield InvalidValueError(name, "an integer >= 1", str(value))
        if self.quantization_bit and not (self.lora_r and not self.pre_seq_len):
            yield InvalidValueError("quantization_bit", "0 without lora_r", str(self.quantization_bit))
        elif all((value or 1) >= 1 for value in (self.pre_seq_len, self.lora_r, self.lora_alpha)):
            yield from self.adapter().problems()


@dataclass(kw_only=True)
class GenerationArguments:
    """How responses are generated; greedily unless told otherwise."""

    do_sample: bool = field(default=False, metadata={"help": "Draw tokens in place of taking the likeliest; seeded"})
    temperature: float = field(default=1.0, metadata={"help": "Flattens (above 1) or sharpens what is drawn from"})
    top_p: float = field(default=1.0, metadata={"help": "Draw from the likeliest tokens of this total probability"})
    top_k: int = field(default=0, metadata={"help": "Draw from so many tokens; 0 for all"})
    repetition_penalty: float = field(default=1.0, metadata={"help": "Above 1: less of what was said already"})


@dataclass(kw_only=True)
class SftTrainingArguments(Seq2SeqTrainingArguments):
    """Training; transformers' own settings."""

    overwrite_output_dir: bool = field(default=False, metadata={"help": "Remove an earlier run in output_dir first"})
    resume_from_checkpoint: str | None = field(
        default=None, metadata={"help": "true: go on from the last checkpoint in output_dir; or a checkpoint's folder"}
    )
    report_to: str = field(default="none", metadata={"help": "tensorboard, wandb, mlflow …; several with commas"})
    seed: int = field(default=42, metadata={"help": "Seed of the adapter, dropout, and the data's order"})
    save_strategy: str = field(default="steps", metadata={"help": "no, steps or epoch"})


SECTIONS: tuple[type, ...] = (ModelArguments, DataTrainingArguments, GenerationArguments, SftTrainingArguments)


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

    model: ModelArguments
    data: DataTrainingArguments
    generation: GenerationArguments
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
        values, notices = translate(values)
        actions = _actions()
        problems: list[InvalidValueError] = []
        given: dict[str, Any] = {}
        for name, value in values.items():
            if name not in actions:
                hint = did_you_mean(name, actions)
                problems.append(InvalidValueError(name, "a known setting", "an unknown one", hint))
                continue
            try:
                given[name] = _converted(name, value, actions[name])
            except (ValueError, TypeError, argparse.ArgumentTypeError):
                problems.append(InvalidValueError(name, _expected(actions[name]), repr(value)))
        sections = _built(given, problems)
        if problems:
            lines = [f"{problem.message}{f' ({problem.hint})' if problem.hint else ''}" for problem in problems]
            if len(lines) == 1:
                raise EventuneError(f"{source}: {lines[0]}")
            raise EventuneError(
                f"{source}: {len(lines)} settings are wrong:\n" + "\n".join(f"  {one}" for one in lines)
            )
        if notices:
            notice(f"{source}: {'; '.join(notices)}")
        return cls(sections[0], sections[1], sections[2], sections[3], given)

    @property
    def tasks(self) -> tuple[str, ...]:
        """What is done: `train`, `eval`, `predict`; where nothing is asked for, what there are files for."""
        asked = [name for name in ("train", "eval", "predict") if getattr(self.training, f"do_{name}")]
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
        return self.training.resume_from_checkpoint not in {None, "", "false", "False"}

    @property
    def dtype(self) -> str:
        """The type of the base's weights; full fine-tuning keeps float32, whose updates are not lost to rounding."""
        if self.model.torch_dtype != "auto":
            return self.model.torch_dtype
        has_bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
        return "bfloat16" if has_bf16 and self.model.adapter().method != "full" else "float32"

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
        training.dataloader_pin_memory = training.dataloader_pin_memory and torch.cuda.is_available()
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
    return {action.dest: action for action in parser._actions if action.dest != "help"}


def _converted(name: str, value: Any, action: argparse.Action) -> Any:
    """Return a value in its setting's type; JSON and YAML have types of their own, flags have none."""
    if value is None or isinstance(value, dict):
        return value
    if isinstance(value, list):
        return [_converted(name, one, action) for one in value] if action.nargs in {"+", "*"} else _refuse(value)
    if name == "resume_from_checkpoint" and isinstance(value, bool):
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
    built = []
    wrong = {problem.field for problem in problems}
    for section in SECTIONS:
        own = {f.name: given[f.name] for f in dataclasses.fields(section) if f.name in given}
        if section is SftTrainingArguments:
            if not own.get("output_dir") and "output_dir" not in wrong:
                problems.append(InvalidValueError("output_dir", "a folder for the run", "nothing"))
            own |= {"output_dir": own.get("output_dir") or "unused"}
            own.setdefault("use_cpu", not torch.cuda.is_available())
            own["report_to"] = str(own.get("report_to", "none")).split(",")
        try:
            part = section(**own)
        except (ValueError, TypeError, ImportError, RuntimeError) as error:
            problems.append(InvalidValueError("training", "settings that fit together", " ".join(str(error).split())))
            continue
        if hasattr(part, "problems"):
            problems += [problem for problem in part.problems() if problem.field not in wrong]
        built.append(part)
    return built


def read_sft_settings(path: Path) -> dict[str, Any]:
    """Read settings from a JSON or YAML file.

    Args:
        path: The file.

    Returns:
        Setting by name.

    Raises:
        EventuneError: If the file is missing or is no flat mapping.
    """
    if path.suffix != ".json":
        return read_settings(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EventuneError(f"{path}: no such file of settings") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise EventuneError(f"{path}: expected JSON, found: {error}") from None
    if not isinstance(values, dict):
        raise EventuneError(f"{path}: expected an object with settings, found {type(values).__name__}")
    return values


def read_flags(words: Sequence[str]) -> dict[str, Any]:
    """Read `--name value`, `--name=value` and `--name` alone, which switches on, as transformers' scripts do.

    Args:
        words: The command line after the verb and the file of settings.

    Returns:
        Setting by name, as text, a list of texts, or True.

    Raises:
        EventuneError: If a word belongs to no flag.
    """
    values: dict[str, Any] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            flag, equals, value = word.removeprefix("--").partition("=")
            flag = flag.replace("-", "_")
            values[flag] = value if equals else True
            name = "" if equals else flag
        elif not name:
            raise EventuneError(f"expected --setting value, found {word!r}", "settings files end in .json or .yaml")
        elif values[name] is True:
            values[name] = word
        else:
            values[name] = [*(values[name] if isinstance(values[name], list) else [values[name]]), word]
    return values
