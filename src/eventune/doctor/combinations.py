"""Combinations of facts that are known to fail, or to waste what the machine has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from eventune.doctor.machine import Disk, Failure, Hub, Machine, Memory, Processor, Torch
from eventune.doctor.packages import Package

GIB = 2**30
LEAST_MEMORY_BYTES = 2 * GIB
LITTLE_DISK_BYTES, LEAST_DISK_BYTES = 2 * GIB, GIB // 10
VARIABLES = {"hub cache": "HF_HOME", "temporary files": "TMPDIR"}
SETTINGS = {"bf16": "bfloat16", "fp16": "float16"}
OFF = frozenset({"0", "false", "f", "no", "n", "off"})

WHY = {
    "torch": "transformers 5 needs torch 2.6 or newer",
    "transformers": "before 5.21 the packaged LLM cannot be unpacked, and names differ between its major versions",
    "accelerate": "before 1.8 two processes train otherwise than one, before 1.3 it lacks what transformers 5 calls",
    "peft": "before 0.21 runs cannot be put on one base for use, nor adapters of ChatGLM2 be converted",
}
"""Why a package's version matters, where more is known than that it was not tried."""


Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class BadCombination:
    """A combination that fails or wastes.

    Attributes:
        name: Short name.
        severity: `error` where eventune cannot work or its result cannot be trusted, else `warning`.
        found: What was found.
        fix: What to do.
        threads: Where it was discussed, e.g. `transformers#30445`.
    """

    name: str
    severity: Severity
    found: str
    fix: str
    threads: tuple[str, ...] = ()


def find_bad_combinations(machine: Machine) -> list[BadCombination]:
    """Look for known bad combinations.

    Args:
        machine: The facts; what could not be found out is passed over, but for torch itself.

    Returns:
        Errors first, then warnings.
    """
    findings = [finding for check in _CHECKS for finding in check(machine)]
    return sorted(findings, key=lambda finding: finding.severity != "error")


def _version(package: Package | None) -> tuple[int, int]:
    """Return major and minor version; a package that is not there has the highest, which nothing complains about."""
    found = re.match(r"(\d+)\.(\d+)", package.version or "") if package else None
    return (int(found[1]), int(found[2])) if found else (2**31, 0)


def _check_packages(machine: Machine) -> Iterator[BadCombination]:
    """Packages that are missing, or of versions that eventune does not work with."""
    packages = {} if isinstance(machine.packages, Failure) else machine.packages
    absent = [name for name, package in packages.items() if package.version is None and not package.optional]
    without_torch = "torch" in absent
    if without_torch:
        found = f"without {', '.join(absent)} models can be neither trained nor opened, but for exports of runs"
        yield BadCombination("missing-package", "warning", found, "pip install 'eventune[train]'")
    for name, package in packages.items():
        wanted = f"{name}{package.required}"
        if name in absent and not without_torch:
            yield BadCombination("missing-package", "error", f"{name} is not installed", f"pip install '{wanted}'")
        elif not package.fits:
            reason = f"; {WHY[name]}" if name in WHY else ""
            found = f"{name} {package.version}, expected {package.required}{reason}"
            yield BadCombination(
                "package-version", "warning" if package.optional else "error", found, f"pip install '{wanted}'"
            )
        for unmet in package.unmet:
            found, fix = f"{name} {package.version} asks for {unmet}", f"pip install --upgrade {name}"
            other = f"pip install '{unmet.partition(', found ')[0]}'"
            severity: Severity = "warning" if package.optional else "error"
            yield BadCombination("package-conflict", severity, found, f"{fix}, or: {other}")
    numpy, torch = packages.get("numpy"), packages.get("torch")
    if _version(torch) < (2, 3) and numpy and numpy.version and numpy.version.startswith("2."):
        found = f"numpy {numpy.version} with torch {torch.version if torch else ''}, which was built for numpy 1"
        yield BadCombination("numpy-2", "error", found, "upgrade torch, or: pip install 'numpy<2'")


