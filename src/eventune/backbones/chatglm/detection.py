"""Folders in ChatGLM2's layout, told by their configuration alone, and their conversions in the cache."""

from __future__ import annotations

import hashlib
import json
import shlex
from contextlib import suppress
from pathlib import Path

from eventune.errors import EventuneError
from eventune.storage.cache import cache_folder
from eventune.storage.json_files import read_json

_READ = (
    *("config.json", "generation_config.json", "tokenizer.model", "tokenizer_config.json", "tokenization_chatglm.py"),
    *("published_tokenizer.model", "*.index.json", "*.safetensors", "pytorch_model*.bin"),
)


class UnconvertedModelError(EventuneError):
    """A model whose own code would have to run, and which has to be converted first.

    Attributes:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        command = shlex.join(["eventune", "convert", "chatglm2", str(folder), f"{folder}-glm"])
        super().__init__(
            f"{folder}: expected an architecture of transformers, found ChatGLM2 or a successor in its layout "
            "(model_type chatglm), which needs the folder's own code, and that is never run",
            f"{command}; or give sft, chat, train or inspect --convert once, which converts into the cache",
        )
        self.folder = folder


def native_folder(folder: Path) -> Path:
    """Return where a model can be loaded from without code of its own.

    Args:
        folder: The folder of a model of any kind.

    Returns:
        The folder itself, or in the cache what it was converted to.

    Raises:
        UnconvertedModelError: If it is in ChatGLM2's layout and was not converted yet.
    """
    if not _is_published(folder):
        return folder
    converted = cached_conversion(folder)
    if not converted.is_dir():
        raise UnconvertedModelError(folder)
    return converted


def files_read(folder: Path) -> list[Path]:
    """Return the files that a conversion depends on."""
    return sorted({path for pattern in _READ for path in folder.glob(pattern) if path.is_file()})


def _is_published(folder: Path) -> bool:
    with suppress(EventuneError):  # whoever loads the model tells what is wrong with the file
        return read_json(folder / "config.json").get("model_type") == "chatglm"
    return False


def cached_conversion(folder: Path) -> Path:
    """Return where a folder's conversion is kept: sizes and times tell its files apart without reading gigabytes."""
    found = [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files_read(folder)]
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    return cache_folder() / f"{folder.resolve().name}-{digest[:16]}-glm"
