"""Rows a second of fine-tuning an LLM: eventune's trainer, the notes' way, and TRL's at its best settings.

All train the same LoRA adapter (same rank, targets, model, rows, batch size, optimiser) on the same rows:

- `plain`: `transformers.Trainer` with PEFT, every row padded to the maximum, logits of the whole vocabulary at every
  position, as ChatGLM2's script did.
- `trl`: TRL's SFTTrainer with PEFT, loss on the completion only, batches padded to their longest row in TRL's order by
  length, and its default loss, which is computed in chunks and skips what has no label.
- `ours`: `eventune.training.TaskTrainer` with what `eventune sft` does by default.
- `packed`: the same with `packing`, as many rows a step as the others have in the mean.
- `top`: the same with the last `--trained_layers` blocks trained alone, above states that are computed once, before
  the clock starts: an epoch from the second one on.

    python benchmarks/sft_throughput.py --train_file ../shared/data/e2e/valid.txt --rows 256

Times are wall-clock seconds of the training loop alone; the ways take turns, and medians of the repeats are printed.
TRL is installed by `pip install -e '.[benchmark]'`; without it that row is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import Trainer, TrainingArguments, set_seed

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.store import AdapterStore
from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.resolve import resolve
from eventune.generation.collating import RowCollator, pack
from eventune.generation.encoding import ConversationEncoder, EncodedRow
from eventune.generation.rows import Columns, read_rows
from eventune.generation.task import GenerationTask
from eventune.generation.templates import set_template
from eventune.runs.top_layers import lower_states
from eventune.training.trainer import TaskTrainer

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RANK = 16
WAYS = ("plain", "trl", "ours", "packed", "top")


class Bench:
    """The rows, and how each way trains on them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.base = resolve(options.model_name_or_path)
        lm = load_causal_lm(self.base)
        set_template(lm.tokenizer, "auto")
        self.tokenizer = lm.tokenizer
        encoder = ConversationEncoder(
            lm.tokenizer, max_source_length=options.max_source_length, max_target_length=options.max_target_length
        )
        columns = Columns(prompt=options.prompt_column, response=options.response_column)
        rows = read_rows(options.train_file, columns=columns, max_rows=options.rows)
        self.examples, _ = encoder.examples(rows)

    def _settings(self, folder: str, **own: Any) -> dict[str, Any]:
        return {
            "output_dir": folder,
            "per_device_train_batch_size": self.options.batch_size,
            "num_train_epochs": 1,
            "learning_rate": 1e-4,
            "logging_strategy": "no",
            "save_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
            "use_cpu": not torch.cuda.is_available(),
            "dataloader_pin_memory": torch.cuda.is_available(),
            "remove_unused_columns": False,
            **own,
        }

    def _lora(self) -> LoraConfig:
        return LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=TARGETS, task_type="CAUSAL_LM")

    def ours(self, folder: str) -> Trainer:
        """Our trainer."""
        return self._ours(folder, self.examples)

    def packed(self, folder: str) -> Trainer:
        """Our trainer on packed rows."""
        tokens = sum(len(example.input_ids) for example in self.examples)
        capacity = tokens * self.options.batch_size // len(self.examples)
        return self._ours(folder, pack(self.examples, capacity), per_device_train_batch_size=1)

    def top(self, folder: str) -> Trainer:
        """Our trainer, the last blocks alone."""
        return self._ours(folder, self.examples, trained=self.options.trained_layers)

    def _ours(self, folder: str, examples: list[Any], trained: int = 0, **own: Any) -> Trainer:
        model = load_causal_lm(self.base).model
        arguments = AdapterArguments(
            lora_r=RANK,
            lora_alpha=2 * RANK,
            lora_target_modules=TARGETS,
            trained_layers=trained,
            all_layers_epochs=0,
        )
        adapted, task = attach(model, arguments), GenerationTask(RowCollator(int(self.tokenizer.pad_token_id)))
        return TaskTrainer(
            adapted,
            task,
            TrainingArguments(**self._settings(folder, label_names=[], **own)),
            examples=examples,
            learning_rate_of=lambda _: 1e-4,
            store=AdapterStore(),
            lower=lower_states(model, arguments, Path(folder)) if trained else None,
        )

    def plain(self, folder: str) -> Trainer:
        """Padding to the maximum, all logits."""
        model = get_peft_model(load_causal_lm(self.base).model, self._lora())
        length = self.options.max_source_length + self.options.max_target_length
        collator = RowCollator(int(self.tokenizer.pad_token_id), length=length)

        def collate(rows: list[EncodedRow]) -> dict[str, torch.Tensor]:
            batch = collator(rows)
            del batch["position_ids"]
            return batch

        return Trainer(
            model=model,
            args=TrainingArguments(**self._settings(folder)),
            train_dataset=self.examples,
            data_collator=collate,
        )

    def trl(self, folder: str) -> Trainer:
        """TRL's trainer at its best settings for this machine."""
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        rows = [
            {"input_ids": row.input_ids, "completion_mask": [int(label != -100) for label in row.labels]}
            for row in self.examples
        ]
        settings = self._settings(folder, train_sampling_strategy="group_by_length", bf16=False)
        del settings["remove_unused_columns"]
        config = SFTConfig(
            **settings,
            max_length=self.options.max_source_length + self.options.max_target_length,
            completion_only_loss=True,
            loss_type=self.options.trl_loss,
            gradient_checkpointing=False,
        )
        return SFTTrainer(
            model=load_causal_lm(self.base).model,
            args=config,
            train_dataset=Dataset.from_list(rows),
            processing_class=self.tokenizer,
            peft_config=self._lora(),
        )

    def seconds(self, way: Callable[[str], Trainer]) -> tuple[float, float]:
        """Return how long one epoch takes, and its loss."""
        with tempfile.TemporaryDirectory() as folder:
            set_seed(0)
            trainer = way(folder)
            if isinstance(trainer, TaskTrainer) and trainer.lower is not None:
                trainer.lower.compute([trainer.task.length(row) for row in trainer.examples], trainer._read)
            started = time.perf_counter()
            output = trainer.train()
            return time.perf_counter() - started, float(output.training_loss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model_name_or_path", default="smollm2")
    parser.add_argument("--train_file", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--max_source_length", type=int, default=160)
    parser.add_argument("--max_target_length", type=int, default=96)
    parser.add_argument("--prompt_column", default="")
    parser.add_argument("--response_column", default="")
    parser.add_argument("--trained_layers", type=int, default=10, help="of the way `top` (default: 10)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["plain", "trl", "ours"])
    parser.add_argument("--trl_loss", default="nll", help="TRL's loss_type")
    options = parser.parse_args()
    if importlib.util.find_spec("trl") is None:
        options.ways = [way for way in options.ways if way != "trl"]
    bench = Bench(options)
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in options.ways}
    for _ in range(options.repeats):
        for way in options.ways:
            found[way].append(bench.seconds(getattr(bench, way)))
    rates = {way: len(bench.examples) / statistics.median(s for s, _ in runs) for way, runs in found.items()}
    result: dict[str, dict[str, float]] = {}
    for way, rate in rates.items():
        over_it = {"ours_over_it": rates["ours"] / rate} if "ours" in rates else {}
        result[way] = {"rows_per_second": rate, **over_it, "loss": found[way][0][1]}
    print(json.dumps({"rows": len(bench.examples), "threads": torch.get_num_threads(), **result}, indent=2))


if __name__ == "__main__":
    main()
