"""The built-in sample corpus: news-like English that `scripts/make_sample.py` makes, with its ontology.

It is for demos and tests: small, free of anybody's rights, and not trivial. No name, place or trigger of `test` occurs
in `train` or `dev`, so what is learned is the structure of sentences. People, organisations and events are invented.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from eventune.errors import EventuneError, did_you_mean

_FILES = {"train": "train.jsonl", "dev": "dev.jsonl", "test": "test.jsonl", "ontology": "ontology.yaml"}


def sample_file(name: str) -> Path:
    """Return a file of the sample corpus.

    Args:
        name: `train`, `dev`, `test` or `ontology`.

    Returns:
        The path of the installed file.

    Raises:
        EventuneError: If there is no such part.
    """
    if name not in _FILES:
        hint = did_you_mean(name, _FILES)
        raise EventuneError(f"the sample corpus has {', '.join(_FILES)}, found {name!r}", hint)
    # The package is installed as plain files: the weights it is trained with are as well.
    return Path(str(files(__name__) / _FILES[name]))
