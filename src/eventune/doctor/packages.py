"""The packages that matter, by their metadata: versions, and what they ask of one another; nothing is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

_NEEDED = ("", "train")
"""Extras without which models are neither trained nor opened."""
OTHER_PACKAGES = ("huggingface-hub", "datasets", "deepspeed", "flash-attn", "vllm")


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package.

    Attributes:
        version: None where it is not installed.
        required: The versions that eventune asks for, if it does.
        fits: Whether its version is among them.
        optional: Whether eventune works without it, and without the extra that trains.
        unmet: What it asks of packages that are installed in another version, e.g. `tokenizers<0.24, found 0.25.0`.
    """

    version: str | None
    required: str = ""
    fits: bool = True
    optional: bool = True
    unmet: tuple[str, ...] = ()


def read_packages() -> Mapping[str, Package]:
    """Read the packages that eventune asks for and some that often come with them, by distribution name."""
    from packaging.requirements import Requirement

    packages = {name: _package(name) for name in OTHER_PACKAGES}
    # Its own requirements are none where it runs from its sources.
    for requirement in map(Requirement, (metadata.requires("eventune") or []) if version_of("eventune") else []):
        marker, version = requirement.marker, version_of(requirement.name)
        if requirement.name == "eventune" or (marker and marker.evaluate({"extra": "dev"})):
            continue
        fits = version is None or requirement.specifier.contains(version, prereleases=True)
        optional = marker is not None and not any(marker.evaluate({"extra": extra}) for extra in _NEEDED)
        if optional and requirement.name in packages and not packages[requirement.name].optional:
            continue
        packages[requirement.name] = _package(requirement.name, str(requirement.specifier), fits, optional)
    return packages


def version_of(name: str) -> str | None:
    """Return the version of a package, or None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _package(name: str, required: str = "", fits: bool = True, optional: bool = True) -> Package:
    version = version_of(name)
    return Package(version, required, fits, optional, tuple(_unmet(name)) if version else ())


def _unmet(name: str) -> Iterator[str]:
    """Yield what an installed package asks of others that are there in another version; extras ask for nothing."""
    from packaging.requirements import Requirement

    for requirement in map(Requirement, metadata.requires(name) or []):
        found = version_of(requirement.name)
        needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if found and needed and not requirement.specifier.contains(found, prereleases=True):
            yield f"{requirement.name}{requirement.specifier}, found {found}"
