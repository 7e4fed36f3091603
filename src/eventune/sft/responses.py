"""What a model answers to the rows of a part, scored against their references."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn
from transformers import PreTrainedTokenizerBase

from eventune.generation.conversation import Conversation
from eventune.generation.encoding import ConversationEncoder
from eventune.generation.generating import GenerationSettings, generate
from eventune.scoring.text import score_texts
from eventune.sft.settings import SftArguments

CLASSIC_FILE = "generated_predictions.txt"
"""JSON lines of `labels` and `predict`, as ChatGLM2's script writes them."""
FILE = "predictions.jsonl"
"""JSON lines with the prompts and all references as well."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Responses to a part's rows.

    Attributes:
        rows: The rows.
        texts: The responses, in the rows' order.
        scores: ROUGE, BLEU and chrF as fractions; empty where rows have no references.
    """

    rows: Sequence[Conversation]
    texts: Sequence[str]
    scores: Mapping[str, float]

    def write(self, folder: Path) -> None:
        """Write both files of predictions."""
        with (folder / CLASSIC_FILE).open("w", encoding="utf-8", newline="\n") as file:
            for row, text in zip(self.rows, self.texts, strict=True):
                file.write(json.dumps({"labels": row.response, "predict": text}, ensure_ascii=False) + "\n")
        with (folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
            for row, text in zip(self.rows, self.texts, strict=True):
                prompt = [{"role": turn.role, "content": turn.content} for turn in row.prompt]
                line = {"messages": prompt, "references": list(row.references), "prediction": text}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


class Responses:
    """Generates and scores responses."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, encoder: ConversationEncoder, arguments: SftArguments
    ) -> None:
        self._tokenizer, self._encoder = tokenizer, encoder
        self._batch_size = arguments.training.per_device_eval_batch_size
        chosen = arguments.generation
        self._settings = GenerationSettings(
            max_new_tokens=arguments.generated_length,
            num_beams=arguments.data.num_beams or arguments.training.generation_num_beams or 1,
            do_sample=chosen.do_sample,
            temperature=chosen.temperature,
            top_p=chosen.top_p,
            top_k=chosen.top_k,
            repetition_penalty=chosen.repetition_penalty,
            seed=arguments.training.seed,
        )

    def of(self, model: nn.Module, rows: Sequence[Conversation]) -> Predictions:
        """Return a model's responses to some rows.

        Args:
            model: The model, with or without an adapter.
            rows: The rows; where each has references, the responses are scored.

        Returns:
            The responses and their scores.
        """
        prompts, _ = self._encoder.prompts(rows)
        texts = generate(model, self._tokenizer, prompts, self._settings, batch_size=self._batch_size)
        references = [row.references for row in rows]
        scores = score_texts(texts, references) if all(references) else {}
        return Predictions(rows, texts, scores)
