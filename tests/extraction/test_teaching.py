"""What a teacher says of the examples of a model."""

import pytest

from eventune.events import Argument, Document, Event, Span
from eventune.extraction.collator import WindowCollator
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.decoding import Candidate
from eventune.extraction.teaching import taught_examples


@pytest.fixture
def part(builder):
    sentences = [["Rebels", "from", "Homs", "rested", "."], ["They", "shelled", "the", "old-town", "."]]
    event = Event("conflict.attack", Span(6, 7), (Argument("target", Span(8, 9)), Argument("attacker", Span(0, 1))))
    documents = [Document.from_sentences("d", sentences, events=[event])]
    return EncodedPart(documents, *builder().encode(documents))


def said(builder, *readings):
    """Return readings of the event: of each, the probabilities of some roles' spans by the roles' names."""
    roles = [role.name for role in builder().ontology["conflict.attack"].roles]
    return {
        (0, 0): [
            [[Candidate(Span(*span), 0.0, p) for span, p in reading.get(role, {}).items()] for role in roles]
            for reading in readings
        ]
    }


def names(builder, example):
    roles = builder().ontology["conflict.attack"].roles
    return {
        (roles[example.roles[row]].name, example.first_word + word, length + 1): pytest.approx(probability)
        for row, word, length, probability in example.taught
    }


def test_spans_are_found_again_in_the_window_with_their_mean_probability(builder, part):
    readings = said(
        builder, {"target": {(8, 9): 0.6, (7, 9): 0.2}}, {"target": {(8, 9): 0.8}, "attacker": {(0, 3): 0.4}}
    )
    (example,) = taught_examples(part, readings, max_span_length=4)

    assert names(builder, example) == {("target", 8, 1): 0.7, ("target", 7, 2): 0.1, ("attacker", 0, 3): 0.2}
    assert example.gold == part.examples[0].gold


def test_a_role_has_one_distribution_whatever_the_windows_say(builder, part):
    """Windows overlap, and each has a distribution of its own."""
    readings = said(builder, {"target": {(8, 9): 0.9, (7, 9): 0.6}})
    roles = readings[0, 0][0]
    for candidates in roles:
        candidates.extend([*candidates])
    (example,) = taught_examples(part, readings, max_span_length=4)
    assert names(builder, example) == {("target", 8, 1): 0.6, ("target", 7, 2): 0.4}


def test_what_the_model_does_not_score_and_what_is_improbable_is_left_out(builder, part):
    readings = said(builder, {"target": {(5, 9): 0.5, (8, 9): 1e-4}})
    (example,) = taught_examples(part, readings, max_span_length=3)
    assert example.taught == []


def test_a_batch_has_what_is_taught_of_each_example(builder, part, tokenizer):
    collator = WindowCollator(int(tokenizer.pad_token_id))
    (example,) = taught_examples(part, said(builder, {"target": {(8, 9): 0.5}}), max_span_length=4)
    (silent,) = taught_examples(part, said(builder, {}), max_span_length=4)
    targets = collator.targets([silent, example])

    row = next(row for row, word, length in example.gold if (word, length) == (8 - example.first_word, 0))
    assert targets["taught"].tolist() == [[1, row, 8 - example.first_word, 0]]
    assert targets["probabilities"].tolist() == [0.5]
    assert targets.keys() - collator.targets(part.examples).keys() == {"taught", "probabilities"}
