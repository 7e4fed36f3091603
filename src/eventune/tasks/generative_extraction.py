"""`task: generation`: a causal LM answers questions about events with arguments as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AliasChoices, Field
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.methods import keeps_base
from eventune.backbones.backbone import Backbone
from eventune.backbones.causal_lm import load_causal_lm, load_causal_tokenizer
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.corpora import read_corpus, read_ontology, write_corpus
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.extraction.arguments import MOST_SPAN_LENGTH
from eventune.generation.encoding import ConversationEncoder, EncodedRow
from eventune.generation.extracting.answer_tokens import AnswerTokenizer
from eventune.generation.extracting.arguments import MOST_EVENTS, MOST_EXAMPLES
from eventune.generation.extracting.calibration import Calibration
from eventune.generation.extracting.prompt_encoding import PromptEncoder
from eventune.generation.extracting.prompts import BUILT_IN, PromptTemplate
from eventune.generation.extracting.questions import QuestionBuilder
from eventune.generation.extracting.retrieval import ExampleRetriever
from eventune.generation.extracting.task import (
    DEFAULT_MIN_PROBABILITY,
    RECALL_MIN_PROBABILITY,
    Answers,
    GenerativeExtractionTask,
    annotated,
)
from eventune.generation.templates import set_template
from eventune.results import Score
from eventune.scoring.definitions import DEFAULT_SCORER
from eventune.tasks.documents import DocumentTask
from eventune.tasks.limits import MOST_LENGTH
from eventune.tasks.protocol import UNTRAINED, Outcome
from eventune.tasks.splits import DocumentSplits
from eventune.training import run_directory as names

if TYPE_CHECKING:
    from eventune.recipe import Recipe

PROMPT = "prompt.jinja"
"""The template of a run's questions."""
EXAMPLES = "examples.jsonl"
"""The documents that a run takes solved examples from."""
TEMPLATE = "chat_template.jinja"
LONGEST_PROMPT = 2048
"""Tokens of the longest prompt where nothing else is said: memory and time grow with it."""
_COMPARED_EXAMPLES = 2


@dataclass(frozen=True, kw_only=True)
class GenerativeSettings:
    """What a run's `extractor.json` holds.

    Attributes:
        task: Name of the task.
        method: What was trained, or `none`.
        decoding: What may be answered.
        max_length: Tokens of the longest prompt.
        max_new_tokens: Tokens of the longest answer.
        max_span_length: Words of the longest argument.
        events_per_prompt: Events that are asked about at once.
        num_examples: Solved examples before a question.
        dtype: Type of the base's weights; runs of earlier versions call it `torch_dtype`.
        min_probability: Least probability of filling a role, against leaving it empty.
        calibration: Makes confidence of probabilities.
        ontology_bytes: Size of the ontology's file.
    """

    task: Literal["generation", "generative-detection"] = "generation"
    method: str
    decoding: Literal["grounded", "schema", "free"]
    max_length: Annotated[int, Ge(1), Le(MOST_LENGTH)]
    max_new_tokens: Annotated[int, Ge(1), Le(MOST_LENGTH)]
    max_span_length: Annotated[int, Ge(1), Le(MOST_SPAN_LENGTH)]
    events_per_prompt: Annotated[int, Ge(1), Le(MOST_EVENTS)] = 1
    num_examples: Annotated[int, Ge(0), Le(MOST_EXAMPLES)] = 0
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"], Field(validation_alias=AliasChoices("dtype", "torch_dtype"))
    ] = "float32"
    min_probability: Annotated[float, Gt(0), Lt(1)] = DEFAULT_MIN_PROBABILITY
    calibration: Calibration = field(default_factory=Calibration)
    ontology_bytes: int = 0

    def question_builder(self, folder: Path) -> QuestionBuilder:
        """Return what puts a finished run's questions.

        Args:
            folder: The run directory.
        """
        ontology = self.asked(read_ontology(folder / names.ONTOLOGY))
        examples = read_corpus(folder / EXAMPLES).documents if self.num_examples else ()
        return self.questions(ontology, PromptTemplate.read(str(folder / PROMPT), ontology), examples)

    @staticmethod
    def asked(ontology: Ontology) -> Ontology:
        """Return the event types and roles that questions are about."""
        return ontology

    def questions(self, ontology: Ontology, prompt: PromptTemplate, examples: Sequence[Document]) -> QuestionBuilder:
        """Return what puts questions.

        Args:
            ontology: What is extracted.
            prompt: How questions are put.
            examples: Annotated documents that solved examples may be taken from.
        """
        retriever = ExampleRetriever(examples, num_examples=self.num_examples)
        return QuestionBuilder(ontology, prompt, retriever=retriever, events_per_prompt=self.events_per_prompt)


