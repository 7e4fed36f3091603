"""A tokenizer, an ontology and builders for the extractor's tests."""

import pytest

from eventune.events import EventType, Ontology, Role
from eventune.extraction.features import FeatureBuilder
from eventune.extraction.subwords import SubwordTokenizer

ROLES = {"conflict.attack": ("attacker", "PlaceOfBirth", "target"), "meet": ("participant", "end_date"), "rest": ()}


@pytest.fixture(scope="session")
def tokenizer(tiny_encoder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_encoder)


@pytest.fixture(scope="session")
def ontology():
    return Ontology.of(EventType(name, tuple(Role(role, 2) for role in roles)) for name, roles in ROLES.items())


@pytest.fixture
def builder(tokenizer, ontology):
    """Makes a builder with the given lengths."""

    def make(*, ontology=ontology, **lengths):
        lengths = {"max_length": 256, "max_span_length": 6, **lengths}
        return FeatureBuilder(SubwordTokenizer.of(tokenizer), ontology, **lengths)

    return make
