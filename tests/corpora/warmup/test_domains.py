"""What people write in the files of the warm-up corpus's fields."""

import re

import pytest

from eventune.corpora.warmup import clauses, documents
from eventune.corpora.warmup.domains import DOMAINS, NEWS, domain_named, lines_of, names
from eventune.corpora.warmup.frames import parse_verb, types

BUILT_IN = {"person", "org", "money", "country", "place"}
SLOTS = {"source", "when", "event", "year", "num", "day"}
domains = pytest.mark.parametrize("name", DOMAINS)


def types_of(name):
    return [kind for kind in types().values() if kind.domain is domain_named(name)]


@domains
def test_every_role_is_described_told_of_and_may_stand_in_the_event_s_own_sentence(name):
    for kind in types_of(name):
        for role in kind.roles:
            assert kind.domain.descriptions[role], (kind.name, role)
            assert {sentence[:2] for sentence in kind.domain.satellites[role]} <= {"< ", "> ", "+ "}, role
            assert any(role in (frame.subject, frame.object) or frame.oblique(role) for frame in kind.frames), (
                f"{kind.name}: {role} can never stand in the event's own sentence"
            )


@domains
def test_frames_name_roles_of_their_type_and_nouns_with_their_prepositions(name):
    for kind in types_of(name):
        for frame in kind.frames:
            assert {frame.subject, frame.object, *frame.wording} - {""} <= set(kind.roles), kind.name
            assert all(noun and preposition for noun, preposition in frame.nouns), kind.name


@domains
def test_every_kind_that_is_named_has_fillers(name):
    field = domain_named(name)
    known = set(field.fillers) | BUILT_IN
    for kind in types_of(name):
        assert {part for of, _ in kind.roles.values() for part in of.split(",")} <= known, kind.name
    for block in [*field.texts.values(), *map("\n".join, field.satellites.values())]:
        assert set(re.findall(r"\{~(\w+)", block)) <= known | SLOTS
    assert field.things <= known


@domains
def test_fillers_of_a_kind_differ_and_their_parts_can_be_filled_in(name):
    for kind, fillers in domain_named(name).fillers.items():
        assert set(re.findall(r"<(\w+)>", "".join(fillers))) <= {"nat", "num", "city", "country"}, kind
        assert "" not in fillers, kind


@domains
def test_no_role_bears_the_name_of_a_slot_that_is_filled_by_itself(name):
    assert not domain_named(name).own_roles & SLOTS


def test_a_field_says_what_the_news_say_where_it_is_silent():
    assert domain_named("nature").texts["MODALS"] == domain_named(NEWS).texts["MODALS"]
    assert domain_named("medicine").texts["MODALS"] != domain_named(NEWS).texts["MODALS"]
    assert domain_named("medicine").satellites["attacker"] == domain_named(NEWS).satellites["attacker"]


def test_what_the_code_names_is_in_the_news():
    news = domain_named(NEWS)
    assert {*documents._PERSONAL, *documents._SELDOM} <= news.own_roles
    assert set(documents._RARE) <= set(news.types)
    assert {*documents._SPEAKERS, *clauses._MODIFIERS} <= set(news.fillers) | BUILT_IN


def test_countries_have_adjectives():
    assert all(name and nation for name, _, nation in (entry.partition("/") for entry in names()["countries"]))


def test_blocks_are_cut_into_lines():
    assert lines_of("  one two\n  three\n") == ["one two", "three"]


@pytest.mark.parametrize(
    ("entry", "forms"),
    [
        ("attack", ("attacks", "attacked", "attacked", "attacking", "", False)),
        ("carry", ("carries", "carried", "carried", "carrying", "", False)),
        ("give/gave/given up", ("gives", "gave", "given", "giving", "up", False)),
        ("ban/banned/banned", ("bans", "banned", "banned", "banning", "", False)),
        ("shoot/shot/shot ~dead", ("shoots", "shot", "shot", "shooting", "dead", True)),
    ],
)
def test_verbs_have_their_forms(entry, forms):
    verb = parse_verb(entry)
    assert (verb.third, verb.past, verb.participle, verb.ing, verb.particle, verb.split) == forms
