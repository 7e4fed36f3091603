"""The built-in sample corpus: news-like English that `scripts/make_sample.py` makes, with its ontology.

It is for demos and tests: small, free of anybody's rights, and not trivial. No name, place or trigger of `test` occurs
in `train` or `dev`, so what is learned is the structure of sentences. People, organisations and events are invented.

Beside it, `warmup` with `warmup_ontology` is a wider corpus to train on first: many event types and roles as news has
them, one part, no held-out words.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from eventune.errors import EventuneError, did_you_mean

_FILES = {
    "train": "train.jsonl",
    "dev": "dev.jsonl",
    "test": "test.jsonl",
    "ontology": "ontology.yaml",
    "warmup": "warmup.jsonl",
    "warmup_ontology": "warmup_ontology.yaml",
}


def sample_file(name: str) -> Path:
    """Return a file of the sample corpus.

    Args:
        name: `train`, `dev`, `test` or `ontology`; `warmup` or `warmup_ontology`.

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
