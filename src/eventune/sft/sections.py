"""The groups of settings of `eventune sft`, beside those of the data: model, generation, training."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from transformers import Seq2SeqTrainingArguments

from eventune.adapters.arguments import AdapterArguments
from eventune.backbones.arguments import DEVICE_HELP, DTYPE_HELP
from eventune.backbones.placement import Placement
from eventune.errors import InvalidValueError, out_of_range
from eventune.generation.generating import sampling_problems
from eventune.training.arguments import MOST_BATCH, MOST_EPOCHS

_MOST_STEPS = 10**9
_POSITIVE = {
    "learning_rate": 1_000,
    "num_train_epochs": MOST_EPOCHS,
    "logging_steps": _MOST_STEPS,
    "save_steps": _MOST_STEPS,
}
_BOUNDS = {
    **dict.fromkeys(("per_device_train_batch_size", "per_device_eval_batch_size"), (1, MOST_BATCH)),
    "gradient_accumulation_steps": (1, MOST_BATCH),
    "seed": (0, 2**32 - 1),
    "weight_decay": (0, 1_000),
    **dict.fromkeys(("warmup_steps", "max_grad_norm", "eval_steps"), (0, 10**9)),
    **dict.fromkeys(("label_smoothing_factor", "adam_beta1", "adam_beta2"), (0, 1)),
    **dict.fromkeys(("dataloader_num_workers", "generation_num_beams"), (0, 1_000)),
    "generation_max_length": (0, 10**9),
}
_TEXT_METRICS = ("rouge", "bleu", "chrf")


@dataclass(kw_only=True)
class SftModelArguments:
    """The base model, and what is trained of it: a prefix with pre_seq_len, LoRA with lora_r, else everything."""

    model_name_or_path: str = field(
        default="smollm2", metadata={"help": "A folder, a packaged model such as smollm2, or a hub id"}
    )
    model_revision: str = field(default="main", metadata={"help": "Revision on the hub"})
    ptuning_checkpoint: str | None = field(
        default=None, metadata={"help": "Finished run or checkpoint to go on from, or to evaluate, with do_train off"}
    )
    quantization_bit: int | None = field(default=None, metadata={"help": "QLoRA: the base in 4 or 8 bits"})
    pre_seq_len: int | None = field(default=None, metadata={"help": "P-tuning v2 with so many learned positions"})
    prefix_projection: bool = field(default=False, metadata={"help": "Compute them by a small network"})
    lora_r: int | None = field(default=None, metadata={"help": "LoRA of this rank"})
    lora_alpha: int | None = field(default=None, metadata={"help": "LoRA's scale is lora_alpha / lora_r; 2 lora_r"})
    lora_dropout: float = field(default=0.0, metadata={"help": "Dropout before LoRA's A"})
    lora_target_modules: str = field(
        default="auto",
        metadata={"help": "auto (all projections), attention-qv, attention, mlp, names with commas, a regex"},
    )
    use_rslora: bool = field(default=False, metadata={"help": "Scale by lora_alpha / sqrt(lora_r)"})
    use_dora: bool = field(default=False, metadata={"help": "Learn the weights' magnitude beside their direction"})
    init_lora_weights: str = field(default="default", metadata={"help": "default, gaussian, orthogonal, olora, pissa"})
    tie_lora_a: bool = field(default=False, metadata={"help": "One A for q_proj, k_proj and v_proj of a block"})
    loraplus_lr_ratio: float = field(default=1.0, metadata={"help": "LoRA+: B's learning rate over A's"})
    trained_layers: int = field(
        default=0,
        metadata={"help": "Train the last blocks alone; what lies below is computed once for all epochs; 0: all"},
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = field(
        default="auto", metadata={"help": f"{DTYPE_HELP[0].upper()}{DTYPE_HELP[1:]}"}
    )
    device: str = field(default="auto", metadata={"help": f"Where the model is trained: {DEVICE_HELP}"})

    def adapter(self) -> AdapterArguments:
        """Return what is trained, as ChatGLM2-6B's script decides: pre_seq_len, then lora_r, else the whole model."""
        method = "prefix" if self.pre_seq_len else "lora" if self.lora_r else "full"
        rank = self.lora_r or 8
        names = [name.strip() for name in self.lora_target_modules.split(",")]
        are_names = len(names) > 1 and all(re.fullmatch(r"[\w.]+", name) for name in names)
        return AdapterArguments(
            method=method,
            lora_r=rank,
            lora_alpha=self.lora_alpha or 2 * rank,
            lora_dropout=self.lora_dropout,
            lora_target_modules=names if are_names else self.lora_target_modules,
            use_rslora=self.use_rslora,
            use_dora=self.use_dora,
            init_lora_weights=self.init_lora_weights,
            tie_lora_a=self.tie_lora_a,
            loraplus_lr_ratio=self.loraplus_lr_ratio,
            pre_seq_len=self.pre_seq_len or 32,
            prefix_projection=self.prefix_projection,
            trained_layers=self.trained_layers,
            all_layers_epochs=0,
            quantization_bit=self.quantization_bit or 0,
        )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        yield from out_of_range(self, dict.fromkeys(("pre_seq_len", "lora_r", "lora_alpha"), (1, math.inf)))
        try:
            Placement.of(self.device)
        except InvalidValueError as error:
            yield error
        if self.quantization_bit and not (self.lora_r and not self.pre_seq_len):
            yield InvalidValueError("quantization_bit", "0 without lora_r", str(self.quantization_bit))
        elif all((value or 1) >= 1 for value in (self.pre_seq_len, self.lora_r, self.lora_alpha)):
            yield from self.adapter().problems()


