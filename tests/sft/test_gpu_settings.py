"""Settings that matter on a GPU, as far as a CPU can tell."""

import pytest
import torch

from eventune.errors import EventuneError


def test_rows_are_pinned_for_a_gpu_alone(settings, tmp_path, monkeypatch):
    made = settings()
    assert not made.trainer_settings(tmp_path, has_dev=False).dataloader_pin_memory
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert not settings(device="cpu").trainer_settings(tmp_path, has_dev=False).dataloader_pin_memory


@pytest.mark.parametrize("setting", [{"fsdp": "full_shard"}, {"deepspeed": "zero.json"}])
def test_a_model_that_is_shared_out_over_devices_is_refused(setting, settings):
    with pytest.raises(EventuneError, match=f"{next(iter(setting))}: expected nothing"):
        settings(**setting)
