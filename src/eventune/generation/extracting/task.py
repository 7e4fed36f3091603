"""Extraction by a causal LM as the trainer and the extractor see it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from eventune.events import Argument, Document
from eventune.generation.collating import RowCollator
from eventune.generation.encoding import EncodedRow
from eventune.generation.extracting.answers import Found, found_in
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
from eventune.generation.extracting.prompt_encoding import EncodedQuestion, EncodedQuestions, PromptEncoder
from eventune.generation.generating import GenerationSettings, PreparedModel, decode, prepared
from eventune.generation.task import GenerationTask
from eventune.results import Score
from eventune.scoring.definitions import DEFAULT_SCORER, score_model
from eventune.scoring.gains import ArgumentGains, Parts

DEFAULT_MIN_PROBABILITY = 0.5
"""Fills a role where that is likelier than leaving it empty."""
RECALL_MIN_PROBABILITY = 0.2
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
        prompt_encoder: Asks.
        decoding: What may be answered: `grounded`, `schema` or `free`.
        dev: The dev part.
        batch_size: Questions a batch in evaluation.
        scorer: Name of the definition that the dev part is scored and the threshold is tuned by.
    """

    def __init__(
        self,
        prompt_encoder: PromptEncoder,
        *,
        decoding: str,
        dev: EncodedQuestions | None = None,
        batch_size: int = 16,
        scorer: str = DEFAULT_SCORER,
    ) -> None:
        self.prompt_encoder, self.decoding, self.dev, self.batch_size = prompt_encoder, decoding, dev, batch_size
        self.scorer = scorer
        self.tokenizer = prompt_encoder.answer_tokenizer.tokenizer
        self._responses = GenerationTask(RowCollator(int(self.tokenizer.pad_token_id)), batch_size=batch_size)

    def length(self, example: EncodedRow) -> int:
        """Return an example's length in tokens."""
        return self._responses.length(example)

    def collate(self, examples: Sequence[EncodedRow]) -> dict[str, Tensor]:
        """Pad examples to a batch."""
        return self._responses.collate(examples)

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean loss of a batch's answers, a scalar."""
        return self._responses.loss(model, batch)

    def num_items(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the number of tokens of a batch's answers, a scalar."""
        return self._responses.num_items(batch)

    def evaluate(self, model: nn.Module, *, on_batch: Callable[[int, int], None] | None = None) -> dict[str, float]:
        """Return the dev part's loss, and its scores with each role filled where that is likelier than not."""
        if self.dev is None:
            return {}
        answers = self.answer(model, self.dev, on_batch=on_batch)
        result = self.score(self.dev, annotated(self.dev.documents, answers))
        loss = self._responses.measure(model, self.dev.examples)["loss"]
        return {"loss": loss, **result.metrics}

    def answer(
        self,
        model: nn.Module,
        part: EncodedQuestions,
        *,
        min_probability: float = DEFAULT_MIN_PROBABILITY,
        on_batch: Callable[[int, int], None] | None = None,
    ) -> Answers:
        """Let a model answer a part's questions, greedily.

        Args:
            model: The causal LM.
            part: The questions.
            min_probability: See `Grounding`.
            on_batch: Called after each batch, with how many questions of how many are done.
        """
        answers = Answers([[] for _ in part.documents])
        order = sorted(part.questions, key=lambda questions: -len(questions.prompt))
        settings = GenerationSettings(max_new_tokens=self.prompt_encoder.max_new_tokens)
        with prepared(model, self.tokenizer, settings) as ready:
            for start in range(0, len(order), self.batch_size):
                chosen = order[start : start + self.batch_size]
                for questions, (found, counts) in zip(chosen, self._batch(ready, chosen, min_probability), strict=True):
                    answers.found[questions.number] += found
                    answers.counts += counts
                if on_batch is not None:
                    on_batch(start + len(chosen), len(order))
        answers.counts["answers"] = len(part.questions)
        return answers

    def calibrate(self, answers: Answers, part: EncodedQuestions) -> tuple[Calibration, dict[str, float]]:
        """Fit confidence and threshold to a part whose arguments are known.

        Args:
            answers: Its answers, generous ones.
            part: The part.

        Returns:
            The calibration, and the expected calibration error before and after it, the latter by maps that were fitted
            to other arguments than those they are tried on.
        """
        scored = [
            (number, item)
            for number, found in enumerate(answers.found)
            for item in found
            if item.argument.score is not None
        ]
        if not scored:
            return Calibration(), {}
        probabilities = [item.argument.score or 0.0 for _, item in scored]
        correct = [_is_gold(part.documents[number], item) for number, item in scored]
        calibration = fit(probabilities, correct)
        gains = ArgumentGains(self.scorer, part.documents)
        threshold = best_threshold(
            [calibration(probability) for probability in probabilities],
            _added(scored, gains),
            nothing=gains.nothing,
            f1=gains.f1,
        )
        errors = {
            "ece_before": expected_calibration_error(probabilities, correct),
            "ece": expected_calibration_error(cross_fitted(probabilities, correct), correct),
        }
        return replace(calibration, threshold=threshold), errors

    def score(self, part: EncodedQuestions, predicted: Sequence[Document]) -> Score:
        """Score a part by the task's scorer."""
        return score_model(part.documents, predicted, self.scorer)

    def _batch(
        self, ready: PreparedModel, chosen: Sequence[EncodedQuestion], min_probability: float
    ) -> list[tuple[list[Found], Counter[str]]]:
        prompts, numbers = [questions.prompt for questions in chosen], range(len(chosen))
        processors: tuple[Grounding, ...] = ()
        if self.decoding != "free":
            is_grounded = self.decoding == "grounded"
            grammars = [
                self.prompt_encoder.grammar(questions.question, is_grounded=is_grounded) for questions in chosen
            ]
            processors = (Grounding(grammars, min_probability=min_probability),)
        rows = ready.run(prompts, numbers, processors=processors)
        if self.decoding == "grounded":
            (grounding,) = processors
            grounding.finish()
            return [
                _grounded(state, grammar, questions)
                for state, grammar, questions in zip(grounding.states, grammars, chosen, strict=True)
            ]
        script = self.prompt_encoder.question_builder.script
        return [
            read_answer(decode(self.tokenizer, ids), script(questions.question), questions.question)
            for ids, questions in zip(rows, chosen, strict=True)
        ]


def _grounded(state: State, grammar: Grammar, questions: EncodedQuestion) -> tuple[list[Found], Counter[str]]:
    found = found_in(state, grammar.script, questions.question)
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
        result.append(
            document.with_events(
                event.with_arguments(kept.get(number, ())) for number, event in enumerate(document.events)
            )
        )
    return result


def _is_gold(document: Document, item: Found) -> bool:
    gold: Any = document.events[item.event].arguments
    return any(a.role == item.argument.role and a.span == item.argument.span for a in gold)


def _added(scored: Sequence[tuple[int, Found]], gains: ArgumentGains) -> list[Parts]:
    """Return what each found argument adds to the scorer's tally when the more probable ones of its role are there."""
    roles: defaultdict[tuple[int, int, str], list[int]] = defaultdict(list)
    for place, (number, item) in sorted(enumerate(scored), key=lambda entry: -(entry[1][1].argument.score or 0.0)):
        roles[number, item.event, item.argument.role].append(place)
    added: dict[int, Parts] = {}
    for (number, event, _), places in roles.items():
        added |= zip(places, gains.of(number, event, [scored[place][1].argument for place in places]), strict=True)
    return [added[place] for place in range(len(scored))]
