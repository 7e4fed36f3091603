"""How arguments are scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError, did_you_mean
from eventune.scoring.definitions import DEFAULT_SCORER, SCORERS


@dataclass(kw_only=True)
class ScoringArguments:
    """How arguments are scored."""

    scorer: str = field(
        default=DEFAULT_SCORER,
        metadata={
            "help": "Definition of the score that the epoch and the thresholds are chosen by, and that results and "
            "comparisons show: " + "; ".join(f"{name}: {known.summary}" for name, known in SCORERS.items()),
            "read_by": "arguments",
            "in_its_place": "runs that find triggers are scored by TextEE's definition; choose its measure",
        },
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield an error if there is no such scorer."""
        if self.scorer not in SCORERS:
            yield InvalidValueError(
                "scorer", " or ".join(SCORERS), repr(self.scorer), did_you_mean(self.scorer, SCORERS)
            )
