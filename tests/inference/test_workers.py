"""Extraction in processes, and how it ends."""

import time
from collections import Counter
from types import SimpleNamespace

import pytest

from eventune.corpora.inputs import input_of
from eventune.inference.extractor import Extractor
from eventune.inference.pools import Options, pools_of
from eventune.inference.workers import processes

PATIENCE = 240
"""Seconds that the stand-in takes for a pool; nobody waits for them."""


def slow_extractor():
    """Stands in for a model that takes long."""
    return Extractor(
        SimpleNamespace(
            ontology={},
            counts=Counter(),
            detects=True,
            finds_arguments=True,
            is_generative=False,
            fingerprint=lambda: "0123456789ab",
            annotate=lambda documents, on_batch: time.sleep(PATIENCE),
        )
    )


@pytest.mark.parametrize("ending", [KeyboardInterrupt, OSError])
def test_whoever_ends_the_command_does_not_wait_for_what_is_extracted(ending):
    start = time.monotonic()

    def pools():
        for _ in range(2):
            yield from pools_of(input_of("They shot.", name="--text").items(), 1)
        # The worker has the first of them by now.
        time.sleep(1)
        raise ending

    with pytest.raises(ending), processes(slow_extractor, Options(), 1) as crew:
        list(crew.results(pools()))
    assert time.monotonic() - start < PATIENCE / 2
