"""Several finished runs as one, which finds what they say together."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from eventune.backbones.placement import Placement
from eventune.corpora import read_corpus, read_ontology, write_corpus, write_ontology
from eventune.corpora.ontology_fit import known_part
from eventune.corpora.statistics import sizes_of
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Ontology, Role
from eventune.extraction.decoding import EventCandidates, Margins
from eventune.recipe import Recipe
from eventune.results import RunResult
from eventune.runs.opening import load_members, open_run_with
from eventune.runs.splits import SPLIT_BY, read_splits
from eventune.scoring.checks import check_gold
from eventune.scoring.definitions import score_model
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import write_json
from eventune.storage.locks import creating
from eventune.storage.validation import write_settings
from eventune.tasks.ensemble import MOST_MEMBERS, Ensemble, EnsembleSettings
from eventune.tasks.registry import READINGS
from eventune.training import run_directory as names
from eventune.training.meter import hardware, library_versions

_LEFT_OUT = shutil.ignore_patterns(
    names.PREDICTIONS, names.HISTORY, names.CARD, names.TRACKING, names.CHECKPOINTS, ".*"
)
_NOT_READ: dict[str, Any] = {
    "pretrain_file": "",
    "pretrain_ontology_file": "",
    "negative_file": "",
    "further_corpora": {},
}
"""Settings of documents that were only trained on."""


@dataclass(frozen=True, slots=True)
class EnsembleParts:
    """The documents that an ensemble is calibrated and scored on.

    Attributes:
        dev: Those that teach how probable it is that a span is right.
        test: Those that it is scored on beside; may be empty.
        where: Where the first come from, for an error.
    """

    dev: Sequence[Document]
    test: Sequence[Document]
    where: str


def make_ensemble(
    runs: Sequence[Path],
    target: Path,
    *,
    dev_file: Path | None = None,
    scorer: str,
    model_name_or_path: str | None = None,
    placement: Placement,
    batch_size: int = 32,
    notice: Callable[[str], None] = lambda _: None,
) -> RunResult:
    """Put copies of several runs into a run directory of their own, and calibrate what they say together.

    Args:
        runs: Two run directories or more, with task: extraction or events; their ontologies have the same types and
            roles.
        target: The new run directory.
        dev_file: Annotated documents that no run was trained on; by default the runs' own dev part, which has to be the
            same for all.
        scorer: Name of the definition that says what is right.
        model_name_or_path: Where a base is on this machine, if not where the runs that were trained on it say.
        placement: Where the models lie.
        batch_size: Events a batch.
        notice: Hears of what is read.

    Returns:
        The scores on the dev part and, where the runs have one in common, on the test part.

    Raises:
        LockedError: If another process is writing the target.
        EventuneError: If the target exists, a run cannot be opened or does not fit the first, or the dev part is not
            there or has nothing to learn from.
    """
    if not 2 <= len(runs) <= MOST_MEMBERS:
        raise InvalidValueError("runs", f"two runs or more, {MOST_MEMBERS} at most", str(len(runs)))
    with creating(target, makes_parents=True):
        members = [open_run_with(run, READINGS).directory.path for run in runs]
        ontology = _common_ontology(members)
        parts = _of_file(dev_file, ontology, notice) if dev_file is not None else _of_runs(members, notice)
        check_gold(parts.dev, parts.where, with_arguments=True, to_find="give annotated documents by --dev_file")
        loaded = load_members(
            members, model_name_or_path=model_name_or_path, placement=placement, batch_size=batch_size
        )
        task = Ensemble(loaded, EnsembleSettings(members=len(members), scorer=scorer, margins=Margins()), ontology)
        models = nn.ModuleList(member.model for member in loaded)
        found = {"dev": task.candidates(models, parts.dev)}
        task.settings = task.calibrated(found["dev"], scorer)
        if parts.test:
            found["test"] = task.candidates(models, parts.test)
        result = _result(task, found, scorer, placement)
        test = task.chosen(found["test"], task.settings) if parts.test else []
        _write(target, members, task, test, result)
    return result


def _result(
    task: Ensemble, found: Mapping[str, tuple[Sequence[Document], EventCandidates]], scorer: str, placement: Placement
) -> RunResult:
    return RunResult(
        scores={
            name: score_model(own[0], task.chosen(own, task.settings), scorer).to_dict() for name, own in found.items()
        },
        data={name: sizes_of(own[0]) for name, own in found.items()},
        versions=library_versions(),
        hardware=hardware(placement.device),
    )


def _common_ontology(members: Sequence[Path]) -> Ontology:
    """Return the ontology of all members; a role may have as many fillers as any of them allows.

    Raises:
        EventuneError: If one has other types or roles than the first, or has them in another order.
    """
    ontologies = [read_ontology(member / names.ONTOLOGY) for member in members]
    known = [
        {name: [role.name for role in event_type.roles] for name, event_type in ontology.types.items()}
        for ontology in ontologies
    ]
    for member, found in zip(members[1:], known[1:], strict=True):
        if found != known[0]:
            other = next(name for name in (*known[0], *found) if known[0].get(name) != found.get(name))
            same = sorted(found.get(other, ())) == sorted(known[0].get(other, ()))
            raise EventuneError(
                f"{member}: expected the types and roles of {members[0]}, found others, e.g. of {other!r}"
                + (": the same in another order" if same else ""),
                "train all members with one ontology_file",
            )
    return Ontology.of(
        [
            replace(event_type, roles=tuple(map(_widest, zip(*(each[name].roles for each in ontologies), strict=True))))
            for name, event_type in ontologies[0].types.items()
        ]
    )


def _widest(roles: Sequence[Role]) -> Role:
    return max(roles, key=lambda role: role.multiplicity)


def _of_file(dev_file: Path, ontology: Ontology, notice: Callable[[str], None]) -> EnsembleParts:
    known, unknown = known_part(read_corpus(dev_file).documents, ontology)
    if unknown:
        notice(f"{dev_file}: what the runs' ontology lacks, left out: {unknown}")
    return EnsembleParts(known, (), str(dev_file))


def _of_runs(members: Sequence[Path], notice: Callable[[str], None]) -> EnsembleParts:
    hint = "give --dev_file, with documents that no run was trained on"
    try:
        recipes = [Recipe.read(member / names.RECIPE).data for member in members]
        for member, other in zip(members[1:], recipes[1:], strict=True):
            for name in SPLIT_BY:
                own, found = getattr(recipes[0], name), getattr(other, name)
                if own != found:
                    raise EventuneError(
                        f"{member}: expected the documents of {members[0]}, whose {name} is {own!r}, found {found!r}"
                    )
        splits = read_splits(replace(recipes[0], **_NOT_READ), notice)
    except EventuneError as error:
        raise EventuneError(error.message, hint) from error
    return EnsembleParts(splits.dev, splits.test, f"the dev part of {members[0]}")


def _write(target: Path, members: Sequence[Path], task: Ensemble, test: Sequence[Document], result: RunResult) -> None:
    with atomic_folder(target) as staging:
        for number, member in enumerate(members, start=1):
            shutil.copytree(member, staging / names.MEMBERS / str(number), ignore=_LEFT_OUT)
        write_ontology(task.ontology, staging / names.ONTOLOGY)
        size = (staging / names.ONTOLOGY).stat().st_size
        write_settings(staging / names.ENSEMBLE, replace(task.settings, ontology_bytes=size))
        if test:
            write_corpus(test, staging / names.PREDICTIONS)
        write_json(staging / names.RESULT, result.to_dict())
