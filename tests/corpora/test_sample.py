import ast
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from eventune.corpora.jsonl import read_document
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.events.segmentation import segment

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"train": 400, "dev": 109, "test": 168}


def read_part(part):
    with sample_file(part).open(encoding="utf-8") as file:
        return [read_document(json.loads(line)) for line in file]


@pytest.fixture(scope="module")
def parts():
    return {part: read_part(part) for part in PARTS}


@pytest.fixture(scope="module")
def ontology():
    return Ontology.from_dict(yaml.safe_load(sample_file("ontology").read_text(encoding="utf-8")))


def events_of(documents):
    return [(document, event) for document in documents for event in document.events]


def words_of(documents):
    return {word for document in documents for word in document.words}


def proper_words(documents):
    """Words with a capital that no beginning of a sentence explains."""
    found = set()
    for document in documents:
        first = {sentence.start for sentence in document.sentences}
        found |= {word for index, word in enumerate(document.words) if word[0].isupper() and index not in first}
    return found


def trigger_words(documents):
    return {document.text_of(event.trigger).lower() for document, event in events_of(documents)}


def stems(words):
    """Cut what inflection and nominalisation add, so that two forms of a verb meet: bombed, bombing, delivery."""
    return {re.sub(r"(ing|ation|ition|ment|sal|ed|ion|al|ure|y|e|s)$", "", word) for word in words}


def test_shipped_files_are_what_the_script_makes():
    script = ROOT / "scripts" / "make_sample.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_script_needs_the_standard_library_and_eventune_only():
    allowed = {*sys.stdlib_module_names, "eventune", "sample"}
    for path in [ROOT / "scripts" / "make_sample.py", *(ROOT / "scripts" / "sample").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path.name


def test_unknown_part_names_the_known_ones():
    with pytest.raises(EventuneError, match="train, dev, test, ontology"):
        sample_file("tests")


def test_files_have_the_promised_sizes(parts):
    assert {part: len(documents) for part, documents in parts.items()} == PARTS
    assert sum(sample_file(name).stat().st_size for name in [*PARTS, "ontology"]) < 900_000


def test_ids_and_texts_are_unique_over_all_parts(parts):
    documents = [document for part in parts.values() for document in part]
    assert len({document.id for document in documents}) == len(documents)
    assert len({document.text for document in documents}) == len(documents)


def test_ontology_describes_at_least_ten_types_and_24_roles(ontology):
    roles = [role for event_type in ontology.types.values() for role in event_type.roles]
    assert len(ontology) >= 10
    assert len({role.name for role in roles}) >= 24
    assert all(event_type.description for event_type in ontology.types.values())
    assert all(role.description for role in roles)
    assert all(re.fullmatch("[a-z]+", role.name) for role in roles)


def test_every_type_and_role_occurs_in_every_part(parts, ontology):
    wanted = {(name, role.name) for name, event_type in ontology.types.items() for role in event_type.roles}
    for part, documents in parts.items():
        found = {(event.type, argument.role) for _, event in events_of(documents) for argument in event.arguments}
        assert found == wanted, part


def test_no_role_has_more_fillers_than_the_ontology_allows(parts, ontology):
    for documents in parts.values():
        for document, event in events_of(documents):
            for role, count in Counter(argument.role for argument in event.arguments).items():
                assert count <= ontology[event.type].role(role).multiplicity, document.id


def test_documents_have_one_to_five_sentences_and_none_to_three_events(parts):
    for documents in parts.values():
        assert {len(document.sentences) for document in documents} == {1, 2, 3, 4, 5}
        events = Counter(len(document.events) for document in documents)
        assert set(events) == {0, 1, 2, 3}
        assert events[0] / len(documents) > 0.1
        assert events[2] + events[3] > 0.2 * len(documents)


def test_tokens_are_those_of_raw_text(parts):
    for documents in parts.values():
        for document in documents:
            assert (document.tokens, document.sentences) == segment(document.text)


def test_text_reads_like_running_text(parts):
    for documents in parts.values():
        for document in documents:
            assert not re.search(r"  | [.,]|[.,]{2}|\b(\w+) \1\b|[⟦⟧{}~|]", document.text), document.text
            assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiouh8]", document.text), document.text
            for sentence in document.sentences:
                text = document.text_of(sentence)
                assert text[0].isupper() or text[0] in "0123456789$", text
                assert text.endswith("."), text


