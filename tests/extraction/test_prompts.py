"""What the encoder reads before the text."""

import pytest

from eventune.events import Document, Event, EventType, Role, Span
from eventune.extraction.prompts import MOST_TRIGGER_WORDS, natural_name, role_words, trigger_words, type_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("attack", ["attack"]),
        ("conflict.attack.n/a", ["conflict", "attack"]),
        ("contact.n/a.n/a", ["contact"]),
        ("life.die.deathcausedbyviolentevents", ["life", "die", "deathcausedbyviolentevents"]),
        ("Conflict:Attack:Unspecified", ["conflict", "attack"]),
        ("PlaceOfEmployment", ["place", "of", "employment"]),
        ("end_date", ["end", "date"]),
        ("Start-Position", ["start", "position"]),
        ("Transfer Money", ["transfer", "money"]),
        ("none.attack", ["attack"]),
    ],
)
def test_names_become_lower_case_words(name, words):
    assert natural_name(name) == words


@pytest.mark.parametrize("name", ["竞赛行为-胜负", "组织关系-加入"])
def test_chinese_names_are_split_at_punctuation_only(name):
    assert natural_name(name) == name.split("-")


@pytest.mark.parametrize("name", ["攻击者", "裁员方", "Nonette"])
def test_names_without_boundary_stay_whole(name):
    assert natural_name(name) == [name.lower()]


@pytest.mark.parametrize("name", ["n/a", "none", "unspecified", "...", "_"])
def test_names_that_say_nothing_are_kept_as_they_are(name):
    assert natural_name(name) == [name]


def test_parts_that_only_look_empty_are_kept():
    assert natural_name("nonexistent.noneuclidean") == ["nonexistent", "noneuclidean"]


def test_types_and_roles_are_named_by_their_words():
    role = Role("PlaceOfBirth")
    assert role_words(role) == ["place", "of", "birth"]
    assert type_words(EventType("life.be-born.n/a", (role,))) == ["life", "be", "born"]


def test_trigger_is_given_as_the_document_writes_it():
    document = Document.from_sentences("d", [["Rebels", "Shelled", "down", "Homs"]])
    assert trigger_words(document, Event("attack", Span(1, 3))) == ["Shelled", "down"]


def test_event_without_trigger_has_no_trigger_words():
    document = Document.from_sentences("d", [["Rebels"]])
    assert trigger_words(document, Event("attack", None)) == []


def test_of_a_very_long_trigger_the_ends_are_kept():
    words = [f"w{number}" for number in range(MOST_TRIGGER_WORDS + 10)]
    document = Document.from_sentences("a", [words])
    found = trigger_words(document, Event("attack", Span(0, len(words))))
    assert found == [*words[: MOST_TRIGGER_WORDS // 2], *words[-MOST_TRIGGER_WORDS // 2 :]]
    assert trigger_words(document, Event("attack", Span(0, MOST_TRIGGER_WORDS))) == words[:MOST_TRIGGER_WORDS]
