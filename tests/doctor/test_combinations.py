"""Known bad combinations, on made-up machines."""

from dataclasses import replace

import pytest

from eventune.doctor.combinations import find_bad_combinations
from eventune.doctor.machine import (
    Device,
    Disk,
    Failure,
    Hub,
    Machine,
    Memory,
    Precision,
    Processor,
    Torch,
)
from eventune.doctor.packages import Package

GIB = 2**30
GPU = Device("GPU", "8.0", 80 * GIB)
PACKAGES = {
    "torch": Package("2.13.0", ">=2.6", optional=False),
    "transformers": Package("5.23.0", "<6,>=5.21", optional=False),
    "peft": Package("0.21.2", ">=0.21", optional=False),
    "accelerate": Package("1.15.0", ">=1.8", optional=False),
    "numpy": Package("2.4.6", ">=1.26", optional=False),
    "bitsandbytes": Package("0.50.2", ">=0.46"),
    "vllm": Package(None),
}
HEALTHY = Machine(
    eventune="0.1.0",
    python="3.11.7",
    platform="Linux",
    packages=PACKAGES,
    environment={},
    processor=Processor("CPU", ("avx2",), 4, 8, 8),
    memory=Memory(64 * GIB, 32 * GIB, 30 * GIB),
    driver="",
    torch=Torch("2.13.0", "CPU", 4, (), mps=False, complaint=""),
    precisions=(Precision("cpu", "bfloat16", True, False, ""), Precision("cpu", "float16", True, False, "")),
    bitsandbytes={"cpu": ""},
    hub=Hub("https://hub.example", False, "/cache", 0, True, None, ""),
    disks=(Disk("working folder", "/runs", 50 * GIB, 100 * GIB),),
    packaged_models={"minilm": True},
)
WITH_GPU = replace(
    HEALTHY,
    driver="550.54",
    torch=replace(HEALTHY.torch, built_for="CUDA 12.8", devices=(GPU,)),
    precisions=(
        *HEALTHY.precisions,
        Precision("cuda", "bfloat16", True, True, ""),
        Precision("cuda", "float16", True, True, ""),
    ),
)
FAILED = Failure("OSError: broken")


def names(machine):
    return [(finding.name, finding.severity) for finding in find_bad_combinations(machine)]


def only(machine):
    """The one finding on a machine."""
    (finding,) = find_bad_combinations(machine)
    return finding


def with_package(name, **changes):
    return replace(HEALTHY, packages=PACKAGES | {name: replace(PACKAGES[name], **changes)})


@pytest.mark.parametrize("machine", [HEALTHY, WITH_GPU], ids=["cpu", "gpu"])
def test_nothing_is_found_on_a_healthy_machine(machine):
    assert find_bad_combinations(machine) == []


def test_what_could_not_be_found_out_is_no_finding_but_for_torch_and_bitsandbytes():
    parts = ("packages", "processor", "memory", "driver", "torch", "precisions", "bitsandbytes", "hub", "disks")
    machine = replace(HEALTHY, packaged_models=FAILED, **dict.fromkeys(parts, FAILED))
    assert names(machine) == [("torch-import", "error"), ("bitsandbytes", "warning")]


@pytest.mark.parametrize(
    ("name", "version", "why"),
    [
        ("torch", "2.4.1", "transformers 5 needs torch 2.6"),
        ("transformers", "4.57.0", "differ between its major versions"),
        ("transformers", "5.2.0", "before 5.21 the packaged LLM cannot be unpacked"),
        ("transformers", "6.0.0", "differ between its major versions"),
        ("accelerate", "1.2.0", "lacks what transformers 5 calls"),
        ("peft", "0.18.0", "before 0.21 runs cannot be put on one base for use"),
        ("numpy", "1.20.0", ""),
    ],
)
def test_a_version_out_of_range_is_an_error_with_its_reason(name, version, why):
    finding = only(with_package(name, version=version, fits=False))
    assert (finding.name, finding.severity) == ("package-version", "error")
    assert f"{name} {version}, expected {PACKAGES[name].required}" in finding.found
    assert why in finding.found
    assert finding.fix == f"pip install '{name}{PACKAGES[name].required}'"


