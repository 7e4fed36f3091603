"""Models without their weights: from a configuration alone, or from a class of the user's own."""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig

from eventune.backbones.quiet import quiet
from eventune.backbones.resolve import BaseModel, is_own_class, resolve_config
from eventune.errors import EventuneError, did_you_mean, first_line

TASKS = {
    "base": "AutoModel",
    "causal-lm": "AutoModelForCausalLM",
    "masked-lm": "AutoModelForMaskedLM",
    "seq2seq-lm": "AutoModelForSeq2SeqLM",
    "token-classification": "AutoModelForTokenClassification",
    "sequence-classification": "AutoModelForSequenceClassification",
    "question-answering": "AutoModelForQuestionAnswering",
}
"""What a model of transformers can be built for, and the class that builds it."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A model on the meta device.

    Attributes:
        model: The model; its parameters have shapes and no values.
        new_modules: Modules that the checkpoint lacks; None where there is no checkpoint to compare with.
    """

    model: nn.Module
    new_modules: tuple[str, ...] | None


def load_skeleton(name: str, *, task: str = "", revision: str = "") -> Skeleton:
    """Build a model without its weights.

    Args:
        name: A folder, a `config.json`, a packaged alias, a hub id, or `module:Class` of the user's own, which is
            looked for in the working directory too.
        task: One of `TASKS`; by default the class that the configuration names, or the bare model.
        revision: Revision on the hub.

    Returns:
        The skeleton.

    Raises:
        EventuneError: If the name leads nowhere, the architecture is unknown to transformers, or it has no model for
            the task.
    """
    if is_own_class(name):
        return Skeleton(_own_model(name), None)
    base = resolve_config(name, revision=revision)
    config = _read_config(base)
    model_class = _class_of(config, task)
    try:
        with quiet():
            if base.weights:
                # With the weights' names alone; transformers knows how they map to the model's.
                model, report = model_class.from_pretrained(
                    base.folder, config=config, device_map="meta", output_loading_info=True, trust_remote_code=False
                )
                missing = {key.rpartition(".")[0] for key in report["missing_keys"]}
                return Skeleton(model, tuple(module for module, _ in model.named_modules() if module in missing))
            with torch.device("meta"):
                build = getattr(model_class, "from_config", None) or model_class._from_config
                return Skeleton(build(config), None)
    except Exception as error:  # each architecture refuses what it cannot be in its own way
        reason = f"no {model_class.__name__} can be built: {first_line(error)}"
        raise EventuneError(f"{name}: {reason}", "try another --task") from error


def _own_model(name: str) -> nn.Module:
    module_name, _, class_name = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        with redirect_stdout(sys.stderr):
            module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        raise EventuneError(
            f"{name}: the module {module_name!r} cannot be imported: {type(error).__name__}: {error}",
            "run the command where the module is, or install it",
        ) from error
    finally:
        sys.path.pop(0)
    make = getattr(module, class_name, None)
    if not callable(make):
        known = [key for key, value in vars(module).items() if isinstance(value, type) and issubclass(value, nn.Module)]
        raise EventuneError(
            f"{name}: {module_name} has no class or function {class_name!r}",
            did_you_mean(class_name, known) or f"it has: {', '.join(known) or 'no nn.Module'}",
        )
    # What the user's code prints is no part of the result.
    with redirect_stdout(sys.stderr):
        model = _built(make, name)
    if not isinstance(model, nn.Module):
        raise EventuneError(f"{name}: expected an nn.Module, found {type(model).__name__}")
    return model


def _built(make: Any, name: str) -> Any:
    try:
        with torch.device("meta"):
            return make()
    except (Exception, SystemExit):  # the class may load weights, or compute with them, which the meta device cannot
        try:
            return make()
        except (Exception, SystemExit) as error:  # whatever the user's own code raises
            raise EventuneError(
                f"{name}: it cannot be made without arguments: {type(error).__name__}: {first_line(error)}",
                "write a function that makes it, and name that: module:function",
            ) from error


def _read_config(base: BaseModel) -> PreTrainedConfig:
    path = base.folder / "config.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EventuneError(f"{path}: expected JSON, found: {error}") from error
    model_type = values.get("model_type", "") if isinstance(values, dict) else ""
    if model_type not in CONFIG_MAPPING:
        code = "; the folder wants its own code to be run, which eventune never does" * ("auto_map" in values)
        raise EventuneError(
            f"{path}: expected a model_type of transformers {transformers.__version__}, found {model_type!r}{code}",
            did_you_mean(str(model_type), CONFIG_MAPPING.keys()),
        )
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(path.parent, trust_remote_code=False)
    except Exception as error:  # configurations check themselves in many ways
        reason = " ".join(str(error).split())
        raise EventuneError(f"{path}: {reason}") from error
    return config


def _class_of(config: PreTrainedConfig, task: str) -> Any:
    if task:
        return getattr(transformers, TASKS[task])
    named = [getattr(transformers, name, None) for name in config.architectures or ()]
    return next((model_class for model_class in named if model_class is not None), transformers.AutoModel)