def _check_torch(machine: Machine) -> Iterator[BadCombination]:
    """A torch that cannot be imported, or that was not built for this machine's GPU."""
    if isinstance(machine.torch, Failure):
        package = None if isinstance(machine.packages, Failure) else machine.packages.get("torch")
        if package and package.version is None:  # which is a finding already
            return
        fix = "install torch anew, for this Python and this system"
        yield BadCombination("torch-import", "error", f"torch cannot be imported: {machine.torch.failed}", fix)
        return
    torch, driver = machine.torch, machine.driver if isinstance(machine.driver, str) else ""
    if driver and torch.built_for == "CPU":
        found = f"an NVIDIA GPU (driver {driver}), but torch {torch.version} was built for CPUs"
        yield BadCombination("gpu-unused", "warning", found, "install the CUDA build of torch")
    elif torch.built_for.startswith("CUDA") and not torch.devices:
        if driver:
            found = f"torch, built for {torch.built_for}, cannot use the GPU (driver {driver}): {torch.complaint}"
            fix = "upgrade the driver, install torch for an older CUDA version, or look at CUDA_VISIBLE_DEVICES"
        else:
            found = f"torch was built for {torch.built_for}, but there is no NVIDIA GPU"
            fix = "nothing has to be done; the CPU build of torch takes gigabytes less"
        yield BadCombination("gpu-unusable" if driver else "gpu-missing", "warning", found, fix)
    if len(torch.devices) > 1 and "WORLD_SIZE" not in machine.environment:
        found = (
            f"{len(torch.devices)} GPUs are visible: transformers' Trainer then uses DataParallel, without saying so"
        )
        fix = "set CUDA_VISIBLE_DEVICES=0, or start one process a GPU by torchrun"
        yield BadCombination("data-parallel", "warning", found, fix, ("transformers#30445", "peft#1296"))


def _check_precision(machine: Machine) -> Iterator[BadCombination]:
    """GPUs that cannot multiply, and a precision chosen for accelerate that the machine is not made for."""
    if isinstance(machine.precisions, Failure):
        return
    on_gpu = [one for one in machine.precisions if one.device == "cuda"]
    if on_gpu and not any(one.usable for one in on_gpu):
        fix = "install a torch that was built for this GPU's generation, or hide the GPU: CUDA_VISIBLE_DEVICES="
        yield BadCombination("gpu-fails", "error", f"the GPU cannot multiply: {on_gpu[0].reason}", fix)
    chosen = machine.environment.get("ACCELERATE_MIXED_PRECISION", "no").lower()
    devices = {one.device for one in machine.precisions}
    device = next((name for name in ("cuda", "mps") if name in devices), "cpu")
    for one in machine.precisions:
        if (one.device, one.dtype) == (device, SETTINGS.get(chosen)) and (not one.usable or one.fast is False):
            # accelerate leaves fp16 out on a CPU, without a word.
            effect = "ignored" if (chosen, device) == ("fp16", "cpu") else "slow or refused"
            found = f"ACCELERATE_MIXED_PRECISION={chosen}, but this {device} has no instructions for it: {effect}"
            fast = {one.dtype for one in machine.precisions if one.device == device and one.fast}
            other = next((setting for setting, dtype in SETTINGS.items() if dtype in fast), "")
            fix = f"unset it, or choose {other}" if other else "unset it"
            yield BadCombination("slow-precision", "warning", found, fix)


def _check_bitsandbytes(machine: Machine) -> Iterator[BadCombination]:
    """A bitsandbytes that does not work, or that is told to load another CUDA version than torch's."""
    if isinstance(machine.bitsandbytes, Failure):
        failures = {"any device": machine.bitsandbytes.failed}
    else:
        failures = {device: failure for device, failure in machine.bitsandbytes.items() if failure}
    for device, failure in failures.items():
        fix = "upgrade bitsandbytes; it is needed for 4-bit and 8-bit weights alone"
        yield BadCombination("bitsandbytes", "warning", f"bitsandbytes does not work on {device}: {failure}", fix)
    override = machine.environment.get("BNB_CUDA_VERSION", "")
    built_for = machine.torch.built_for if isinstance(machine.torch, Torch) else "CPU"
    if override and machine.bitsandbytes and override != re.sub(r"\D", "", built_for):
        found = f"BNB_CUDA_VERSION={override}, but torch was built for {built_for}"
        fix = "unset BNB_CUDA_VERSION; bitsandbytes then takes torch's version"
        yield BadCombination("bnb-cuda-version", "warning", found, fix, ("bitsandbytes#572", "bitsandbytes#1193"))


