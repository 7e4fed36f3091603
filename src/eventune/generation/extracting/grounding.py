"""Decoding that keeps to a grammar: at each step the model chooses among the tokens that may follow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import LogitsProcessor

from eventune.generation.extracting.grammar import Grammar, State

FORBIDDEN = -torch.inf


class Grounding(LogitsProcessor):
    """Leaves each row of a batch the tokens that its grammar allows, and keeps what was chosen.

    Attributes:
        states: Where each row is.
    """

    def __init__(self, grammars: Sequence[Grammar], *, min_probability: float = 0.5) -> None:
        """Begin answers.

        Args:
            grammars: One for each row.
            min_probability: A role is filled where filling it is at least as probable as this, against leaving it
                empty; 0.5 takes the likelier of both.
        """
        self._grammars = grammars
        self._min_probability = min_probability
        self.states: list[State] = [grammar.start() for grammar in grammars]
        self._probabilities: list[Tensor] = [torch.empty(0) for _ in grammars]
        self._free: dict[frozenset[int], Tensor] = {}
        self._length = -1

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Forbid what may not follow; *shape* of both (rows, …), of scores (rows, vocabulary)."""
        if self._length >= 0:
            self._take(input_ids[:, -1].tolist())
        self._length = input_ids.shape[1]
        masked = torch.full_like(scores, FORBIDDEN)
        for row, state in enumerate(self.states):
            if state.is_complete:
                # Behind its end a row is padded by the caller, whatever stands here.
                masked[row] = scores[row]
                continue
            places = self._places(state, scores.device)
            found = scores[row, places].float()
            if not torch.isfinite(found).any():
                found = torch.zeros_like(found)
            self._probabilities[row] = scores.new_full(scores.shape[1:], FORBIDDEN, dtype=torch.float32)
            self._probabilities[row][places] = found.log_softmax(0)
            masked[row, places] = found.to(scores.dtype)
            self._prefer(masked[row], row, state)
        return masked

    def _places(self, state: State, device: torch.device) -> Tensor:
        """Return the tokens that may follow; of any text they are most of the vocabulary, always the same."""
        free = next((thread.any_of for thread in state.threads if thread.any_of), None)
        if free is None:
            return torch.tensor(state.allowed(), device=device)
        if free not in self._free:
            self._free[free] = torch.tensor(sorted(free), device=device)
        others = {thread.tokens[thread.at] for thread in state.threads if not thread.any_of} - free
        return torch.cat([self._free[free], torch.tensor(sorted(others), device=device, dtype=torch.int64)])

    def finish(self) -> None:
        """Take the last tokens, behind which no more step was made: each answer's end."""
        for row, state in enumerate(self.states):
            if not state.is_complete:
                (end,) = state.allowed()
                self.states[row] = self._grammars[row].advance(state, end)

    def _take(self, tokens: Sequence[int]) -> None:
        """Go on with the tokens that were chosen, one for each row."""
        for row, (token, state) in enumerate(zip(tokens, self.states, strict=True)):
            if not state.is_complete:
                known = self._known(row, state, token)
                self.states[row] = self._grammars[row].advance(state, token, known)

    def _known(self, row: int, state: State, token: int) -> dict[int, float]:
        """Return the log-probabilities that confidence is made of: of the token, and of what may end a value."""
        ends = {thread.tokens[0] for thread in state.threads if thread.then in {"more", "close"}}
        return {place: float(self._probabilities[row][place]) for place in {token, *ends}}

    def _prefer(self, masked: Tensor, row: int, state: State) -> None:
        """Fill a role where that is probable enough, and leave it empty otherwise."""
        openers = state.openers()
        if not openers or self._min_probability == 0.5:
            return
        probability = float(self._probabilities[row][openers].exp().sum())
        others = [token for token in state.allowed() if token not in openers]
        masked[others if probability >= self._min_probability else openers] = FORBIDDEN
