"""A run's settings as transformers' trainer takes them, for devices that this machine need not have."""

import os

import pytest
import torch

from eventune.errors import InvalidValueError
from eventune.training.arguments import OptimisationArguments
from eventune.training.determinism import deterministic
from eventune.training.epochwise import training_arguments

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def arguments(tmp_path, device=CPU, **values):
    return training_arguments(OptimisationArguments(**values), tmp_path, has_dev=False, device=device)


def test_on_a_cpu_nothing_is_pinned(tmp_path):
    made = arguments(tmp_path)

    assert made.use_cpu
    assert not made.dataloader_pin_memory
    assert not made.accelerator_config.non_blocking


def test_batches_go_to_a_gpu_from_pinned_memory_while_it_computes(tmp_path):
    made = arguments(tmp_path, GPU)

    assert not made.use_cpu
    assert made.dataloader_pin_memory
    assert made.accelerator_config.non_blocking


def test_bfloat16_is_refused_on_a_gpu_that_only_emulates_it(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)

    with pytest.raises(InvalidValueError, match="bf16: expected false on a GPU without bfloat16"):
        arguments(tmp_path, GPU, bf16=True)


def test_float16_is_refused_without_a_gpu(tmp_path):
    with pytest.raises(InvalidValueError, match="fp16: expected false on cpu, found true"):
        arguments(tmp_path, fp16=True)


def test_two_types_at_once_are_refused():
    problems = OptimisationArguments(output_dir="out", bf16=True, fp16=True).problems()

    assert [problem.field for problem in problems] == ["fp16"]


def test_products_on_a_gpu_are_added_in_one_order(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with deterministic(0):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
