"""Documents of the warm-up corpus: which events a text tells, which roles are named where, and what else it says."""

from __future__ import annotations

import random

from eventune.corpora.warmup.assembling import assemble
from eventune.corpora.warmup.clauses import Plan, Speaker, pronominal
from eventune.corpora.warmup.domains import DOMAINS, NEWS, Domain, domain_named
from eventune.corpora.warmup.frames import Frame, types
from eventune.corpora.warmup.phrases import Filler
from eventune.corpora.warmup.picker import Picker
from eventune.events import Document

_MOST_SENTENCES = 6
# How many of the texts are longer, and how long the longest are; how many tell of two events of one type.
_LONG, _LONGEST, _RIVAL, _FURTHER = 0.2, 14, 0.08, 0.18
# How often the event's own sentence names its subject, its object and what is seen seldom, a role that only a field
# beside the news has, and the others; how often another sentence names a role that it leaves out. A third is empty.
_CORE, _OWN_ROLE, _IN_SENTENCE, _ASIDE = 0.8, 0.38, 0.33, 0.55
_SECOND_FILLER, _LATER_FILLER, _PRONOUN, _HEADLINE = 0.22, 0.2, 0.58, 0.06
# In one sentence, more would be hard to read.
_MOST_OBLIQUES = 3
_PERSONAL = ("recipient", "giver", "beneficiary", "target", "defendant", "passenger", "victim", "honoree", "student")
_SPEAKERS = (
    "person",
    "leader",
    "org",
    "country",
    "army",
    "militia",
    "agency",
    "authority",
    "group",
    "protesters",
    "media",
)
# Roles of one type each, which would be seen too seldom.
_SELDOM = (
    "payment",
    "result",
    "crashobject",
    "contest",
    "otherparticipant",
    "hidingplace",
    "subject",
    "penalty",
    "award",
)
# The second event of a text is more often of these, whose roles stand nowhere else.
_RARE = [
    "contest.win",
    "award.honour",
    "movement.hide",
    "disaster.crash",
    "justice.convict",
    "education.teach",
    "government.violate",
    "medical.treat",
    "justice.charge",
    "government.vote",
    "transaction.invest",
    "government.spy",
    "justice.execute",
]
_OBJECTIVE = {"he": "him", "she": "her"}


def make_document(rng: random.Random, number: int) -> Document:
    """Make a document.

    Args:
        rng: Source of randomness.
        number: The document's place in the corpus; every type gets its turn by it.

    Returns:
        The document with all its annotated events.
    """
    names = list(types())
    first = names[number % len(names)]
    domain = types()[first].domain
    speaker = Speaker(Picker(rng, domain))
    second = rng.choice([*domain.types, *(_RARE + _RARE if domain.name == NEWS else [])])
    most = rng.randint(_MOST_SENTENCES + 1, _LONGEST) if rng.random() < _LONG else _MOST_SENTENCES
    draw = rng.random()
    if draw < 0.1:
        one, two = (_plan(speaker, index, name, aside=False) for index, name in enumerate((first, second)))
        link = rng.choice(["and", "while", "but", "hours before", "after", "because", "as"])
        sentences = [
            f"{speaker.clause(one, past=True)}, {link} {speaker.clause(two, past=True)}.",
            *_padding(speaker, rng.randint(0, 4)),
        ]
    elif draw < 0.1 + _RIVAL:
        # Two events of one type: only what stands around each tells whose arguments they are.
        one, two = (_plan(speaker, index, first, aside=False) for index in range(2))
        sentences = [speaker.sentence(one), *_padding(speaker, rng.randint(0, 2)), speaker.sentence(two)]
    elif draw < 0.37 and first != second:
        # Sentences about a second event of the type would not say which of the two they belong to.
        told = _told(speaker, first, room=3)
        padding = _padding(speaker, rng.randint(0, min(2, most - 1 - len(told))))
        sentences = [*told, *padding, speaker.sentence(_plan(speaker, 1, second, aside=False))]
    else:
        sentences = _told(speaker, first, room=most)
    return assemble(f"warmup-{number:04d}", sentences)


