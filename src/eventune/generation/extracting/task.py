"""Extraction by a causal LM as the trainer and the extractor see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from eventune.events import Argument, Document
from eventune.generation.collating import Collator
from eventune.generation.encoding import Example
from eventune.generation.extracting.answers import Found, found_in
from eventune.generation.extracting.asking import Asked, Asker, Part
from eventune.generation.extracting.calibration import (
    Calibration,
    best_threshold,
    cross_fitted,
    expected_calibration_error,
    fit,
)
from eventune.generation.extracting.grammar import Grammar, State
from eventune.generation.extracting.grounding import Grounding
from eventune.generation.extracting.parsing import read_answer
from eventune.generation.generating import GenerationSettings, ReadyModel, decode, made_ready
from eventune.generation.task import GenerationTask
from eventune.results import Score
from eventune.scoring import score

LIKELIER = 0.5
"""Fills a role where that is likelier than leaving it empty."""
GENEROUS = 0.2
"""Fills it also where it is less likely; a threshold that was tuned decides then."""


@dataclass
class Answers:
    """What a model answered for a part.

    Attributes:
        found: For each document, the arguments found.
        counts: What was wrong with the answers, by kind; `answers` is their number.
    """

    found: list[list[Found]]
    counts: Counter[str] = field(default_factory=Counter)


class GenerativeExtractionTask:
    """Trains a causal LM to answer questions about events, and reads its answers.

    Attributes:
        asker: Asks.
        decoding: What may be answered: `grounded`, `schema` or `free`.
        dev: The dev part.
        batch_size: Questions a batch in evaluation.
    """

    def __init__(self, asker: Asker, *, decoding: str, dev: Part | None = None, batch_size: int = 16) -> None:
        self.asker, self.decoding, self.dev, self.batch_size = asker, decoding, dev, batch_size
        self.tokenizer = asker.speller.tokenizer
        self._responses = GenerationTask(Collator(int(self.tokenizer.pad_token_id)), batch_size=batch_size)

    def length(self, example: Example) -> int:
        """Return an example's length in tokens."""
        return self._responses.length(example)

    def collate(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Pad examples to a batch."""
        return self._responses.collate(examples)

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean loss of a batch's answers, a scalar."""
        return self._responses.loss(model, batch)

    def terms(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the number of tokens of a batch's answers, a scalar."""
        return self._responses.terms(batch)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the dev part's loss, and its scores with each role filled where that is likelier than not."""
        if self.dev is None:
            return {}
        answers = self.answer(model, self.dev)
        result = self.score(self.dev, annotated(self.dev.documents, answers))
        loss = self._responses.measure(model, self.dev.examples)["loss"]
        return {"loss": loss, "precision": result.precision, "recall": result.recall, "f1": result.f1}

    def answer(
        self,
        model: nn.Module,
        part: Part,
        *,
        min_probability: float = LIKELIER,
        on_batch: Callable[[int], None] | None = None,
    ) -> Answers:
        """Let a model answer a part's questions, greedily.

        Args:
            model: The causal LM.
            part: The questions.
            min_probability: See `Grounding`.
            on_batch: Called with the number of questions after each batch.
        """
        answers = Answers([[] for _ in part.documents])
        order = sorted(part.asked, key=lambda asked: -len(asked.prompt))
        settings = GenerationSettings(max_new_tokens=self.asker.max_new_tokens)
        with made_ready(model, self.tokenizer, settings) as ready:
            for start in range(0, len(order), self.batch_size):
                chosen = order[start : start + self.batch_size]
                for asked, (found, counts) in zip(chosen, self._batch(ready, chosen, min_probability), strict=True):
                    answers.found[asked.number] += found
                    answers.counts += counts
                if on_batch is not None:
                    on_batch(len(chosen))
        answers.counts["answers"] = len(part.asked)
        return answers

    def calibrate(self, answers: Answers, part: Part) -> tuple[Calibration, dict[str, float]]:
        """Fit confidence and threshold to a part whose arguments are known.

        Args:
            answers: Its answers, generous ones.
            part: The part.

        Returns:
            The calibration, and the expected calibration error before and after it, the latter by maps that were fitted
            to other arguments than those they are tried on.
        """
        probabilities, correct = [], []
        for document, found in zip(part.documents, answers.found, strict=True):
            for item in found:
                if item.argument.score is not None:
                    probabilities.append(item.argument.score)
                    correct.append(_is_gold(document, item))
        if not probabilities:
            return Calibration(), {}
        calibration = fit(probabilities, correct)
        calibrated = [calibration(probability) for probability in probabilities]
        gold = sum(len(event.arguments) for document in part.documents for event in document.events)
        errors = {
            "ece_before": expected_calibration_error(probabilities, correct),
            "ece": expected_calibration_error(cross_fitted(probabilities, correct), correct),
        }
        return replace(calibration, threshold=best_threshold(calibrated, correct, gold)), errors

    def score(self, part: Part, predicted: Sequence[Document]) -> Score:
        """Score a part by the official RAMS definition."""
        return score(part.documents, predicted, scorer="rams", strict=False)

    def _batch(
        self, ready: ReadyModel, chosen: Sequence[Asked], min_probability: float
    ) -> list[tuple[list[Found], Counter[str]]]:
        prompts, numbers = [asked.prompt for asked in chosen], range(len(chosen))
        processors: tuple[Grounding, ...] = ()
        if self.decoding != "free":
            is_grounded = self.decoding == "grounded"
            grammars = [self.asker.grammar(asked.question, is_grounded=is_grounded) for asked in chosen]
            processors = (Grounding(grammars, min_probability=min_probability),)
        rows = ready.run(prompts, numbers, processors=processors)
        if self.decoding == "grounded":
            (grounding,) = processors
            grounding.finish()
            return [
                _grounded(state, grammar, asked)
                for state, grammar, asked in zip(grounding.states, grammars, chosen, strict=True)
            ]
        script = self.asker.questioner.script
        return [
            read_answer(decode(self.tokenizer, ids), script(asked.question), asked.question)
            for ids, asked in zip(rows, chosen, strict=True)
        ]


def _grounded(state: State, grammar: Grammar, asked: Asked) -> tuple[list[Found], Counter[str]]:
    found = found_in(state, grammar.script, asked.question)
    values = sum(len(values) for values in state.values)
    return found, +Counter(repeated=values - len(found))


def annotated(
    documents: Sequence[Document], answers: Answers, calibration: Calibration | None = None
) -> list[Document]:
    """Return documents with the arguments that were found in place of their own.

    Args:
        documents: The documents.
        answers: What was answered for them.
        calibration: Makes confidence of probabilities, and leaves out what is below its threshold.
    """
    result = []
    for document, found in zip(documents, answers.found, strict=True):
        kept: dict[int, list[Argument]] = {}
        for item in found:
            argument = item.argument
            if calibration is not None and argument.score is not None:
                argument = replace(argument, score=calibration(argument.score))
                if (argument.score or 0.0) < calibration.threshold:
                    continue
            kept.setdefault(item.event, []).append(argument)
        events = [
            type(event)(event.type, event.trigger, tuple(kept.get(number, ())), event.id)
            for number, event in enumerate(document.events)
        ]
        result.append(document.with_events(events))
    return result


def _is_gold(document: Document, item: Found) -> bool:
    gold: Any = document.events[item.event].arguments
    return any(a.role == item.argument.role and a.span == item.argument.span for a in gold)