@dataclass(kw_only=True)
class SamplingArguments:
    """How responses are generated; greedily unless told otherwise."""

    do_sample: bool = field(default=False, metadata={"help": "Draw tokens in place of taking the likeliest; seeded"})
    temperature: float = field(default=1.0, metadata={"help": "Flattens (above 1) or sharpens what is drawn from"})
    top_p: float = field(default=1.0, metadata={"help": "Draw from the likeliest tokens of this total probability"})
    top_k: int = field(default=0, metadata={"help": "Draw from so many tokens; 0 for all"})
    repetition_penalty: float = field(default=1.0, metadata={"help": "Above 1: less of what was said already"})

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        yield from sampling_problems(self)


@dataclass(kw_only=True)
class SftTrainingArguments(Seq2SeqTrainingArguments):
    """Training; transformers' own settings."""

    overwrite_output_dir: bool = field(default=False, metadata={"help": "Remove an earlier run in output_dir first"})
    resume_from_checkpoint: str | None = field(
        default=None, metadata={"help": "true: go on from the last checkpoint in output_dir; or a checkpoint's folder"}
    )
    report_to: list[str] = field(
        default_factory=lambda: ["none"], metadata={"help": "tensorboard, wandb, mlflow …; none by default"}
    )
    seed: int = field(default=42, metadata={"help": "Seed of the adapter, dropout, and the data's order"})
    save_strategy: str = field(default="steps", metadata={"help": "no, steps, epoch or best"})

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        yield from out_of_range(self, _BOUNDS)
        for name, most in _POSITIVE.items():
            if not 0 < getattr(self, name) <= most:
                yield InvalidValueError(name, f"a number > 0, and <= {most:,}", str(getattr(self, name)))
        if self.max_steps != -1 and not 1 <= self.max_steps <= _MOST_STEPS:
            yield InvalidValueError("max_steps", f"an integer from 1 to {_MOST_STEPS:,}, or -1", str(self.max_steps))
        metric = (self.metric_for_best_model or "loss").removeprefix("eval_")
        if metric.startswith(_TEXT_METRICS) and not self.predict_with_generate:
            expected = f"loss or perplexity without predict_with_generate, which {metric} needs"
            yield InvalidValueError("metric_for_best_model", expected, metric)
        elif not metric.startswith((*_TEXT_METRICS, "loss", "perplexity")):
            yield InvalidValueError("metric_for_best_model", "loss, perplexity, rouge-l, bleu-4, bleu or chrf", metric)
