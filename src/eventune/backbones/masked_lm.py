"""How well an encoder still does what it was pretrained for, on a text that is always the same."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerBase

from eventune.backbones.quiet import quiet
from eventune.backbones.resolve import BaseModel

TEXT = (
    "The river froze early that winter, and the children walked across it to school.",
    "A baker opens his shop before sunrise, because bread takes several hours to rise.",
    "Most birds leave in autumn; the sparrows stay and look for seeds in the gardens.",
    "Nobody had seen the old engine run, yet it started at the first attempt.",
    "The committee will meet again in March to discuss the budget for the new library.",
    "She learned to play the violin from her grandmother, who had learned it from a neighbour.",
    "Water boils at a lower temperature in the mountains, so beans need more time there.",
    "After the storm the farmers repaired the fences and counted their sheep.",
)
"""Plain sentences that no corpus of events holds."""
_EVERY = 6
"""Every sixth subword token is masked."""
_HALVES = (torch.bfloat16, torch.float16)


class MaskedLanguageModel:
    """The checkpoint's own head for masked tokens; a checkpoint without one cannot say what an encoder forgot."""

    def __init__(self, base: BaseModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._model: Any = None
        if tokenizer.mask_token_id is None:
            return
        try:
            # First by the names of its weights alone: most checkpoints for extraction have no such head.
            if not _load(base, device_map="meta")[1]["missing_keys"]:
                self._model = _load(base, dtype=torch.float32)[0].eval()
        except Exception:  # the architecture has none, and each says so in its own way
            return

    @torch.inference_mode()
    def loss(self, encoder: nn.Module) -> float | None:
        """Return an encoder's mean loss on the masked tokens of the fixed text.

        Args:
            encoder: The encoder, with or without adapters.

        Returns:
            The cross-entropy in nats; None where the checkpoint has no head for it.
        """
        if self._model is None:
            return None
        device = next(encoder.parameters()).device
        batch = self._tokenizer(list(TEXT), return_tensors="pt", padding=True).to(device)
        ids, mask = batch["input_ids"], batch["attention_mask"].bool()
        chosen = mask & (torch.arange(ids.shape[1], device=device) % _EVERY == _EVERY // 2)
        masked = ids.masked_fill(chosen, self._tokenizer.mask_token_id)
        model, training = self._model.to(device), encoder.training
        setattr(model, model.base_model_prefix, encoder.eval())
        try:
            # The head is in float32, and so may adapters be on a base that is not.
            half = next((weight.dtype for weight in encoder.parameters() if weight.dtype in _HALVES), None)
            with torch.autocast(device.type, dtype=half, enabled=half is not None):
                logits = model(input_ids=masked, attention_mask=batch["attention_mask"]).logits
        finally:
            encoder.train(training)
        return float(nn.functional.cross_entropy(logits[chosen].float(), ids[chosen]))


def _load(base: BaseModel, **options: Any) -> tuple[Any, dict[str, Any]]:
    with quiet():
        model, report = AutoModelForMaskedLM.from_pretrained(
            base.folder, use_safetensors=True, trust_remote_code=False, output_loading_info=True, **options
        )
    return model, report
