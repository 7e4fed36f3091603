"""The field's official scorers, reproduced figure for figure, behind one function.

A scorer is a class that counts documents one by one (`measures.Scorer`); its name in `SCORERS` is the name that
commands, recipes and results use. To add one, write it in a module of its own and enter it in `definitions`.
"""

from eventune.scoring.definitions import SCORERS, Definition, make_scorer, score
from eventune.scoring.measures import MeanTally, Scorer, Tally
from eventune.scoring.rams_report import official_report

__all__ = [
    "SCORERS",
    "Definition",
    "MeanTally",
    "Scorer",
    "Tally",
    "make_scorer",
    "official_report",
    "score",
]
