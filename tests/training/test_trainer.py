"""What only a GPU or several processes need of the trainer, as far as a CPU can tell."""

import pytest
import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from eventune.errors import EventuneError
from eventune.training.trainer import TaskTrainer


class NoTask:
    """A task that is never asked."""

    def collate(self, examples):
        raise AssertionError


@pytest.fixture
def trainer(tmp_path):
    arguments = TrainingArguments(output_dir=str(tmp_path), report_to="none", use_cpu=True)
    return TaskTrainer(nn.Linear(2, 2), NoTask(), arguments, examples=[1], learning_rate_of=lambda _: 1e-3, store=None)


def scaled_by(scale):
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    scaler.scale(torch.ones(1))
    return scaler


def test_the_scale_of_a_loss_in_float16_goes_on_where_it_was(trainer):
    trainer.accelerator.scaler = scaled_by(2.0**7)
    figures = trainer._loss_scale()
    trainer.accelerator.scaler = scaled_by(2.0**16)
    trainer._restore_loss_scale(figures)

    assert trainer.accelerator.scaler.get_scale() == 2.0**7


@pytest.mark.parametrize("figures", [{}, {"loss_scale": 8.0, "unscaled_steps": 1.0}])
def test_in_another_type_no_loss_is_scaled(trainer, figures):
    assert trainer._loss_scale() == {}
    trainer._restore_loss_scale(figures)


@pytest.mark.parametrize("how", ["is_fsdp_enabled", "is_deepspeed_enabled"])
def test_a_model_that_is_shared_out_over_devices_is_refused(how, trainer, monkeypatch):
    def shares_out(self, **_):
        vars(self).update(vars(trainer), **{how: True})

    monkeypatch.setattr(Trainer, "__init__", shares_out)
    with pytest.raises(EventuneError, match="expected the whole model on each device, found FSDP or DeepSpeed"):
        TaskTrainer(nn.Linear(2, 2), NoTask(), trainer.args, examples=[1], learning_rate_of=float, store=None)


class Products:
    """A task that is no more than a product."""

    def length(self, example):
        return 1

    def collate(self, examples):
        return {"attention_mask": torch.ones(len(examples), 1, dtype=torch.long)}

    def num_items(self, batch):
        return torch.tensor(1)

    def loss(self, model, batch):
        return model(torch.ones(1, 2)).sum()


def test_a_second_training_of_a_model_is_in_mixed_precision_as_the_first(tmp_path):
    model, types = nn.Sequential(nn.Linear(2, 2)), []
    model[0].register_forward_hook(lambda _, __, product: types.append(product.dtype))
    half = {"bf16": True, "use_cpu": True, "report_to": "none", "max_steps": 1, "save_strategy": "no"}
    for _ in range(2):
        arguments = TrainingArguments(output_dir=str(tmp_path), **half)
        options = {"examples": [1], "learning_rate_of": lambda _: 1e-3, "store": None}
        TaskTrainer(model, Products(), arguments, **options).train()
    assert types == [torch.bfloat16, torch.bfloat16]


def test_what_only_a_further_step_would_need_is_released(trainer):
    optimizer = trainer.create_optimizer()
    trainer.model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert optimizer.state

    trainer.release()

    assert not optimizer.state