@pytest.mark.parametrize(("name", "severity"), [("transformers", "error"), ("bitsandbytes", "warning")])
def test_a_package_that_does_not_go_with_another_one_is_found_with_both_ways_out(name, severity):
    finding = only(with_package(name, unmet=("tokenizers<=0.23.0,>=0.22.0, found 0.23.3",)))
    assert (finding.name, finding.severity) == ("package-conflict", severity)
    assert finding.found == f"{name} {PACKAGES[name].version} asks for tokenizers<=0.23.0,>=0.22.0, found 0.23.3"
    assert finding.fix == f"pip install --upgrade {name}, or: pip install 'tokenizers<=0.23.0,>=0.22.0'"


def test_an_optional_package_out_of_range_is_a_warning():
    assert names(with_package("bitsandbytes", version="0.41.0", fits=False)) == [("package-version", "warning")]


def test_a_package_that_is_not_there_is_an_error_only_if_it_is_needed():
    assert names(with_package("peft", version=None)) == [("missing-package", "error")]
    assert names(with_package("bitsandbytes", version=None)) == []


def test_a_missing_torch_is_reported_once():
    machine = replace(with_package("torch", version=None), torch=FAILED, precisions=FAILED)
    assert names(machine) == [("missing-package", "warning")]
    assert only(machine).fix == "pip install 'eventune[train]'"


def test_a_torch_that_is_not_among_the_packages_is_reported_where_it_cannot_be_imported():
    assert names(replace(HEALTHY, packages={}, torch=FAILED)) == [("torch-import", "error")]


def test_numpy_2_with_a_torch_that_was_built_for_numpy_1_is_an_error():
    old = with_package("torch", version="2.1.2+cu118", fits=False)
    assert ("numpy-2", "error") in names(old)
    fitting = replace(old, packages=old.packages | {"numpy": replace(PACKAGES["numpy"], version="1.26.4")})
    assert ("numpy-2", "error") not in names(fitting)


def test_a_torch_that_cannot_be_imported_is_an_error():
    finding = only(replace(HEALTHY, torch=FAILED))
    assert (finding.name, finding.severity) == ("torch-import", "error")
    assert "OSError: broken" in finding.found


def test_a_gpu_with_a_torch_for_cpus_is_unused():
    assert names(replace(HEALTHY, driver="550.54")) == [("gpu-unused", "warning")]


def test_a_torch_for_gpus_without_one_is_wasteful():
    machine = replace(HEALTHY, torch=replace(HEALTHY.torch, built_for="CUDA 12.8"))
    assert names(machine) == [("gpu-missing", "warning")]


def test_a_gpu_that_torch_cannot_use_is_reported_with_its_complaint():
    torch = replace(HEALTHY.torch, built_for="CUDA 12.8", complaint="the driver is too old")
    finding = only(replace(HEALTHY, driver="450.80", torch=torch))
    assert finding.name == "gpu-unusable"
    assert "driver 450.80" in finding.found
    assert "the driver is too old" in finding.found


def test_several_gpus_are_a_warning_unless_each_has_a_process():
    several = replace(WITH_GPU, torch=replace(WITH_GPU.torch, devices=(GPU, GPU)))
    finding = only(several)
    assert (finding.name, finding.severity) == ("data-parallel", "warning")
    assert "CUDA_VISIBLE_DEVICES=0" in finding.fix
    assert "torchrun" in finding.fix
    assert "transformers#30445" in finding.threads
    assert names(replace(several, environment={"WORLD_SIZE": "2"})) == []


def test_a_gpu_that_cannot_multiply_is_an_error():
    broken = tuple(
        replace(one, usable=False, fast=None, reason="no kernel image") if one.device == "cuda" else one
        for one in WITH_GPU.precisions
    )
    finding = only(replace(WITH_GPU, precisions=broken))
    assert (finding.name, finding.severity) == ("gpu-fails", "error")
    assert "no kernel image" in finding.found