def _told(speaker: Speaker, name: str, *, room: int) -> list[str]:
    """Tell an event in its own sentence, in sentences about single roles, and among sentences about other things."""
    rng = speaker.rng
    plan = _plan(speaker, 0, name, aside=True)
    before, after = _aside_sentences(speaker, plan, most=min(3, room - 1))
    antecedent = _antecedent(speaker, plan) if rng.random() < _PRONOUN else ""
    room -= 1 + len(before) + len(after) + bool(antecedent)
    # Longer texts are filled up.
    wanted = room if room >= _MOST_SENTENCES else rng.choice([0, 1, 1, 2, 3, 3])
    others = _padding(speaker, max(0, min(room, wanted)))
    if not antecedent and not pronominal(plan) and rng.random() < _HEADLINE:
        main = speaker.headline(plan)
    else:
        main = speaker.sentence(plan)
    for other in others:
        side = after if rng.random() < 0.65 else before
        side.insert(rng.randint(0, len(side)), other)
    return [*before, *([antecedent] if antecedent else []), main, *after]


def _antecedent(speaker: Speaker, plan: Plan) -> str:
    """Put a pronoun into the place of the subject or the object; return the sentence that tells whom it means.

    Nothing is put if no pronoun fits; "we", "I" and "you" need no such sentence.
    """
    frame, rng = plan.frame, speaker.rng
    if frame.mutual or frame.subject not in plan.main:
        return ""
    role = frame.subject
    others = [other for other in plan.main if other == frame.object or other in _PERSONAL]
    if others and (not plan.verb.particle or frame.object not in others) and rng.random() < 0.35:
        role = rng.choice(others)
    fillers = plan.main[role]
    if len(fillers) != 1 or role in plan.aside:
        return ""
    subject = role == frame.subject
    if fillers[0].kind in _SPEAKERS and rng.random() < (0.28 if fillers[0].human else 0.7):
        word = rng.choice(["We", "We", "We", "I", "You"] if subject else ["us", "us", "me"])
        plan.main[role] = [Filler("", word, "pronoun", True)]
        return ""
    if not fillers[0].human:
        return ""
    if fillers[0].plural:
        plan.main[role] = [Filler("", "they" if subject else "them", "pronoun", True, True)]
        return speaker.fill(speaker.choose(speaker.texts["GROUP_ANTECEDENTS"]))
    person, pronoun = speaker.picker.person()
    plan.main[role] = [Filler("", pronoun if subject else _OBJECTIVE[pronoun], "pronoun", False, True)]
    return speaker.fill_in(speaker.choose(speaker.texts["ANTECEDENTS"]), person.render())


def _plan(speaker: Speaker, number: int, name: str, *, aside: bool) -> Plan:
    """Decide how an event is told, which of its roles are filled, by what, and where."""
    rng = speaker.rng
    frame = rng.choice(types()[name].frames)
    noun = rng.choice(frame.nouns) if frame.nouns and rng.random() < 0.9 else None
    plan = Plan(number, frame, rng.choice(frame.verbs), noun)
    roles = list(types()[name].roles)
    rng.shuffle(roles)
    obliques = 0
    for role in roles:
        core = role in (frame.subject, frame.object)
        named = _always(frame, role) or rng.random() < _share(speaker.domain, role, core=core)
        if not core and named:
            named = bool(frame.oblique(role)) and obliques < _MOST_OBLIQUES
            obliques += named
        if named:
            plan.main[role] = _fillers(speaker, plan, role, aside=aside)
        elif aside and rng.random() < _ASIDE and _satellites(speaker, role, "<>"):
            plan.aside[role] = [speaker.picker.pick(types()[name].roles[role][0])]
    # The roles' order in the ontology is their usual order in a sentence.
    plan.main = {role: plan.main[role] for role in types()[name].roles if role in plan.main}
    return plan


