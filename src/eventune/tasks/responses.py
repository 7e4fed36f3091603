"""`eventune sft`: a causal LM learns to respond to prompts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.methods import keeps_base
from eventune.backbones.backbone import Backbone
from eventune.backbones.causal_lm import load_causal_lm, load_causal_tokenizer
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError
from eventune.generation.collating import Pack, RowCollator, pack
from eventune.generation.conversation import Conversation
from eventune.generation.encoding import ConversationEncoder, EncodedRow, encode
from eventune.generation.generating import generate
from eventune.generation.loss import require_rows_apart
from eventune.generation.task import GenerationTask
from eventune.generation.templates import set_template
from eventune.scoring.text import score_texts
from eventune.storage.cache import cache_folder
from eventune.storage.validation import write_settings
from eventune.tasks.card import responses_card
from eventune.tasks.limits import MOST_LENGTH
from eventune.tasks.protocol import Outcome
from eventune.tasks.response_files import Predictions, write_classic_files
from eventune.training import run_directory as names

if TYPE_CHECKING:
    from eventune.sft.settings import SftArguments
    from eventune.training.trainer import TaskTrainer

_COMPARED_ROWS = 2


@dataclass(frozen=True)
class RowSplits:
    """The rows of a run.

    Attributes:
        train: What is trained on.
        dev: What is evaluated; rows with one prompt are one, with several references.
        test: What is predicted; likewise.
    """

    train: Sequence[Conversation] = ()
    dev: Sequence[Conversation] = ()
    test: Sequence[Conversation] = ()

    def sizes(self) -> dict[str, int]:
        """Return the number of rows of each split that has any."""
        sizes = {"train": len(self.train), "dev": len(self.dev), "test": len(self.test)}
        return {name: size for name, size in sizes.items() if size}


@dataclass(frozen=True, kw_only=True)
class ResponseSettings:
    """What a run's `generator.json` holds.

    Attributes:
        task: Name of the task; runs of earlier versions say `generation`.
        method: How the weights were trained: by this run, or by the one that it only evaluates; `none` for the base.
        max_source_length: Tokens of the longest prompt.
        max_new_tokens: Tokens of the longest response.
        source_prefix: Text before each prompt.
        dtype: Type of the base's weights.
    """

    task: Literal["responses", "generation"] = "responses"
    method: str
    max_source_length: Annotated[int, Ge(1), Le(MOST_LENGTH)]
    max_new_tokens: Annotated[int, Ge(1), Le(MOST_LENGTH)]
    source_prefix: str = ""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"


class Responses:
    """The task of one run; see `RunTask`."""

    Settings: ClassVar[type[Any]] = ResponseSettings
    pretraining = None

    def __init__(
        self,
        backbone: Backbone,
        settings: ResponseSettings,
        encoder: ConversationEncoder,
        *,
        rows: RowSplits | None = None,
        arguments: SftArguments | None = None,
    ) -> None:
        """Make the task of a run.

        Args:
            backbone: The causal LM.
            settings: What the run's settings file holds.
            encoder: Encodes rows.
            rows: What a run that is to be trained is trained and scored on.
            arguments: What else decides it.

        Raises:
            EventuneError: If a row cannot be encoded.
        """
        self.backbone, self.settings, self._encoder, self._arguments = backbone, settings, encoder, arguments
        self.rows = rows or RowSplits()
        self._notices: list[str] = []
        self._cut: dict[str, int] = {}
        self._encoded = {name: self._encode(name) for name in ("train", "dev", "test")}
        self.gradient_examples = self._encoded["train"][:_COMPARED_ROWS]
        self.examples: Sequence[EncodedRow | Pack] = self._encoded["train"]
        self.loop = GenerationTask(RowCollator(int(backbone.tokenizer.pad_token_id)), dev=self._encoded["dev"])
        if arguments is not None:
            data, training = arguments.data, arguments.training
            length = data.max_source_length + data.max_target_length
            if data.packing:
                self.examples = pack(self._encoded["train"], length)
            self.loop = GenerationTask(
                RowCollator(int(backbone.tokenizer.pad_token_id), length=length if data.pad_to_max_length else 0),
                dev=self._encoded["dev"],
                batch_size=training.per_device_eval_batch_size,
                label_smoothing=training.label_smoothing_factor,
                generated_scores=self._dev_scores if training.predict_with_generate else None,
            )

    @classmethod
    def from_arguments(
        cls, arguments: SftArguments, rows: RowSplits, base: BaseModel, placement: Placement, *, method: str
    ) -> Responses:
        """Load the base and make the task of a run.

        Args:
            arguments: The settings.
            rows: The rows.
            base: The base.
            placement: Where it lies.
            method: How the weights were trained, where this run only evaluates them.

        Raises:
            EventuneError: If the template is broken or the model reads no such lengths.
        """
        data = arguments.data
        dtype: Any = placement.dtype_of_causal_lm(is_frozen=keeps_base(method))
        lm = load_causal_lm(base, dtype=dtype)
        if data.max_source_length + data.max_target_length > lm.max_length:
            raise EventuneError(
                f"max_source_length + max_target_length: expected {lm.max_length} at most, the length that {base.name} "
                f"reads, found {data.max_source_length + data.max_target_length}"
            )
        set_template(lm.tokenizer, data.chat_template)
        encoder = ConversationEncoder(
            lm.tokenizer, max_source_length=data.max_source_length, max_target_length=data.max_target_length
        )
        settings = ResponseSettings(
            method=method,
            max_source_length=data.max_source_length,
            max_new_tokens=arguments.generated_length,
            source_prefix=data.source_prefix,
            dtype=dtype,
        )
        return cls(lm, settings, encoder, rows=rows, arguments=arguments)

    @classmethod
    def from_run(cls, folder: Path, settings: ResponseSettings, backbone: Backbone, *, batch_size: int) -> Responses:  # noqa: ARG003
        """See `RunTask`."""
        encoder = ConversationEncoder(
            backbone.tokenizer,
            max_source_length=settings.max_source_length,
            max_target_length=settings.max_new_tokens,
        )
        return cls(backbone, settings, encoder)

    @classmethod
    def load_backbone(
        cls, base: BaseModel, settings: ResponseSettings, *, dtype: str = "", tokenizer_folder: Path | None = None
    ) -> Backbone:
        """See `RunTask`."""
        return load_causal_lm(base, dtype=dtype or settings.dtype, tokenizer_folder=tokenizer_folder)

    @classmethod
    def load_tokenizer(cls, folder: Path) -> PreTrainedTokenizerBase:
        """See `RunTask`."""
        return load_causal_tokenizer(folder)

    @classmethod
    def files(cls, settings: ResponseSettings) -> Sequence[str]:  # noqa: ARG003
        """See `RunTask`."""
        return ()

    @property
    def splits(self) -> Sequence[str]:
        """Names of the splits that the finished model is scored on."""
        return [name for name in ("dev", "test") if getattr(self.rows, name)]

    def notices(self) -> Sequence[str]:
        """See `RunTask`."""
        return self._notices

    def build_model(self, backbone: Backbone) -> tuple[nn.Module, Anatomy]:
        """See `RunTask`."""
        return backbone.model, anatomy_of(backbone.model)

    def fresh_heads(self, source: Path) -> Sequence[str]:  # noqa: ARG002
        """See `RunTask`; there are no heads."""
        return ()

    def check(self, model: nn.Module) -> None:
        """See `RunTask`: packed rows must not see one another."""
        if self._arguments is not None and self._arguments.data.packing:
            require_rows_apart(model, self._encoded["train"], self.loop.collate)

    def predict(
        self, model: nn.Module, split: str, *, on_batch: Callable[[int, int], None] | None = None
    ) -> Predictions:
        """See `RunTask`: responses are generated for the test split, and for the dev split where it is asked for."""
        rows = getattr(self.rows, split)
        if split == "dev":
            return Predictions(rows, (), self.loop.evaluate(model, on_batch=on_batch))
        predictions = self._responses(model, rows, on_batch)
        encoded = self._encoded[split]
        losses = self.loop.measure(model, encoded, on_batch=on_batch) if encoded else {}
        return dataclasses.replace(predictions, metrics={**predictions.metrics, **losses})

    def tune(self, predicted: Predictions) -> None:
        """See `RunTask`; nothing is chosen after training."""

    def score(self, split: str, predicted: Predictions) -> dict[str, Any]:
        """See `RunTask`."""
        counts = {"rows": len(getattr(self.rows, split))}
        return {"scorer": "generation", "metrics": dict(predicted.metrics), "counts": counts}

    def costs(self, outcome: Outcome, cost: Mapping[str, float]) -> dict[str, Any]:
        """See `RunTask`."""
        assert outcome.trainer is not None
        rows = len(self._encoded["train"])
        return {"steps": outcome.trainer.state.global_step, "rows_per_second": rows / cost["seconds_per_epoch"]}

    def outputs(self, model: nn.Module) -> Tensor:
        """See `RunTask`."""
        text = self.backbone.tokenizer("In May, some people met near the old bridge of Orsha.", return_tensors="pt")
        found: Tensor = model(text.input_ids.to(next(model.parameters()).device)).logits
        return found

    def save(self, folder: Path, outcome: Outcome) -> None:
        """See `RunTask`."""
        self.backbone.tokenizer.save_pretrained(folder)
        write_settings(folder / names.GENERATOR, self.settings)
        write_classic_files(folder, outcome, self.rows.sizes())
        if "test" in outcome.predictions:
            outcome.predictions["test"].write(folder)

    def history(self, trainer: TaskTrainer) -> Sequence[Mapping[str, Any]]:
        """See `RunTask`: every entry of the trainer's log."""
        return trainer.state.log_history

    def data(self) -> dict[str, Any]:
        """See `RunTask`."""
        sizes = {name: {"rows": len(rows)} for name, rows in self._encoded.items() if rows}
        return {**sizes, "tokens": sum(len(row.input_ids) for row in self._encoded["train"]), "cut": self._cut}

    def card(self, settings: Mapping[str, Any], result: Mapping[str, Any]) -> str:
        """See `RunTask`."""
        return responses_card(settings, result, base=self.backbone.base.name)

    def _encode(self, name: str) -> Sequence[EncodedRow]:
        rows = getattr(self.rows, name)
        if self._arguments is None or not rows or not all(row.response for row in rows):
            return ()
        data = self._arguments.data
        encoded, counts = encode(
            rows,
            self._encoder,
            num_workers=data.preprocessing_num_workers or 1,
            cache_folder=cache_folder() / "encoded",
            overwrite_cache=data.overwrite_cache,
        )
        if str(counts):
            self._notices.append(f"{name}: {counts}")
        if name == "train":
            self._cut = dataclasses.asdict(counts)
        return encoded

    def _dev_scores(self, model: nn.Module, on_batch: Callable[[int, int], None] | None) -> Mapping[str, float]:
        return self._responses(model, self.rows.dev, on_batch).metrics

    def _responses(
        self, model: nn.Module, rows: Sequence[Conversation], on_batch: Callable[[int, int], None] | None
    ) -> Predictions:
        assert self._arguments is not None
        prompts, _ = self._encoder.prompts(rows)
        batch_size = self._arguments.training.per_device_eval_batch_size
        texts = generate(
            model,
            self.backbone.tokenizer,
            prompts,
            self._arguments.generation_settings(),
            batch_size=batch_size,
            on_batch=on_batch,
        )
        references = [row.references for row in rows]
        return Predictions(rows, texts, score_texts(texts, references) if all(references) else {})