def test_a_precision_that_is_chosen_against_the_hardware_is_a_warning():
    old_gpu = tuple(
        replace(one, fast=False) if (one.device, one.dtype) == ("cuda", "bfloat16") else one
        for one in WITH_GPU.precisions
    )
    machine = replace(WITH_GPU, precisions=old_gpu, environment={"ACCELERATE_MIXED_PRECISION": "bf16"})
    finding = only(machine)
    assert (finding.name, finding.severity) == ("slow-precision", "warning")
    assert finding.fix == "unset it, or choose fp16"
    assert names(replace(machine, environment={"ACCELERATE_MIXED_PRECISION": "fp16"})) == []
    assert names(replace(machine, environment={"ACCELERATE_MIXED_PRECISION": "no"})) == []


def test_fp16_on_a_cpu_is_said_to_be_ignored():
    finding = only(replace(HEALTHY, environment={"ACCELERATE_MIXED_PRECISION": "fp16"}))
    assert "ignored" in finding.found
    assert finding.fix == "unset it"


def test_a_bitsandbytes_that_fails_on_a_device_is_a_warning():
    finding = only(replace(HEALTHY, bitsandbytes={"cpu": "", "cuda": "RuntimeError: no binary"}))
    assert finding.severity == "warning"
    assert "on cuda: RuntimeError: no binary" in finding.found


def test_another_cuda_version_for_bitsandbytes_than_torchs_is_a_warning():
    assert names(replace(WITH_GPU, environment={"BNB_CUDA_VERSION": "118"})) == [("bnb-cuda-version", "warning")]
    assert names(replace(WITH_GPU, environment={"BNB_CUDA_VERSION": "128"})) == []
    assert names(replace(WITH_GPU, environment={"BNB_CUDA_VERSION": ""})) == []
    assert names(replace(WITH_GPU, environment={"BNB_CUDA_VERSION": "118"}, bitsandbytes={})) == []


@pytest.mark.parametrize(("told", "found"), [("16", 1), ("16,2", 1), ("8", 0), ("dynamic", 0), ("", 0)])
def test_more_threads_than_cores_are_a_warning(told, found):
    machine = replace(HEALTHY, environment={"OMP_NUM_THREADS": told})
    assert names(machine) == [("too-many-threads", "warning")] * found


def test_a_torch_that_does_not_know_of_the_containers_quota_is_told_of_it():
    finding = only(replace(HEALTHY, processor=replace(HEALTHY.processor, usable_cores=2)))
    assert "torch uses 4 threads" in finding.found
    assert finding.fix == "set OMP_NUM_THREADS=2"


@pytest.mark.parametrize(("value", "found"), [("false", 1), ("0", 1), ("true", 0)])
def test_tokenizers_that_are_kept_to_one_core_are_a_warning(value, found):
    machine = replace(HEALTHY, environment={"TOKENIZERS_PARALLELISM": value})
    assert names(machine) == [("slow-tokenizers", "warning")] * found


def test_less_than_two_gibibytes_that_may_be_used_are_a_warning():
    assert names(replace(HEALTHY, memory=Memory(64 * GIB, GIB, None))) == [("little-memory", "warning")]


@pytest.mark.parametrize(("free", "severity"), [(GIB, "warning"), (GIB // 100, "error")])
def test_a_disk_that_is_nearly_full_is_found_once_with_all_places_on_it(free, severity):
    disks = (
        Disk("working folder", "/runs", free, 100 * GIB),
        Disk("hub cache", "/cache", free, 100 * GIB),
        Disk("temporary files", "/temporary", 50 * GIB, 60 * GIB),
    )
    finding = only(replace(HEALTHY, disks=disks))
    assert (finding.name, finding.severity) == ("disk-full", severity)
    assert "/runs" in finding.found
    assert "/cache" in finding.found
    assert "HF_HOME" in finding.fix
    assert "TMPDIR" not in finding.fix


def test_a_hub_is_missed_only_where_it_was_asked():
    silent = replace(HEALTHY.hub, reachable=False, answer="timed out")
    finding = only(replace(HEALTHY, hub=silent))
    assert "https://hub.example did not answer: timed out" in finding.found
    assert names(replace(HEALTHY, hub=replace(silent, reachable=True))) == []


def test_errors_come_before_warnings():
    machine = replace(with_package("vllm"), memory=Memory(GIB, GIB, None), disks=(Disk("working folder", "/", 0, GIB),))
    assert names(machine) == [("disk-full", "error"), ("little-memory", "warning")]
