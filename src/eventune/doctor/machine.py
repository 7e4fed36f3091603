"""What there is on this machine, probe by probe; a probe that fails is a fact as well."""

from __future__ import annotations

import itertools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import eventune
from eventune.doctor.packages import Package, read_packages, version_of

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")
FAST_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
FAST_FLOAT16 = frozenset({"avx512_fp16", "amx_fp16", "asimdhp"})
CPU_FEATURES = frozenset({"avx2", "avx512f", *FAST_BFLOAT16, *FAST_FLOAT16})
ENVIRONMENT = (
    "OMP_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
    "BNB_CUDA_VERSION",
    "ACCELERATE_MIXED_PRECISION",
    "WORLD_SIZE",
)
MOST_CACHE_FILES = 20_000
HUB_SECONDS, TRIAL_SECONDS, DRIVER_SECONDS = 3, 120, 10

# A process of its own, as bitsandbytes prints when it is imported, and may end the process that imports it.
_BITSANDBYTES_TRIAL = """
import json, sys, torch
found = {}
for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
    try:
        from bitsandbytes.nn import Linear4bit
        layer = Linear4bit(64, 64, compute_dtype=torch.float32).to(device)
        found[device] = "" if layer(torch.ones(1, 64, device=device)).isfinite().all() else "its result is not finite"
    except Exception as error:
        found[device] = f"{type(error).__name__}: {error}"
sys.stdout.write("\\n" + json.dumps(found))
"""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """A probe that failed, with its reason."""

    failed: str


@dataclass(frozen=True, slots=True)
class Processor:
    """The CPU: those of its features that matter, its cores, and how many affinity and container leave to a process."""

    model: str
    features: tuple[str, ...]
    physical_cores: int | None
    logical_cores: int
    usable_cores: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory in bytes, what the container leaves of it, and what is free (None: the system does not say)."""

    total_bytes: int
    usable_bytes: int
    available_bytes: int | None


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU that torch sees."""

    name: str
    capability: str
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Torch:
    """What torch was built for (CUDA 12.8, CPU), what it finds, and its complaint about a GPU that it cannot use."""

    version: str
    built_for: str
    threads: int
    devices: tuple[Device, ...]
    mps: bool
    complaint: str


@dataclass(frozen=True, slots=True)
class Precision:
    """Whether a product under autocast works on a device, and whether its hardware makes it fast (None: unknown)."""

    device: str
    dtype: str
    usable: bool
    fast: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Hub:
    """How the hub is set up; `reachable` is None and `answer` empty unless it was asked."""

    endpoint: str
    offline: bool
    cache: str
    cache_bytes: int
    cache_is_counted_whole: bool
    reachable: bool | None
    answer: str


@dataclass(frozen=True, slots=True)
class Disk:
    """Free space where something is written."""

    place: str
    path: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """All facts; `bitsandbytes` maps a device to what failed there (empty: works) and is empty if not installed."""

    eventune: str
    python: str
    platform: str
    packages: Mapping[str, Package] | Failure
    environment: Mapping[str, str]
    processor: Processor | Failure
    memory: Memory | Failure
    driver: str | Failure
    torch: Torch | Failure
    precisions: tuple[Precision, ...] | Failure
    bitsandbytes: Mapping[str, str] | Failure
    hub: Hub | Failure
    disks: tuple[Disk, ...] | Failure
    packaged_models: Mapping[str, bool] | Failure


