"""Extraction by a causal LM: from a run's settings to a task, and from a run to what annotates documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from eventune.adapters.store import load_into
from eventune.backbones.causal_lm import CausalLM, load_causal_lm
from eventune.backbones.resolve import BaseModel
from eventune.corpora import read_corpus
from eventune.errors import InvalidValueError
from eventune.events import Document, Ontology
from eventune.generation.encoding import ConversationEncoder
from eventune.generation.extracting.answer_tokens import AnswerTokenizer
from eventune.generation.extracting.arguments import DECODINGS
from eventune.generation.extracting.calibration import Calibration
from eventune.generation.extracting.prompt_encoding import PromptEncoder
from eventune.generation.extracting.prompts import PromptTemplate
from eventune.generation.extracting.questions import QuestionBuilder
from eventune.generation.extracting.retrieval import ExampleRetriever
from eventune.generation.extracting.task import DEFAULT_MIN_PROBABILITY, GenerativeExtractionTask, annotated
from eventune.generation.templates import choose_template

PROMPT = "prompt.jinja"
"""The template of a run's questions."""
EXAMPLES = "examples.jsonl"
"""The documents that a run takes solved examples from."""
TEMPLATE = "chat_template.jinja"
UNTRAINED = "none"
"""The method of a run that tries the model as it is."""
LONGEST_PROMPT = 2048
"""Tokens of the longest prompt where nothing else is said: memory and time grow with it."""


@dataclass(frozen=True, kw_only=True)
class GenerativeSettings:
    """What a run's `extractor.json` holds of an extraction by a causal LM.

    Attributes:
        method: What was trained, or `none`.
        decoding: What may be answered.
        max_length: Tokens of the longest prompt.
        max_new_tokens: Tokens of the longest answer.
        max_span_length: Words of the longest argument.
        events_per_prompt: Events that are asked about at once.
        num_examples: Solved examples before a question.
        torch_dtype: Type of the base's weights.
        min_probability: Least probability of filling a role, against leaving it empty.
        calibration: `slope`, `intercept` and `threshold` of confidence.
    """

    method: str
    decoding: str
    max_length: int
    max_new_tokens: int
    max_span_length: int
    events_per_prompt: int = 1
    num_examples: int = 0
    torch_dtype: str = "float32"
    min_probability: float = DEFAULT_MIN_PROBABILITY
    calibration: Mapping[str, float] = field(default_factory=lambda: asdict(Calibration()))

    @classmethod
    def of(cls, values: Mapping[str, Any], where: Path) -> GenerativeSettings:
        """Read the settings of a run.

        Raises:
            InvalidValueError: If one is missing or has another type.
        """
        counts = ("max_length", "max_new_tokens", "max_span_length", "events_per_prompt")
        number = ("slope", "intercept", "threshold")
        checks: dict[str, tuple[str, Callable[[Any], bool]]] = {
            "method": ("a name", lambda value: type(value) is str),
            "decoding": (" or ".join(DECODINGS), lambda value: type(value) is str and value in DECODINGS),
            **{name: ("an integer >= 1", lambda value: type(value) is int and value >= 1) for name in counts},
            "num_examples": ("an integer >= 0", lambda value: type(value) is int and value >= 0),
            "torch_dtype": ("a name", lambda value: type(value) is str),
            "min_probability": ("a number in (0, 1)", lambda value: type(value) is float and 0 < value < 1),
            "calibration": (
                f"the numbers {', '.join(number)}",
                lambda value: (
                    type(value) is dict
                    and value.keys() == set(number)
                    and all(type(part) in (int, float) for part in value.values())
                ),
            ),
        }
        for name, (expected, is_valid) in checks.items():
            if not is_valid(values.get(name)):
                raise InvalidValueError(
                    f"{where}: {name}",
                    expected,
                    repr(values.get(name)),
                    "copy the whole run directory anew, or train again with this version",
                )
        return cls(**{name: values[name] for name in checks})


def build_task(
    lm: CausalLM,
    ontology: Ontology,
    settings: GenerativeSettings,
    *,
    prompt: PromptTemplate,
    examples: Sequence[Document] = (),
    batch_size: int = 16,
) -> GenerativeExtractionTask:
    """Return the task of asking a causal LM.

    Args:
        lm: The model.
        ontology: What is extracted.
        settings: How it is asked.
        prompt: How questions are put.
        examples: Annotated documents that solved examples may be taken from.
        batch_size: Questions a batch.
    """
    retriever = ExampleRetriever(examples, num_examples=settings.num_examples)
    prompt_encoder = PromptEncoder(
        QuestionBuilder(ontology, prompt, retriever=retriever, events_per_prompt=settings.events_per_prompt),
        # Prompts are cut around their triggers, not at their end.
        ConversationEncoder(lm.tokenizer, max_source_length=2**31, max_target_length=settings.max_new_tokens),
        AnswerTokenizer(lm.tokenizer),
        max_prompt=settings.max_length,
        max_new_tokens=settings.max_new_tokens,
        max_span_length=settings.max_span_length,
    )
    return GenerativeExtractionTask(prompt_encoder, decoding=settings.decoding, batch_size=batch_size)


class GenerativeAnnotator:
    """Annotates documents with what a causal LM answers.

    Attributes:
        ontology: What is extracted.
        counts: What was wrong with its answers so far, by kind.
    """

    def __init__(self, model: nn.Module, task: GenerativeExtractionTask, settings: GenerativeSettings) -> None:
        self.ontology = task.prompt_encoder.question_builder.ontology
        self.counts: Counter[str] = Counter()
        self._model, self._task, self._settings = model.eval(), task, settings

    @classmethod
    def load(
        cls, folder: Path, ontology: Ontology, settings: GenerativeSettings, base: BaseModel, *, batch_size: int
    ) -> GenerativeAnnotator:
        """Load a run's model.

        Args:
            folder: The run directory.
            ontology: Its ontology.
            settings: Its settings.
            base: Its base model.
            batch_size: Questions a batch.

        Raises:
            EventuneError: If a file is missing, damaged or of another model.
        """
        lm = load_causal_lm(base, dtype=settings.torch_dtype)
        choose_template(lm.tokenizer, str(folder / TEMPLATE))
        model = lm.model if settings.method == UNTRAINED else load_into(lm.model, folder)
        examples = read_corpus(folder / EXAMPLES).documents if settings.num_examples else ()
        prompt = PromptTemplate.read(str(folder / PROMPT), ontology)
        task = build_task(lm, ontology, settings, prompt=prompt, examples=examples, batch_size=batch_size)
        return cls(model, task, settings)

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int], None] | None = None
    ) -> list[Document]:
        """Return documents with the arguments found in place of their own."""
        part = self._task.prompt_encoder.encode(documents)
        answers = self._task.answer(
            self._model, part, min_probability=self._settings.min_probability, on_batch=on_batch
        )
        self.counts += answers.counts
        return annotated(documents, answers, Calibration(**self._settings.calibration))