class GenerativeExtraction(DocumentTask):
    """The task of one run; see `RunTask`."""

    Settings: ClassVar[type[Any]] = GenerativeSettings
    Encoder: ClassVar[type[PromptEncoder]] = PromptEncoder
    built_in_prompt: ClassVar[Path] = BUILT_IN

    def __init__(
        self,
        backbone: Backbone,
        settings: GenerativeSettings,
        questions: QuestionBuilder,
        *,
        batch_size: int,
        documents: Mapping[str, Sequence[Document]] | None = None,
        scorer: str = DEFAULT_SCORER,
        saves_predictions: bool = False,
    ) -> None:
        """Make the task of a run.

        Args:
            backbone: The causal LM, its tokenizer with the run's chat template.
            settings: What the run's settings file holds.
            questions: Puts the questions.
            batch_size: Questions a batch.
            documents: What a run that is to be trained is trained and scored on.
            scorer: Definition of its scores.
            saves_predictions: Whether to write what is predicted for the test split.

        Raises:
            EventuneError: If the template is broken, or the roles alone are longer than a prompt may be.
        """
        encoder = self.Encoder(
            questions,
            # Prompts are cut around their triggers, not at their end.
            ConversationEncoder(backbone.tokenizer, max_source_length=2**31, max_target_length=settings.max_new_tokens),
            AnswerTokenizer(backbone.tokenizer),
            max_prompt=settings.max_length,
            max_new_tokens=settings.max_new_tokens,
            max_span_length=settings.max_span_length,
        )
        encoded = {name: encoder.encode(part) for name, part in (documents or {}).items()}
        super().__init__(backbone, questions.ontology, settings, encoded, saves_predictions=saves_predictions)
        self.loop = GenerativeExtractionTask(
            encoder, decoding=settings.decoding, dev=encoded.get("dev"), batch_size=batch_size, scorer=scorer
        )
        self.examples: Sequence[EncodedRow] = encoded["train"].examples if "train" in encoded else ()
        self.gradient_examples = self.examples[:_COMPARED_EXAMPLES]
        self._counts_by_split: dict[str, dict[str, Any]] = {}

    @classmethod
    def from_recipe(
        cls, recipe: Recipe, documents: DocumentSplits, base: BaseModel, placement: Placement
    ) -> GenerativeExtraction:
        """Load the base and make the task of a run that is to be trained, or tried as it is without epochs.

        Raises:
            EventuneError: If answers leave no room for a prompt, or the template is broken.
        """
        own, generation = recipe.own["extraction"], recipe.own["generation"]
        is_trained = recipe.optimisation.num_train_epochs > 0
        method = recipe.adapter.method if is_trained else UNTRAINED
        dtype: Any = placement.dtype_of_causal_lm(is_frozen=keeps_base(method))
        lm = load_causal_lm(base, dtype=dtype)
        set_template(lm.tokenizer)
        room = lm.max_length - generation.max_new_tokens
        if room < 1:
            raise EventuneError(
                f"max_new_tokens: expected fewer than the {lm.max_length} tokens that {base.name} reads and writes at "
                f"once, found {generation.max_new_tokens}"
            )
        is_thresholded = documents.dev and generation.decoding == "grounded"
        settings = cls.Settings(
            method=method,
            decoding=generation.decoding,
            max_length=min(own.max_length or LONGEST_PROMPT, room),
            max_new_tokens=generation.max_new_tokens,
            max_span_length=cls.most_words(recipe),
            events_per_prompt=generation.events_per_prompt,
            num_examples=generation.num_examples,
            dtype=dtype,
            min_probability=RECALL_MIN_PROBABILITY if is_thresholded else DEFAULT_MIN_PROBABILITY,
        )
        prompt = PromptTemplate.read(generation.prompt_template, documents.ontology, built_in=cls.built_in_prompt)
        splits = documents.by_name()
        if not is_trained:
            splits.pop("train", None)
        return cls(
            lm,
            settings,
            settings.questions(documents.ontology, prompt, documents.train),
            batch_size=recipe.optimisation.per_device_eval_batch_size,
            documents=splits,
            scorer=recipe.scoring.scorer,
            saves_predictions=recipe.optimisation.save_predictions,
        )

    @classmethod
    def most_words(cls, recipe: Recipe) -> int:
        """Return how many words the longest span has that may be answered."""
        return int(recipe.own["extraction"].max_span_length)

    @classmethod
    def from_run(
        cls, folder: Path, settings: GenerativeSettings, backbone: Backbone, *, batch_size: int
    ) -> GenerativeExtraction:
        """See `RunTask`."""
        set_template(backbone.tokenizer, str(folder / TEMPLATE))
        return cls(backbone, settings, settings.question_builder(folder), batch_size=batch_size)

    @classmethod
    def load_backbone(
        cls, base: BaseModel, settings: GenerativeSettings, *, dtype: str = "", tokenizer_folder: Path | None = None
    ) -> Backbone:
        """See `RunTask`."""
        return load_causal_lm(base, dtype=dtype or settings.dtype, tokenizer_folder=tokenizer_folder)

    @classmethod
    def load_tokenizer(cls, folder: Path) -> PreTrainedTokenizerBase:
        """See `RunTask`."""
        return load_causal_tokenizer(folder)

    @classmethod
    def files(cls, settings: GenerativeSettings) -> Sequence[str]:
        """See `RunTask`."""
        return (names.ONTOLOGY, PROMPT, *([EXAMPLES] if settings.num_examples else []))

    def build_model(self, backbone: Backbone) -> tuple[nn.Module, Anatomy]:
        """See `RunTask`."""
        return backbone.model, anatomy_of(backbone.model)

    def predict(self, model: nn.Module, split: str, *, on_batch: Callable[[int, int], None] | None = None) -> Answers:
        """See `RunTask`."""
        least = self.settings.min_probability
        return self.loop.answer(model, self.encoded[split], min_probability=least, on_batch=on_batch)

    def tune(self, predicted: Answers) -> None:
        """See `RunTask`: confidence and its threshold."""
        calibration, errors = self.loop.calibrate(predicted, self.encoded["dev"])
        self.settings = replace(self.settings, calibration=calibration)
        self._counts_by_split["dev"] = errors

    def score(self, split: str, predicted: Answers) -> dict[str, Any]:
        """See `RunTask`."""
        self._counts_by_split[split] = {**predicted.counts, **self._counts_by_split.get(split, {})}
        return self.scored(split, self.found(split, predicted)).to_dict()

    def scored(self, split: str, found: Sequence[Document]) -> Score:
        """Score what was found in a split."""
        return self.loop.score(self.encoded[split], found)

    def found(self, split: str, predicted: Answers) -> Sequence[Document]:
        """See `DocumentTask`."""
        return annotated(self.encoded[split].documents, predicted, self.settings.calibration)

    def costs(self, outcome: Outcome, cost: Mapping[str, float]) -> dict[str, Any]:
        """See `RunTask`."""
        assert outcome.trainer is not None
        return {
            "steps": outcome.trainer.state.global_step,
            "rows_per_second": len(self.examples) / cost["seconds_per_epoch"],
        }

    def outputs(self, model: nn.Module) -> Tensor:
        """See `RunTask`."""
        examples = (
            self.examples[:_COMPARED_EXAMPLES] or self.loop.prompt_encoder.encode(self.shown_documents()).examples
        )
        batch = self.loop.collate(examples)
        device = next(model.parameters()).device
        inputs = {name: batch[name].to(device) for name in ("input_ids", "attention_mask")}
        found: Tensor = model(**inputs).logits
        return found

    def save(self, folder: Path, outcome: Outcome) -> None:
        """See `RunTask`."""
        super().save(folder, outcome)
        questions = self.loop.prompt_encoder.question_builder
        (folder / PROMPT).write_text(questions.prompt.source, encoding="utf-8")
        if self.settings.num_examples:
            write_corpus(questions.retriever.documents, folder / EXAMPLES)

    def data(self) -> dict[str, Any]:
        """See `RunTask`; beside the sizes, what was wrong with the answers."""
        counts = self._counts_by_split
        return {
            name: {**sizes, **({"answers": counts[name]} if name in counts else {})}
            for name, sizes in super().data().items()
        }

    def candidates(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> tuple[Sequence[Document], Answers]:
        """See `AnnotatingTask`: the model's answers."""
        part = self.loop.prompt_encoder.encode(documents)
        answers = self.loop.answer(model, part, min_probability=self.settings.min_probability, on_batch=on_batch)
        self.counts += answers.counts
        return documents, answers

    def chosen(self, candidates: tuple[Sequence[Document], Answers], settings: GenerativeSettings) -> list[Document]:
        """See `AnnotatingTask`."""
        documents, answers = candidates
        return annotated(documents, answers, settings.calibration)
