"""Devices and types, with a stand-in for GPUs of different ages."""

import pytest
import torch

from eventune.backbones.placement import Placement


@pytest.fixture
def gpu(monkeypatch):
    """Lets the machine have a GPU, with or without bfloat16 of its own; like older ones, it can emulate it."""

    def of(*, has_bfloat16):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True: has_bfloat16 or including_emulation
        )
        return Placement.of()

    return of


def test_a_frozen_base_is_in_bfloat16_on_a_gpu_that_computes_in_it(gpu):
    placement = gpu(has_bfloat16=True)

    assert placement.device == torch.device("cuda")
    assert placement.dtype_of_causal_lm(is_frozen=True) == "bfloat16"
    assert placement.dtype_of_causal_lm(is_frozen=False) == "float32"


def test_a_gpu_that_only_emulates_bfloat16_gets_float32(gpu):
    assert gpu(has_bfloat16=False).dtype_of_causal_lm(is_frozen=True) == "float32"


def test_the_type_that_is_asked_for_is_taken(gpu):
    gpu(has_bfloat16=False)

    assert Placement.of("cuda:1", "float16").dtype_of_causal_lm(is_frozen=True) == "float16"