def test_arguments_are_one_to_five_tokens_without_leading_article(parts):
    for documents in parts.values():
        for document, event in events_of(documents):
            for argument in event.arguments:
                words = document.words[argument.span.start : argument.span.end]
                assert 1 <= len(words) <= 5, words
                assert words[0].lower() not in ("a", "an", "the", "in", "of", "by"), words
                assert words[-1] not in (",", "."), words


def test_no_argument_overlaps_another_or_its_trigger(parts):
    for documents in parts.values():
        for document, event in events_of(documents):
            spans = sorted({argument.span for argument in event.arguments} | {event.trigger})
            assert all(one.end <= other.start for one, other in pairwise(spans)), document.id


def test_arguments_text_occurs_once_in_its_document(parts):
    # Otherwise a correct answer could be counted as wrong because another mention was meant.
    for documents in parts.values():
        for document, event in events_of(documents):
            for argument in event.arguments:
                text = re.escape(document.text_of(argument.span))
                assert len(re.findall(rf"(?<![\w.,$]){text}(?![\w,])", document.text)) <= 1, text


@pytest.mark.parametrize("part", PARTS)
def test_enough_arguments_stand_outside_the_triggers_sentence_on_both_sides(parts, part):
    sides = Counter()
    for document, event in events_of(parts[part]):
        own = document.sentence_of(event.trigger.start)
        for argument in event.arguments:
            sentence = document.sentence_of(argument.span.start)
            sides["before" if sentence < own else "after" if sentence > own else "same"] += 1
    assert (sides["before"] + sides["after"]) / sides.total() >= 0.15
    assert sides["before"] / sides.total() >= 0.02


@pytest.mark.parametrize("part", PARTS)
def test_enough_roles_are_empty_and_enough_are_filled_twice(parts, ontology, part):
    slots = Counter()
    apart = 0
    for document, event in events_of(parts[part]):
        for role in ontology[event.type].roles:
            spans = [argument.span for argument in event.arguments if argument.role == role.name]
            slots[min(len(spans), 2)] += 1
            apart += len({document.sentence_of(span.start) for span in spans}) > 1
    assert slots[0] / slots.total() >= 0.2
    assert slots[2] / (slots[1] + slots[2]) >= 0.08
    assert apart >= 5


@pytest.mark.parametrize("part", PARTS)
def test_some_spans_fill_two_roles_and_some_are_shared_by_two_events(parts, part):
    twice = [
        event
        for _, event in events_of(parts[part])
        if len({argument.span for argument in event.arguments}) < len(event.arguments)
    ]
    shared = [
        document
        for document in parts[part]
        if len(document.events) == 2
        and {argument.span for argument in document.events[0].arguments}
        & {argument.span for argument in document.events[1].arguments}
    ]
    assert twice
    assert shared


@pytest.mark.parametrize("part", PARTS)
def test_distractors_of_an_arguments_kind_are_frequent(parts, part):
    def names_beside_arguments(document):
        inside = {
            index
            for event in document.events
            for argument in event.arguments
            for index in range(argument.span.start, argument.span.end)
        }
        first = {sentence.start for sentence in document.sentences}
        rest = set(range(len(document.words))) - inside - first
        return any(document.words[index][0].isupper() for index in rest)

    assert sum(map(names_beside_arguments, parts[part])) / len(parts[part]) >= 0.6


@pytest.mark.parametrize(("part", "others"), [("test", ("train", "dev")), ("dev", ("train", "test"))])
def test_no_proper_name_occurs_in_another_part(parts, part, others):
    names = proper_words(parts[part])
    assert len(names) > 50
    for other in others:
        assert names & words_of(parts[other]) == set()
        assert proper_words(parts[other]) & words_of(parts[part]) == set()


@pytest.mark.parametrize(("part", "others"), [("test", ("train", "dev")), ("dev", ("train", "test"))])
def test_no_trigger_occurs_in_another_part_in_any_form(parts, part, others):
    triggers = trigger_words(parts[part])
    for other in others:
        assert triggers & {word.lower() for word in words_of(parts[other])} == set()
        assert stems(triggers) & stems(trigger_words(parts[other])) == set()
