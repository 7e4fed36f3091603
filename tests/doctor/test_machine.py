"""What the probes find on made-up machines."""

import json
import os
import urllib.error
import urllib.request
from dataclasses import asdict

import pytest
from huggingface_hub import constants

from eventune.doctor import machine
from eventune.doctor.machine import (
    Device,
    Failure,
    Precision,
    attempt,
    inspect_machine,
    read_disks,
    read_driver,
    read_hub,
    read_memory,
    read_packaged_models,
    read_processor,
    read_torch,
    try_bitsandbytes,
    try_precisions,
)

GIB = 2**30
CPU = """processor\t: {number}
model name\t: Some CPU @ 2.00GHz
physical id\t: 0
core id\t\t: {core}
flags\t\t: fpu sse avx2 avx512f amx_bf16 sse4_2

"""


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Writes files of a made-up /proc and /sys/fs/cgroup."""
    monkeypatch.setattr(machine, "PROC", tmp_path / "proc")
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "cgroup")

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_max", ".max")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(6)), raising=False)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Sets up the hub with a cache in a temporary folder, and refuses requests."""

    def refuse(*arguments, **options):
        raise AssertionError("a request was made")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", "https://me:secret@hub.example")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tmp_path / "cache"


@pytest.fixture
def fake_bitsandbytes(tmp_path, monkeypatch):
    """Installs a bitsandbytes whose module `nn` is the given text."""

    def install(text):
        for name, content in {
            "bitsandbytes/__init__.py": "print('=== BUG REPORT ===')",
            "bitsandbytes/nn.py": text,
            "bitsandbytes-9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: bitsandbytes\nVersion: 9.9\n",
        }.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return install


def test_the_processor_is_read_with_its_cores_and_the_features_that_matter(system, eight_cores):
    system(proc__cpuinfo="".join(CPU.format(number=number, core=number // 2) for number in range(8)))
    found = read_processor()
    assert (found.model, found.features) == ("Some CPU @ 2.00GHz", ("amx_bf16", "avx2", "avx512f"))
    assert (found.physical_cores, found.logical_cores, found.usable_cores) == (4, 8, 6)


def test_the_processor_of_a_system_without_proc_is_described_by_platform(system, eight_cores, monkeypatch):
    monkeypatch.setattr(machine.platform, "processor", lambda: "arm")
    found = read_processor()
    assert (found.model, found.features, found.physical_cores) == ("arm", (), None)


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 6), ("250000 100000", 2), ("50000 100000", 1)])
def test_the_quota_of_a_container_limits_the_cores(quota, cores, system, eight_cores):
    system(proc__self__cgroup="0::/\n", cgroup__cpu_max=quota + "\n")
    assert read_processor().usable_cores == cores


def test_limits_of_all_groups_above_count(system, eight_cores):
    system(
        proc__self__cgroup="1:name=systemd:/\n0::/a/b\n",
        cgroup__cpu_max="800000 100000",
        cgroup__a__cpu_max="300000 100000",
        cgroup__a__b__cpu_max="max 100000",
    )
    assert read_processor().usable_cores == 3


def test_a_groups_path_on_the_host_falls_back_to_the_root(system, eight_cores):
    system(proc__self__cgroup="0::/../docker/1234\n", cgroup__cpu_max="200000 100000")
    assert read_processor().usable_cores == 2


def test_memory_is_read_with_the_limit_of_the_container(system):
    system(
        proc__meminfo="MemTotal: 9 kB\nMemAvailable:    2048 kB\n",
        proc__self__cgroup="0::/\n",
        cgroup__memory_max="4096",
    )
    found = read_memory()
    assert (found.usable_bytes, found.available_bytes) == (4096, 2048 * 1024)
    assert found.total_bytes > GIB // 8


def test_memory_without_limit_is_all_there_is(system):
    system(proc__self__cgroup="0::/\n", cgroup__memory_max="max\n")
    found = read_memory()
    assert (found.usable_bytes, found.available_bytes) == (found.total_bytes, None)