def _share(domain: Domain, role: str, *, core: bool) -> float:
    """Return how often an event's own sentence names a role."""
    if core or role in _SELDOM:
        return _CORE
    own = role in domain.own_roles and role not in domain_named(NEWS).own_roles
    return _OWN_ROLE if own else _IN_SENTENCE


def _always(frame: Frame, role: str) -> bool:
    """Return whether a clause cannot do without a role."""
    if frame.preposition or frame.mutual or not frame.object:
        return role == frame.subject
    return role == frame.object


def _fillers(speaker: Speaker, plan: Plan, role: str, *, aside: bool) -> list[Filler]:
    """Return what fills a role in the event's own sentence; another sentence may add to it."""
    rng = speaker.rng
    kinds, most = types()[plan.frame.type].roles[role]
    fillers = [speaker.picker.pick(kinds)]
    same = kinds if plan.frame.mutual else fillers[0].kind
    same = "place" if same in ("city", "country", "region") and "place" in kinds else same
    if plan.frame.mutual and role == plan.frame.subject:
        fillers.append(speaker.picker.pick(same))
        if most > 2 and rng.random() < 0.25:
            fillers.append(speaker.picker.pick(same))
        elif most > 2 and aside and rng.random() < _LATER_FILLER:
            plan.aside[role] = [speaker.picker.pick(same)]
    elif most > 1 and rng.random() < _SECOND_FILLER:
        fillers.append(speaker.picker.pick(same))
    elif most > 1 and aside and rng.random() < _LATER_FILLER and _satellites(speaker, role, "+"):
        plan.aside[role] = [speaker.picker.pick(same)]
    return fillers


def _satellites(speaker: Speaker, role: str, places: str) -> list[str]:
    """Return the templates about a role that may stand in one of the places."""
    return [template for template in speaker.domain.satellites[role] if template[0] in places]


def _aside_sentences(speaker: Speaker, plan: Plan, *, most: int) -> tuple[list[str], list[str]]:
    """Put the roles that stand aside into sentences of their own, before and after the event's."""
    before: list[str] = []
    after: list[str] = []
    roles = list(plan.aside)
    speaker.rng.shuffle(roles)
    for role in roles[:most]:
        choices = _satellites(speaker, role, "+" if role in plan.main else "<>") or _satellites(speaker, role, ">")
        # By place first: few templates stand in front.
        place = speaker.rng.choice(sorted({choice[0] for choice in choices}))
        template = speaker.new([choice[2:] for choice in choices if choice[0] == place])
        sentence = speaker.fill(template, plan)
        if place == "<":
            before.append(sentence)
        elif place == "+":
            after.insert(0, sentence)
        else:
            after.append(sentence)
    return before, after


def make_uneventful(rng: random.Random, number: int) -> Document:
    """Make a document of sentences that tell of no event."""
    sentences = _padding(Speaker(Picker(rng, domain_named(rng.choice(DOMAINS)))), rng.randint(1, 4), uneventful=True)
    return assemble(f"warmup-none-{number:04d}", sentences)


def _padding(speaker: Speaker, count: int, *, uneventful: bool = False) -> list[str]:
    """Return sentences that hold none of the told event's arguments.

    Args:
        speaker: Writes them.
        count: How many.
        uneventful: Whether none of them may tell of an event of its own.
    """
    chosen: list[str] = []
    for _ in range(count):
        if not uneventful and speaker.rng.random() < _FURTHER:
            plan = _plan(
                speaker, next(speaker.further_events), speaker.rng.choice(list(speaker.domain.types)), aside=False
            )
            chosen.append(speaker.sentence(plan))
        else:
            block = speaker.texts["LONG"] if speaker.rng.random() < 0.42 else speaker.texts["BACKGROUND"]
            chosen.append(speaker.fill(speaker.choose_new(block)))
    return chosen
