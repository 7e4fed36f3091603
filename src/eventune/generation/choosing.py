"""How the next token is chosen where it is not simply the likeliest: the same whatever a prompt is batched with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper


class Repetition(LogitsProcessor):
    """Makes tokens that are there already less likely (arXiv:1909.05858, section 4.1), padding not counted.

    transformers' own takes padding on the left for text, so that a padded row would get another response.
    """

    def __init__(self, penalty: float, mask: Tensor) -> None:
        """Take the penalty, above 1 for less repetition, and the prompts' attention mask, *shape* (rows, positions)."""
        self._penalty, self._mask = penalty, mask

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the scores with those of seen tokens lowered, *shape* (rows or beams, vocabulary)."""
        counted = torch.ones_like(input_ids, dtype=scores.dtype)
        beams = len(input_ids) // len(self._mask)
        counted[:, : self._mask.shape[1]] = self._mask.to(counted).repeat_interleave(beams, dim=0)
        seen = torch.zeros_like(scores).scatter_add_(1, input_ids, counted) > 0
        lowered = torch.where(scores < 0, scores * self._penalty, scores / self._penalty)
        return torch.where(seen, lowered, scores)


class Drawing(LogitsProcessor):
    """Draws each row's token with random numbers of its own, and leaves it as the only one that can be chosen."""

    def __init__(
        self,
        numbers: Sequence[int],
        *,
        prompt_length: int,
        max_new_tokens: int,
        seed: int,
        temperature: float,
        top_k: int,
        top_p: float,
    ) -> None:
        """Take the rows' numbers among all, the length of the padded prompts, and what to draw from."""
        points = [np.random.default_rng([seed, number]).random(max_new_tokens) for number in numbers]
        self._points = torch.from_numpy(np.stack(points))
        self._prompt_length = prompt_length
        self._warpers: list[LogitsProcessor] = [TemperatureLogitsWarper(float(temperature))]
        if top_k:
            self._warpers.append(TopKLogitsWarper(top_k))
        if top_p < 1:
            self._warpers.append(TopPLogitsWarper(top_p))

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores of 0 for the tokens drawn and of minus infinity for all others, *shape* (rows, vocabulary)."""
        for warper in self._warpers:
            scores = warper(input_ids, scores)
        # In float64, so that the last bits of the scores, which depend on the batch, hardly ever matter; MPS has none.
        place = torch.device("cpu") if scores.device.type == "mps" else scores.device
        cumulative = scores.to(place).double().softmax(dim=-1).cumsum(dim=-1)
        step = input_ids.shape[1] - self._prompt_length
        points = self._points[:, step : step + 1].to(place) * cumulative[:, -1:]
        drawn = torch.searchsorted(cumulative, points, right=True).clamp(max=scores.shape[-1] - 1)
        return torch.full_like(scores, -torch.inf).scatter_(1, drawn.to(scores.device), 0.0)
