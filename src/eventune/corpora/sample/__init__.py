"""The built-in sample corpus: news-like English that `scripts/make_sample.py` makes, with its ontology.

It is for demos and tests: small, free of anybody's rights, and not trivial. No name, place or trigger of `test` occurs
in `train` or `dev`, so what is learned is the structure of sentences. People, organisations and events are invented.

Beside it, `warmup` with `warmup_ontology` is a wider corpus to train on first: see `eventune.corpora.warmup`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from eventune.corpora import warmup
from eventune.errors import EventuneError, did_you_mean

FILES = {
    "train": "train.jsonl",
    "dev": "dev.jsonl",
    "test": "test.jsonl",
    "ontology": "ontology.yaml",
}
PARTS = (*FILES, *warmup.FILES)


def sample_file(name: str) -> Path:
    """Return a file of the sample corpus.

    Args:
        name: `train`, `dev`, `test` or `ontology`; `warmup` or `warmup_ontology`.

    Returns:
        The path of the file: installed, or of the warm-up corpus in the cache.

    Raises:
        EventuneError: If there is no such part, or the warm-up corpus cannot be kept.
    """
    if name in warmup.FILES:
        return warmup.warmup_file(name)
    if name not in FILES:
        raise EventuneError(f"the sample corpus has {', '.join(PARTS)}, found {name!r}", did_you_mean(name, PARTS))
    # The package is installed as plain files: the weights it is trained with are as well.
    return Path(str(files(__name__) / FILES[name]))
