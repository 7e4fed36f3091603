"""What lies beside the weights: configuration, settings of generation, tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from eventune.backbones.chatglm.plan import Plan
from eventune.backbones.chatglm.tokenizer import ROLES, build_tokenizer, is_tiktoken
from eventune.errors import EventuneError
from eventune.storage.json_files import read_json, write_json

_MODEL = "tokenizer.model"
_KEPT = "published_tokenizer.model"
"""The source's file in a converted folder: under its own name transformers would build a tokenizer of it."""
_GENERATION = "generation_config.json"
_IDS = ("eos_token_id", "pad_token_id", "bos_token_id")


def write_native_companions(planned: Plan, folder: Path) -> tuple[str, ...]:
    """Write what a folder of Glm has beside its weights.

    Args:
        planned: The conversion.
        folder: The unfinished folder.

    Returns:
        What a user should know.
    """
    write_json(folder / "config.json", planned.settings)
    write_json(folder / _GENERATION, _generation(planned))
    source = planned.source / _MODEL
    if not source.is_file():
        return (f"the source has no {_MODEL}: weights and configuration were converted alone",)
    shutil.copyfile(source, folder / _KEPT)
    if is_tiktoken(source):
        return (
            f"{_MODEL} is GLM-4's, in tiktoken's form, which is not converted: weights and configuration were "
            "converted alone; copy tokenizer.json and tokenizer_config.json of THUDM/glm-4-9b-chat-hf beside them",
        )
    roles = _has_roles(planned.source)
    tokenizer = build_tokenizer(source, roles=roles, model_max_length=int(planned.config.max_position_embeddings))
    if len(tokenizer) > planned.config.vocab_size:
        raise EventuneError(
            f"{source}: expected at most the {planned.config.vocab_size} tokens of config.json, found {len(tokenizer)}",
            "give the tokenizer.model of the same checkpoint",
        )
    tokenizer.save_pretrained(folder)
    if roles:
        return ("ChatGLM3's tokenizer: its tokens of roles are there; it has no chat template, give one of your own",)
    return ()


def write_published_companions(planned: Plan, folder: Path) -> tuple[str, ...]:
    """Write what a folder in ChatGLM2's layout has beside its weights.

    Args:
        planned: The conversion.
        folder: The unfinished folder.

    Returns:
        What a user should know.
    """
    write_json(folder / "config.json", planned.settings)
    write_json(folder / _GENERATION, _generation(planned))
    notes = ["the published code (*.py, auto_map) is not written: copy it from the original folder where it is needed"]
    if (planned.source / _KEPT).is_file():
        shutil.copyfile(planned.source / _KEPT, folder / _MODEL)
    else:
        notes.append(f"there is no {_KEPT} in {planned.source}: copy {_MODEL} from the original folder")
    return tuple(notes)


def _generation(planned: Plan) -> dict[str, Any]:
    """Return the source's settings of generation, with the ids that the configuration has."""
    path = planned.source / _GENERATION
    given = read_json(path) if path.is_file() else {}
    ids = {name: planned.settings.get(name) for name in _IDS}
    return {**given, **{name: value for name, value in ids.items() if value is not None}}


def _has_roles(source: Path) -> bool:
    """Tell ChatGLM3's tokenizer from ChatGLM2's by what is written beside it; pieces and settings are the same."""
    if "chatglm3" in str(read_json(source / "config.json").get("_name_or_path", "")).lower():
        return True
    for name in ("tokenization_chatglm.py", "tokenizer_config.json"):
        path = source / name
        if path.is_file() and ROLES[1] in path.read_text(encoding="utf-8", errors="replace"):
            return True
    return False
