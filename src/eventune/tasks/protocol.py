"""What a run's life asks of a task; `training.task.Task` says what the training loop asks.

A task is made on a loaded backbone, from a recipe's settings or from a run directory's. `runs.pipeline` calls the
members below in the order they stand in; `runs.opening`, `runs.merging` and `inference.extractor` need the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.guard import ParameterCounts
from eventune.backbones.backbone import Backbone
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.events import Document, Ontology
from eventune.extraction.teaching import Teacher
from eventune.training.task import Task

if TYPE_CHECKING:
    from eventune.training.trainer import TaskTrainer

UNTRAINED = "none"
"""The method of a run that tries the model as it is."""


@dataclass(frozen=True, slots=True)
class Pretraining:
    """What is trained on before the run's own data; only the weights are kept of it.

    Attributes:
        task: For the loop.
        examples: What is trained on.
        source: What messages call it.
        epochs: How often.
    """

    task: Task
    examples: Sequence[Any]
    source: str
    epochs: int


@dataclass(slots=True)
class Outcome:
    """What a run led to, as it becomes known.

    Attributes:
        trainer: The trainer; None where nothing was trained.
        counts: Parameters of the trained model.
        scores: Score of each split, as `result.json` holds it.
        predictions: What was predicted for each split, in the task's own form.
        resources: What it cost.
    """

    trainer: TaskTrainer | None = None
    counts: ParameterCounts | None = None
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    predictions: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)


class RunTask(Protocol):
    """A task of one run.

    Attributes:
        Settings: Dataclass of what the run's settings file holds; `method` is among its fields.
        settings: What the run's settings file holds.
        backbone: The backbone that the task was made on.
        loop: The task as the training loop sees it.
        examples: What is trained on; empty where nothing is.
        gradient_examples: A few of them, whose loss is looked at before the first step.
        splits: Names of the splits that the finished model is scored on, `dev` before `test`.
        pretraining: What is trained on first, or None.
    """

    Settings: ClassVar[type[Any]]

    @property
    def settings(self) -> Any: ...  # noqa: D102

    @property
    def backbone(self) -> Backbone: ...  # noqa: D102

    @property
    def loop(self) -> Task: ...  # noqa: D102

    @property
    def examples(self) -> Sequence[Any]: ...  # noqa: D102

    @property
    def gradient_examples(self) -> Sequence[Any]: ...  # noqa: D102

    @property
    def splits(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def pretraining(self) -> Pretraining | None: ...  # noqa: D102

    @classmethod
    def load_backbone(
        cls, base: BaseModel, settings: Any, *, dtype: str = "", tokenizer_folder: Path | None = None
    ) -> Backbone:
        """Load a run's base, in the type that its settings say or in another, with the tokenizer of a folder."""
        ...

    @classmethod
    def load_tokenizer(cls, folder: Path) -> PreTrainedTokenizerBase:
        """Load a run's tokenizer alone."""
        ...

    @classmethod
    def files(cls, settings: Any) -> Sequence[str]:
        """Return the files, beside weights and settings, without which a run cannot be opened."""
        ...

    @classmethod
    def from_run(cls, folder: Path, settings: Any, backbone: Backbone, *, batch_size: int) -> RunTask:
        """Open a finished run."""
        ...

    def notices(self) -> Sequence[str]:
        """Return what a user should know of the data before training, one line each."""
        ...

    def build_model(self, backbone: Backbone) -> tuple[nn.Module, Anatomy]:
        """Return the plain model on a backbone, its heads untrained, and what is new in it."""
        ...

    def fresh_heads(self, source: Path) -> Sequence[str]:
        """Return the names of heads' weights that mean something else than in the run that the training starts from."""
        ...

    def check(self, model: nn.Module) -> None:
        """Refuse, before the first step, a model that the task cannot train as its settings ask for."""
        ...

    def predict(self, model: nn.Module, split: str, *, on_batch: Callable[[int, int], None] | None = None) -> Any:
        """Return what the model predicts for a split; `on_batch` hears what is done, and of how much."""
        ...

    def tune(self, predicted: Any) -> None:
        """Choose, by what was predicted for the dev split, all that is chosen after training."""
        ...

    def score(self, split: str, predicted: Any) -> dict[str, Any]:
        """Return the score of a split, as `result.json` holds it."""
        ...

    def costs(self, outcome: Outcome, cost: Mapping[str, float]) -> dict[str, Any]:
        """Return what the training cost beyond time and memory of its epochs."""
        ...

    def outputs(self, model: nn.Module) -> Tensor:
        """Return the model's outputs on a few inputs, the same at each call: saved and merged models must give them."""
        ...

    def save(self, folder: Path, outcome: Outcome) -> None:
        """Write what the run needs to be opened, beside weights, base and result; and files of the task's own."""
        ...

    def history(self, trainer: TaskTrainer) -> Sequence[Mapping[str, Any]]:
        """Return the lines of `history.jsonl`."""
        ...

    def data(self) -> dict[str, Any]:
        """Return the sizes of the splits, as `result.json` holds them."""
        ...

    def card(self, settings: Mapping[str, Any], result: Mapping[str, Any]) -> str:
        """Return the model card."""
        ...


class RecipeTask(RunTask, Protocol):
    """A task of `eventune train`."""

    @classmethod
    def from_recipe(cls, recipe: Any, documents: Any, base: BaseModel, placement: Placement) -> RunTask:
        """Load the base and make the task of a run that is to be trained.

        Args:
            recipe: A `Recipe`, which has the task's own settings in `own`.
            documents: `DocumentSplits`.
            base: The base.
            placement: Where it lies, and in what type.
        """
        ...


class TaughtTask(RunTask, Protocol):
    """A task of `eventune train` that can learn what another run says beside the annotation."""

    def learn_from(self, teacher: Teacher) -> None:
        """Add what a `Teacher` says to the examples."""
        ...


class AnnotatingTask(RunTask, Protocol):
    """A task whose finished runs find events' arguments.

    Attributes:
        ontology: The event types and roles that it knows.
        counts: What was wrong with answers so far, by kind; empty for an encoder.
    """

    ontology: Ontology
    counts: Counter[str]

    def for_ontology(self, ontology: Ontology) -> AnnotatingTask:
        """Return the task of the same model with the types and roles of another ontology.

        Raises:
            EventuneError: If the model knows its own types alone.
        """
        ...

    def annotate(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """Return documents with the arguments found in place of their own."""
        ...

    def candidates(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> Any:
        """Return all that some settings could choose for documents, in the task's own form."""
        ...

    def chosen(self, candidates: Any, settings: Any) -> list[Document]:
        """Return the documents with what settings choose of the candidates."""
        ...

    def alternatives(self) -> Sequence[Any]:
        """Return the settings that can be chosen after training, the most generous first; at least the run's own."""
        ...


class ExportableTask(AnnotatingTask, Protocol):
    """A task whose finished runs can be written as a graph that needs no torch.

    Attributes:
        axes: What the sizes of each of the graph's inputs mean, those that differ from batch to batch.
    """

    axes: ClassVar[Mapping[str, Sequence[str]]]

    def graph(self, model: nn.Module) -> nn.Module:
        """Return a plain model with tensors alone for inputs, those of `axes`, and outputs.

        Raises:
            EventuneError: If there is no graph of such a model.
        """
        ...

    def graph_inputs(self, documents: Sequence[Document]) -> dict[str, Tensor]:
        """Return the graph's inputs for a few documents, in one batch."""
        ...
