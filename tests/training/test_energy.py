import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from eventune.training.energy import EnergyCounter, energy_counters, gpu_reader, processor_reader


def write(folder, name, microjoules):
    path = folder / name / "energy_uj"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{microjoules}\n", encoding="ascii")


def test_packages_add_up_and_their_parts_do_not_count_twice(tmp_path):
    for name, energy in (("intel-rapl:0", 1_000_000), ("intel-rapl:1", 5_000_000), ("intel-rapl:0:0", 7)):
        write(tmp_path, name, energy)
    counter = EnergyCounter(processor_reader(tmp_path))
    counter.start()
    write(tmp_path, "intel-rapl:0", 3_000_000)
    write(tmp_path, "intel-rapl:1", 6_500_000)
    counter.stop()

    assert counter.joules == 3.5
    counter.start()
    write(tmp_path, "intel-rapl:0", 0)
    counter.stop()
    assert counter.joules == 3.5


def test_a_machine_that_does_not_tell_gives_nothing(tmp_path):
    counter = EnergyCounter(processor_reader(tmp_path))
    counter.start()
    counter.stop()

    assert counter.joules is None


class NvmlError(Exception):
    pass


@pytest.fixture
def nvml(monkeypatch):
    """Stand in for NVIDIA's library, with one GPU whose counter tests set."""
    module = ModuleType("pynvml")
    module.NVMLError = NvmlError
    module.millijoules = {"GPU-1f2e": 5_000}
    module.nvmlInit = lambda: None
    module.nvmlDeviceGetHandleByUUID = lambda uuid: uuid
    module.nvmlDeviceGetTotalEnergyConsumption = lambda handle: module.millijoules[handle]
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="1f2e"))
    return module


def test_a_gpus_energy_is_counted_apart_from_the_processors(nvml):
    counters = energy_counters(torch.device("cuda"))
    assert list(counters) == ["energy_joules", "gpu_energy_joules"]
    counter = counters["gpu_energy_joules"]
    counter.start()
    nvml.millijoules["GPU-1f2e"] = 12_500
    counter.stop()

    assert counter.joules == 7.5


def test_a_gpu_without_a_counter_or_without_its_library_gives_nothing(nvml, monkeypatch):
    def fail(handle):
        raise NvmlError("Not Supported")

    nvml.nvmlDeviceGetTotalEnergyConsumption = fail
    assert gpu_reader(torch.device("cuda"))() is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu_reader(torch.device("cuda"))() is None


def test_a_training_on_the_processor_does_not_ask_for_a_gpu(nvml):
    nvml.nvmlInit = pytest.fail
    assert gpu_reader(torch.device("cpu"))() is None