def _check_processor(machine: Machine) -> Iterator[BadCombination]:
    """More threads than cores, or one where there could be more."""
    if not isinstance(machine.processor, Processor):
        return
    cores, told = machine.processor.usable_cores, machine.environment.get("OMP_NUM_THREADS", "")
    threads = machine.torch.threads if isinstance(machine.torch, Torch) else 0
    # OpenMP also takes a list, one number a level: the first counts here.
    asked = re.match(r"\d+", told)
    if asked and int(asked[0]) > cores:
        found = f"OMP_NUM_THREADS={told}, but this process may use {cores} cores"
        yield BadCombination("too-many-threads", "warning", found, f"set OMP_NUM_THREADS={cores}")
    elif threads > cores:
        found = f"torch uses {threads} threads, but this process may use {cores} cores"
        yield BadCombination("too-many-threads", "warning", found, f"set OMP_NUM_THREADS={cores}")
    parallel = machine.environment.get("TOKENIZERS_PARALLELISM")
    if parallel is not None and parallel.lower() in OFF and cores > 1:
        found = f"TOKENIZERS_PARALLELISM={parallel}: texts are tokenized on one of {cores} cores"
        yield BadCombination("slow-tokenizers", "warning", found, "unset it")


def _check_memory(machine: Machine) -> Iterator[BadCombination]:
    """Too little main memory."""
    if isinstance(machine.memory, Memory) and machine.memory.usable_bytes < LEAST_MEMORY_BYTES:
        found = f"{machine.memory.usable_bytes / GIB:.1f} GiB of memory"
        fix = "2 GiB are the least for small encoders; take small batches, or raise the container's limit"
        yield BadCombination("little-memory", "warning", found, fix)


def _check_disks(machine: Machine) -> Iterator[BadCombination]:
    """Disks that are full or nearly so; places on one disk are one finding."""
    places: dict[tuple[int, int], list[Disk]] = {}
    for disk in () if isinstance(machine.disks, Failure) else machine.disks:
        if disk.free_bytes < LITTLE_DISK_BYTES:
            places.setdefault((disk.total_bytes, disk.free_bytes // 2**20), []).append(disk)
    for disks in places.values():
        names = ", ".join(f"{disk.place} {disk.path}" for disk in disks)
        found = f"only {disks[0].free_bytes / GIB:.2f} GiB are free for: {names}"
        variables = " and ".join(VARIABLES[disk.place] for disk in disks if disk.place in VARIABLES)
        fix = f"make room, or set {variables} to folders elsewhere" if variables else "make room"
        severity: Severity = "error" if disks[0].free_bytes < LEAST_DISK_BYTES else "warning"
        yield BadCombination("disk-full", severity, found, fix)


def _check_hub(machine: Machine) -> Iterator[BadCombination]:
    """A hub that did not answer when it was asked."""
    if isinstance(machine.hub, Hub) and machine.hub.reachable is False:
        fix = (
            "set HF_HUB_OFFLINE=1 to save waiting, and use local folders or packaged models; or HF_ENDPOINT to a mirror"
        )
        yield BadCombination("hub", "warning", f"{machine.hub.endpoint} did not answer: {machine.hub.answer}", fix)


_CHECKS: tuple[Callable[[Machine], Iterator[BadCombination]], ...] = (
    _check_packages,
    _check_torch,
    _check_precision,
    _check_bitsandbytes,
    _check_processor,
    _check_memory,
    _check_disks,
    _check_hub,
)