def test_the_driver_is_what_its_own_tool_says(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_driver() == ""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 550.54\necho 550.54\n", encoding="ascii")
    tool.chmod(0o755)
    assert read_driver() == "550.54"


def test_a_driver_that_does_not_answer_is_a_failure(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nexit 9\n", encoding="ascii")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    failure = attempt(read_driver)
    assert isinstance(failure, Failure)
    assert "exit status 9" in failure.failed


def test_torch_is_described_with_devices_and_without_its_warnings(monkeypatch):
    import warnings

    import torch

    def is_available():
        warnings.warn("CUDA initialization: the driver\nis too old", stacklevel=1)
        return True

    class Properties:
        name, major, minor, total_memory = "GPU", 8, 6, 24 * GIB

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: Properties)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    found = read_torch()
    assert found.devices == (Device("GPU", "8.6", 24 * GIB),) * 2
    assert found.built_for == "CUDA 12.8"
    assert found.complaint == "CUDA initialization: the driver is too old"


def test_precisions_are_tried_and_called_fast_only_with_instructions_for_them(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    bfloat16, float16 = try_precisions(("avx512_bf16",))
    assert bfloat16 == Precision("cpu", "bfloat16", usable=True, fast=True, reason="")
    assert float16 == Precision("cpu", "float16", usable=True, fast=False, reason="")
    assert not try_precisions(())[0].fast


def test_a_device_that_cannot_multiply_is_not_usable(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (6, 1))
    monkeypatch.setattr(machine, "_multiply", lambda device, dtype: "no kernel image" if device == "cuda" else "")
    on_gpu = [one for one in try_precisions(()) if one.device == "cuda"]
    assert on_gpu == [
        Precision("cuda", dtype, usable=False, fast=None, reason="no kernel image") for dtype in ("bfloat16", "float16")
    ]


def test_a_missing_bitsandbytes_is_not_tried(monkeypatch):
    monkeypatch.setattr(machine, "version_of", lambda name: None)
    monkeypatch.setattr(machine.subprocess, "run", lambda *arguments, **options: pytest.fail("a process was started"))
    assert try_bitsandbytes() == {}


def test_bitsandbytes_is_tried_in_a_process_of_its_own_without_its_banner(fake_bitsandbytes, capfd):
    fake_bitsandbytes("def Linear4bit(*sizes, **options):\n    raise OSError('no library')\n")
    assert try_bitsandbytes()["cpu"] == "OSError: no library"
    assert capfd.readouterr() == ("", "")


def test_a_bitsandbytes_that_ends_its_process_is_a_failure(fake_bitsandbytes):
    fake_bitsandbytes("import os, sys\nsys.stderr.write('symbol not found')\nsys.stderr.flush()\nos._exit(3)\n")
    assert attempt(try_bitsandbytes) == Failure("RuntimeError: exit code 3: symbol not found")


def test_a_bitsandbytes_that_hangs_is_a_failure(fake_bitsandbytes, monkeypatch):
    fake_bitsandbytes("")
    monkeypatch.setattr(machine, "TRIAL_SECONDS", 0.01)
    failure = attempt(try_bitsandbytes)
    assert "timed out" in failure.failed
    assert "Linear4bit" not in failure.failed


def test_the_hub_is_not_asked_unless_told_to_and_its_password_is_not_shown(hub):
    (hub / "blobs").mkdir(parents=True)
    (hub / "blobs" / "weights").write_bytes(b"x" * 1000)
    (hub / "snapshot").symlink_to(hub / "blobs" / "weights")
    found = read_hub(network=False)
    assert (found.reachable, found.answer) == (None, "")
    assert found.endpoint == "https://hub.example"
    assert (found.cache_bytes, found.cache_is_counted_whole) == (1000, True)


def test_a_large_cache_is_counted_up_to_a_bound(hub, monkeypatch):
    monkeypatch.setattr(machine, "MOST_CACHE_FILES", 3)
    hub.mkdir()
    for number in range(5):
        (hub / str(number)).write_bytes(b"xx")
    found = read_hub(network=False)
    assert (found.cache_bytes, found.cache_is_counted_whole) == (6, False)


def test_the_hub_is_asked_once_shortly_and_without_a_token(hub, monkeypatch):
    requests = []

    class Response:
        status = 200

        def __enter__(self):
            return self

        def __exit__(self, *details):
            return None

    def urlopen(request, timeout):
        requests.append((request.get_method(), request.full_url, request.header_items(), timeout))
        return Response()

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    found = read_hub(network=True)
    assert (found.reachable, found.answer) == (True, "HTTP 200")
    assert requests == [("HEAD", "https://hub.example", [("User-agent", "eventune")], 3)]


def test_a_refusal_is_an_answer_and_silence_is_none(hub, monkeypatch):
    def refuse(request, timeout):
        raise urllib.error.HTTPError(request.full_url, 403, "forbidden", {}, None)

    def fail(request, timeout):
        raise urllib.error.URLError("timed out")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert read_hub(network=True).answer == "HTTP 403"
    monkeypatch.setattr(urllib.request, "urlopen", fail)
    found = read_hub(network=True)
    assert found.reachable is False
    assert "timed out" in found.answer


def test_an_endpoint_that_is_no_address_is_not_opened(hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "file:///etc/hostname")
    found = read_hub(network=True)
    assert (found.reachable, found.answer) == (False, "ValueError: expected an http address")


def test_disks_are_read_also_where_a_folder_is_not_there_yet(hub):
    disks = read_disks()
    assert [disk.place for disk in disks] == ["working folder", "hub cache", "temporary files"]
    assert all(0 <= disk.free_bytes <= disk.total_bytes for disk in disks)
    assert not hub.exists()


def test_packaged_models_are_listed_by_alias():
    assert "minilm" in read_packaged_models()


def test_a_probe_that_raises_is_reported_and_stops_no_other(monkeypatch, hub):
    def broken(*arguments, **options):
        raise OSError("libcudart.so: cannot open\nmore")

    monkeypatch.setattr(machine, "read_torch", broken)
    monkeypatch.setattr(machine, "read_processor", broken)
    monkeypatch.setattr(machine, "try_bitsandbytes", dict)
    found = inspect_machine()
    assert found.torch == found.processor == Failure("OSError: libcudart.so: cannot open")
    assert found.precisions[0].device == "cpu"
    assert found.bitsandbytes == {}
    json.dumps(asdict(found))


def test_only_the_variables_that_matter_are_recorded(monkeypatch, hub):
    monkeypatch.setattr(machine, "try_bitsandbytes", dict)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    found = inspect_machine()
    assert found.environment["OMP_NUM_THREADS"] == "3"
    assert "secret" not in json.dumps(asdict(found))