def attempt(probe: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Failure:
    """Call a probe, and return a `Failure` where it raises."""
    try:
        return probe(*args, **kwargs)
    except Exception as error:  # Whatever a driver or a broken library raises, the other probes go on.
        first_line = (str(error).strip().splitlines() or [""])[0]
        return Failure(f"{type(error).__name__}: {first_line}".removesuffix(": "))


def inspect_machine(*, network: bool = False) -> Machine:
    """Gather all facts.

    Args:
        network: Whether to ask the hub for a sign of life, the only request that is ever made.

    Returns:
        The facts.
    """
    processor = attempt(read_processor)
    return Machine(
        eventune=eventune.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        packages=attempt(read_packages),
        environment={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        processor=processor,
        memory=attempt(read_memory),
        driver=attempt(read_driver),
        torch=attempt(read_torch),
        precisions=attempt(try_precisions, () if isinstance(processor, Failure) else processor.features),
        bitsandbytes=attempt(try_bitsandbytes),
        hub=attempt(read_hub, network=network),
        disks=attempt(read_disks),
        packaged_models=attempt(read_packaged_models),
    )


def read_processor() -> Processor:
    """Read the CPU's name, features and cores, and the limits of affinity and container."""
    cpuinfo = PROC / "cpuinfo"
    text = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.exists() else ""
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)
    cores = re.findall(r"^physical id\s*: (\d+)$.*?^core id\s*: (\d+)$", text, re.MULTILINE | re.DOTALL)
    logical = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    quotas = [line.split() for line in _cgroup_values("cpu.max")]
    limits = [max(1, int(quota) // int(period)) for quota, period in quotas if quota != "max"]
    return Processor(
        model=model[1] if model else platform.processor() or platform.machine(),
        features=tuple(sorted(CPU_FEATURES.intersection(flags[1].split() if flags else ()))),
        physical_cores=len(set(cores)) or None,
        logical_cores=logical,
        usable_cores=min([allowed, *limits]),
    )


def read_memory() -> Memory:
    """Read main memory and the container's limit of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    meminfo = PROC / "meminfo"
    text = meminfo.read_text(encoding="ascii") if meminfo.exists() else ""
    available = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    limits = [int(value) for value in _cgroup_values("memory.max") if value != "max"]
    return Memory(total, min([total, *limits]), int(available[1]) * 1024 if available else None)


def _cgroup_values(name: str) -> Iterator[str]:
    """Yield what a file of cgroup v2 holds in this process's group and in all groups above it."""
    membership = PROC / "self" / "cgroup"
    text = membership.read_text(encoding="utf-8") if membership.exists() else ""
    for path in (line.removeprefix("0::") for line in text.splitlines() if line.startswith("0::")):
        folder = CGROUP / path.lstrip("/")
        for group in (folder, *folder.parents):
            # Inside a container the path may be the host's: the group itself is then at the root.
            if group.is_relative_to(CGROUP) and (group / name).is_file():
                yield (group / name).read_text(encoding="ascii").strip()


def read_driver() -> str:
    """Read the version of NVIDIA's driver without torch; an empty string where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    command = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=DRIVER_SECONDS, check=True)
    return answer.stdout.strip().partition("\n")[0]


def read_torch() -> Torch:
    """Import torch, and read what it was built for and which devices it sees."""
    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    devices = map(torch.cuda.get_device_properties, range(count))
    hip = getattr(torch.version, "hip", None)
    return Torch(
        version=str(torch.__version__),
        built_for=f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {hip}" if hip else "CPU",
        threads=torch.get_num_threads(),
        devices=tuple(Device(one.name, f"{one.major}.{one.minor}", one.total_memory) for one in devices),
        mps=torch.backends.mps.is_available(),
        complaint=" ".join(str(caught[0].message).split()) if caught else "",
    )


def try_precisions(features: tuple[str, ...]) -> tuple[Precision, ...]:
    """Multiply under autocast on each device; whether a CPU is fast there is told by its features."""
    import torch

    has_gpu, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    major = torch.cuda.get_device_capability()[0] if has_gpu else 0
    found = []
    for dtype, instructions, capability in ((torch.bfloat16, FAST_BFLOAT16, 8), (torch.float16, FAST_FLOAT16, 7)):
        speeds: dict[str, bool | None] = {"cpu": not instructions.isdisjoint(features)}
        speeds |= {"cuda": major >= capability} if has_gpu else {"mps": None} if has_mps else {}
        for device, fast in speeds.items():
            outcome = attempt(_multiply, device, dtype)
            failure = outcome.failed if isinstance(outcome, Failure) else outcome
            name = str(dtype).removeprefix("torch.")
            found.append(Precision(device, name, not failure, None if failure else fast, failure))
    return tuple(found)


def _multiply(device: str, dtype: Any) -> str:
    """Return what goes wrong, or an empty string."""
    import torch

    with warnings.catch_warnings(), torch.autocast(device_type=device, dtype=dtype):
        warnings.simplefilter("ignore")
        ones = torch.ones(16, 16, device=device)
        result = ones @ ones
    if result.dtype != dtype:
        return f"autocast computes in {result.dtype}"
    return "" if bool((result == 16).all()) else "the result is wrong"


def try_bitsandbytes() -> Mapping[str, str]:
    """Run a 4-bit layer on each device, in a process of its own; its banner stays there."""
    if version_of("bitsandbytes") is None:
        return {}
    # Newer versions look for compiled kernels on the hub: no request that the user did not ask for.
    options: dict[str, Any] = {"env": os.environ | {"HF_HUB_OFFLINE": "1"}, "text": True, "errors": "replace"}
    command = [sys.executable, "-P", "-"]  # The script comes by standard input, and so is in no message.
    options |= {"input": _BITSANDBYTES_TRIAL, "timeout": TRIAL_SECONDS, "capture_output": True}
    trial = subprocess.run(command, check=False, **options)
    if trial.returncode != 0:
        raise RuntimeError(f"exit code {trial.returncode}: {trial.stderr.strip().rpartition(chr(10))[2]}")
    return {device: " ".join(failure.split()) for device, failure in json.loads(trial.stdout.splitlines()[-1]).items()}


def read_hub(*, network: bool) -> Hub:
    """Read how the hub is set up, without a request unless `network` is true; no token is read or sent."""
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    # Snapshots are links to blobs, which count once.
    files = (path for path in cache.rglob("*") if path.is_file() and not path.is_symlink())
    sizes = [path.stat().st_size for path in itertools.islice(files, MOST_CACHE_FILES)]
    parts = urllib.parse.urlsplit(constants.ENDPOINT)
    endpoint = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()  # without a password
    answer = attempt(_ask, endpoint) if network else ""
    return Hub(
        endpoint=endpoint,
        offline=bool(constants.HF_HUB_OFFLINE),
        cache=str(cache),
        cache_bytes=sum(sizes),
        cache_is_counted_whole=len(sizes) < MOST_CACHE_FILES,
        reachable=isinstance(answer, str) if network else None,
        answer=answer if isinstance(answer, str) else answer.failed,
    )


def _ask(endpoint: str) -> str:
    if urllib.parse.urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ValueError("expected an http address")
    request = urllib.request.Request(endpoint, method="HEAD", headers={"User-Agent": "eventune"})
    try:
        with urllib.request.urlopen(request, timeout=HUB_SECONDS) as response:
            return f"HTTP {response.status}"
    except urllib.error.HTTPError as error:  # An answer as well.
        error.close()
        return f"HTTP {error.code}"


def read_disks() -> tuple[Disk, ...]:
    """Read the free space where runs, downloads and temporary files go."""
    from huggingface_hub import constants

    cache, temporary = Path(constants.HF_HUB_CACHE), Path(tempfile.gettempdir())
    disks = []
    for place, path in (("working folder", Path.cwd()), ("hub cache", cache), ("temporary files", temporary)):
        existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        usage = shutil.disk_usage(existing)
        disks.append(Disk(place, str(path), usage.free, usage.total))
    return tuple(disks)


def read_packaged_models() -> Mapping[str, bool]:
    """Return for each alias of packaged weights whether its package is installed."""
    from eventune.backbones.resolve import PACKAGED

    return {alias: util.find_spec(model.package) is not None for alias, model in PACKAGED.items()}
