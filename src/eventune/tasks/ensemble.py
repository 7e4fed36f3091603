"""`task: ensemble`: several runs that find arguments, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Protocol

from annotated_types import Ge, Le
from torch import nn

from eventune.events import Document, Ontology
from eventune.extraction.calibration import calibrate
from eventune.extraction.decoding import Choice, EventCandidates, Readings, annotated, merge_readings
from eventune.tasks.encoder import MARGIN_STEPS
from eventune.training import run_directory as names

MOST_MEMBERS = 32


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings:
    """What a run's `ensemble.json` holds.

    Attributes:
        task: Name of the task.
        method: What was trained: nothing but the members.
        members: How many they are.
        scorer: Name of the definition by which the margins say what is right.
        margins: What decides which spans become arguments, given the mean of what the members say.
        ontology_bytes: Size of the ontology's file.
    """

    task: Literal["ensemble"] = "ensemble"
    method: Literal["ensemble"] = "ensemble"
    members: Annotated[int, Ge(2), Le(MOST_MEMBERS)]
    scorer: str
    margins: Choice
    ontology_bytes: int = 0


class Member(Protocol):
    """A run in memory; see `runs.opening.LoadedRun`."""

    @property
    def task(self) -> Any:
        """Its task, a `SpanExtraction`."""
        ...

    def active(self) -> AbstractContextManager[nn.Module]:
        """Give its model, ready to compute, while the block lasts."""
        ...

    def for_ontology(self, ontology: Ontology) -> Member:
        """Return it with the types and roles of another ontology."""
        ...


class Ensemble:
    """An `AnnotatingTask` whose candidates have the mean log-odds of all its members' readings.

    Each member has read the same words, whatever its subword tokens, so spans of words are what they have in common.

    Attributes:
        ontology: The event types and roles that all of them know.
        settings: What the run's settings file holds.
        counts: Nothing; see `AnnotatingTask`.
    """

    Settings: ClassVar[type[Any]] = EnsembleSettings

    def __init__(self, members: Sequence[Member], settings: EnsembleSettings, ontology: Ontology) -> None:
        self._members, self.settings, self.ontology = members, settings, ontology
        self.counts: Counter[str] = Counter()

    @classmethod
    def files(cls, settings: EnsembleSettings) -> Sequence[str]:  # noqa: ARG003
        """See `RunTask`."""
        return (names.ONTOLOGY,)

    def for_ontology(self, ontology: Ontology) -> Ensemble:
        """See `AnnotatingTask`."""
        return Ensemble([member.for_ontology(ontology) for member in self._members], self.settings, ontology)

    def annotate(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """See `AnnotatingTask`; the members' own models are what computes."""
        return self.chosen(self.candidates(model, documents, on_batch=on_batch), self.settings)

    def candidates(
        self,
        model: nn.Module,
        documents: Sequence[Document],
        *,
        on_batch: Callable[[int, int], None] | None = None,
    ) -> tuple[Sequence[Document], EventCandidates]:
        """See `AnnotatingTask`: the ranked spans of each role."""
        return documents, merge_readings(self.readings(model, documents, on_batch=on_batch), documents, self.ontology)

    def readings(
        self,
        model: nn.Module,  # noqa: ARG002
        documents: Sequence[Document],
        *,
        on_batch: Callable[[int, int], None] | None = None,
    ) -> Readings:
        """Return what each reading of each event says, of all members."""
        readings: Readings = {}
        for number, member in enumerate(self._members):
            heard = partial(self._tell, on_batch, number) if on_batch else None
            with member.active() as own:
                for place, found in member.task.readings(own, documents, on_batch=heard).items():
                    readings.setdefault(place, []).extend(found)
        return readings

    def _tell(self, on_batch: Callable[[int, int], None], number: int, done: int, total: int) -> None:
        on_batch(number * total + done, len(self._members) * total)

    def chosen(
        self, candidates: tuple[Sequence[Document], EventCandidates], settings: EnsembleSettings
    ) -> list[Document]:
        """See `AnnotatingTask`."""
        documents, found = candidates
        return annotated(documents, found, self.ontology, settings.margins)

    def calibrated(self, candidates: tuple[Sequence[Document], EventCandidates], scorer: str) -> EnsembleSettings:
        """Return the settings with what annotated documents teach of how probable it is that a span is right."""
        documents, found = candidates
        margins = calibrate(found, documents, self.ontology, scorer=scorer)
        return replace(self.settings, scorer=scorer, margins=margins)

    def alternatives(self) -> Sequence[EnsembleSettings]:
        """See `AnnotatingTask`: more generous and stricter choices around the own one."""
        return [replace(self.settings, margins=self.settings.margins.shifted(step)) for step in MARGIN_STEPS]
