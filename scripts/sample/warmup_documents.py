"""Documents of the warm-up corpus: which events a text tells, which roles are named where, and what else it says."""

from __future__ import annotations

import random

from eventune.events import Document
from sample import warmup_background as background
from sample import warmup_texts as texts
from sample.documents import assemble
from sample.warmup_frames import TYPES, Frame
from sample.warmup_grammar import Plan, WarmupSpeaker, pronominal
from sample.warmup_roles import SATELLITES
from sample.warmup_words import WarmupPicker
from sample.words import Filler, lines

_MOST_SENTENCES = 6
_CORE, _IN_SENTENCE, _ASIDE = 0.85, 0.43, 0.5
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


def make_warmup_document(rng: random.Random, number: int) -> Document:
    """Make a document.

    Args:
        rng: Source of randomness.
        number: The document's place in the corpus; every type gets its turn by it.

    Returns:
        The document with all its annotated events.
    """
    names = list(TYPES)
    first, second = names[number % len(names)], rng.choice([*names, *_RARE, *_RARE])
    speaker = WarmupSpeaker(WarmupPicker(rng))
    draw = rng.random()
    if draw < 0.1:
        one, two = (_plan(speaker, index, name, aside=False) for index, name in enumerate((first, second)))
        link = rng.choice(["and", "while", "but", "hours before", "after", "because", "as"])
        sentences = [
            f"{speaker.clause(one, past=True)}, {link} {speaker.clause(two, past=True)}.",
            *_padding(speaker, rng.randint(0, 4)),
        ]
    elif draw < 0.25 and first != second:
        # Sentences about a second event of the type would not say which of the two they belong to.
        told = _told(speaker, first, room=3)
        padding = _padding(speaker, rng.randint(0, min(2, _MOST_SENTENCES - 1 - len(told))))
        sentences = [*told, *padding, speaker.sentence(_plan(speaker, 1, second, aside=False))]
    else:
        sentences = _told(speaker, first, room=_MOST_SENTENCES)
    return assemble(f"warmup-{number:04d}", sentences)


def _told(speaker: WarmupSpeaker, name: str, *, room: int) -> list[str]:
    """Tell an event in its own sentence, in sentences about single roles, and among sentences about other things."""
    rng = speaker.rng
    plan = _plan(speaker, 0, name, aside=True)
    before, after = _aside_sentences(speaker, plan, most=min(3, room - 1))
    antecedent = _antecedent(speaker, plan) if rng.random() < _PRONOUN else ""
    room -= 1 + len(before) + len(after) + bool(antecedent)
    others = _padding(speaker, min(max(room, 0), rng.choice([0, 1, 1, 2, 3, 3])))
    if not antecedent and not pronominal(plan) and rng.random() < _HEADLINE:
        main = speaker.headline(plan)
    else:
        main = speaker.sentence(plan)
    for other in others:
        side = after if rng.random() < 0.65 else before
        side.insert(rng.randint(0, len(side)), other)
    return [*before, *([antecedent] if antecedent else []), main, *after]


def _antecedent(speaker: WarmupSpeaker, plan: Plan) -> str:
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
        return speaker.fill(speaker.choose(texts.GROUP_ANTECEDENTS))
    person, pronoun = speaker.picker.person()
    plan.main[role] = [Filler("", pronoun if subject else _OBJECTIVE[pronoun], "pronoun", False, True)]
    return speaker.fill_in(speaker.choose(texts.ANTECEDENTS), person.render())


def _plan(speaker: WarmupSpeaker, number: int, name: str, *, aside: bool) -> Plan:
    """Decide how an event is told, which of its roles are filled, by what, and where."""
    rng = speaker.rng
    frame = rng.choice(TYPES[name].frames)
    noun = rng.choice(frame.nouns) if frame.nouns and rng.random() < 0.9 else None
    plan = Plan(number, frame, rng.choice(frame.verbs), noun)
    roles = list(TYPES[name].roles)
    rng.shuffle(roles)
    obliques = 0
    for role in roles:
        core = role in (frame.subject, frame.object)
        named = _always(frame, role) or rng.random() < (_CORE if core or role in _SELDOM else _IN_SENTENCE)
        if not core and named:
            named = bool(frame.oblique(role)) and obliques < _MOST_OBLIQUES
            obliques += named
        if named:
            plan.main[role] = _fillers(speaker, plan, role, aside=aside)
        elif aside and rng.random() < _ASIDE and _satellites(role, "<>"):
            plan.aside[role] = [speaker.picker.pick(TYPES[name].roles[role][0])]
    # The roles' order in the ontology is their usual order in a sentence.
    plan.main = {role: plan.main[role] for role in TYPES[name].roles if role in plan.main}
    return plan


def _always(frame: Frame, role: str) -> bool:
    """Return whether a clause cannot do without a role."""
    if frame.preposition or frame.mutual or not frame.object:
        return role == frame.subject
    return role == frame.object


def _fillers(speaker: WarmupSpeaker, plan: Plan, role: str, *, aside: bool) -> list[Filler]:
    """Return what fills a role in the event's own sentence; another sentence may add to it."""
    rng = speaker.rng
    kinds, most = TYPES[plan.frame.type].roles[role]
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
    elif most > 1 and aside and rng.random() < _LATER_FILLER and _satellites(role, "+"):
        plan.aside[role] = [speaker.picker.pick(same)]
    return fillers


def _satellites(role: str, places: str) -> list[str]:
    """Return the templates about a role that may stand in one of the places."""
    templates = [part.strip() for line in lines(SATELLITES[role]) for part in line.split(" | ")]
    return [template for template in templates if template[0] in places]


def _aside_sentences(speaker: WarmupSpeaker, plan: Plan, *, most: int) -> tuple[list[str], list[str]]:
    """Put the roles that stand aside into sentences of their own, before and after the event's."""
    before: list[str] = []
    after: list[str] = []
    roles = list(plan.aside)
    speaker.rng.shuffle(roles)
    for role in roles[:most]:
        choices = _satellites(role, "+" if role in plan.main else "<>") or _satellites(role, ">")
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


def make_uneventful_warmup(rng: random.Random, number: int) -> Document:
    """Make a document of sentences that tell of no event."""
    sentences = _padding(WarmupSpeaker(WarmupPicker(rng)), rng.randint(1, 4), uneventful=True)
    return assemble(f"warmup-none-{number:04d}", sentences)


def _padding(speaker: WarmupSpeaker, count: int, *, uneventful: bool = False) -> list[str]:
    """Return sentences that hold none of the told event's arguments.

    Args:
        speaker: Writes them.
        count: How many.
        uneventful: Whether none of them may tell of an event of its own.
    """
    chosen: list[str] = []
    for _ in range(count):
        if not uneventful and speaker.rng.random() < 0.25:
            plan = _plan(speaker, next(speaker.further_events), speaker.rng.choice(list(TYPES)), aside=False)
            chosen.append(speaker.sentence(plan))
        else:
            block = background.LONG if speaker.rng.random() < 0.42 else texts.BACKGROUND
            chosen.append(speaker.fill(speaker.choose_new(block)))
    return chosen
