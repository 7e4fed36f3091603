"""Documents: which events a text tells, which roles are named where, and what else it says."""

from __future__ import annotations

import random

from eventune.corpora.warmup.assembling import assemble
from eventune.corpora.warmup.phrases import Filler
from eventune.events import Document
from sample.frames import FRAMES, TYPES, Frame
from sample.grammar import Plan, Speaker, choose_trigger, kinds_of, options
from sample.templates import BACKGROUND, SATELLITES
from sample.words import Picker

_MOST_SENTENCES = 5
# How often the event's own sentence names its subject and object, and its other roles; how often another sentence
# names a role that it leaves out.
_CORE, _IN_SENTENCE, _ASIDE = 0.82, 0.4, 0.6
_SECOND_FILLER = 0.2


def make_document(rng: random.Random, part: str, number: int) -> Document:
    """Make a document.

    Args:
        rng: Source of randomness.
        part: `train`, `dev` or `test`; decides the words and whether held-out templates may be used.
        number: The document's place in its part; every verb gets its turn by it.

    Returns:
        The document with all its events.
    """
    speaker = Speaker(Picker(rng, part))
    first = FRAMES[number % len(FRAMES)]
    draw = rng.random()
    if draw < 0.14:
        sentences = [_twin_sentence(speaker, first), *_padding(speaker, rng.randint(0, 2), "")]
    elif draw < 0.28:
        # Sentences about a second event of the type would not say which of the two they belong to.
        second = rng.choice([frame for frame in FRAMES if frame.type != first.type])
        sentences = [*_told(speaker, 0, first, room=3), _bare_sentence(speaker, 1, second)]
    elif draw < 0.33:
        sentences = [_bare_sentence(speaker, 0, first), _bare_sentence(speaker, 1, _sibling(rng, first))]
    else:
        sentences = _told(speaker, 0, first, room=_MOST_SENTENCES)
    return assemble(f"{part}-{number:03d}", sentences)


def make_crowded_document(rng: random.Random, part: str, number: int) -> Document:
    """Make a document of three events of different types: one told at length, and two in a sentence each."""
    speaker = Speaker(Picker(rng, part))
    first, second, third = rng.sample(sorted(TYPES), 3)
    sentences = _told(speaker, 0, rng.choice([frame for frame in FRAMES if frame.type == first]), room=3)
    for index, name in ((1, second), (2, third)):
        sentences.append(_bare_sentence(speaker, index, rng.choice([f for f in FRAMES if f.type == name])))
    return assemble(f"{part}-many-{number:03d}", sentences)


def make_uneventful_document(rng: random.Random, part: str, number: int) -> Document:
    """Make a document of one to three sentences that tell of no event, some of them close to one."""
    speaker = Speaker(Picker(rng, part))
    sentences = _padding(speaker, rng.randint(1, 3), rng.choice(FRAMES).type if rng.random() < 0.7 else "")
    return assemble(f"{part}-none-{number:03d}", sentences)


def _told(speaker: Speaker, number: int, frame: Frame, *, room: int) -> list[str]:
    """Tell an event in its own sentence, in sentences about single roles, and among sentences about other things."""
    rng = speaker.rng
    plan = _fill(speaker, choose_trigger(rng, speaker.picker.part, number, frame), aside=True)
    before, after = _aside_sentences(speaker, plan, most=min(3, room - 1))
    room -= 1 + len(before) + len(after)
    others = _padding(speaker, min(room, rng.choice([0, 0, 1, 1, 2])), frame.type)
    main = speaker.sentence(plan)
    for other in others:
        # A distractor may speak of "the deal" only behind it, but need not stand at the end.
        after.insert(rng.randint(0, len(after)), other)
    if room > len(others) and rng.random() < 0.2:
        before.insert(0, speaker.fill(speaker.choose(BACKGROUND)))
    return [*before, main, *after]


def _fill(speaker: Speaker, plan: Plan, *, aside: bool) -> Plan:
    """Decide which roles are filled, by what, and where; a role that gets no place stays empty."""
    rng, frame = speaker.rng, plan.frame
    roles = TYPES[frame.type][1]
    places: dict[str, str] = {}
    for role in roles:
        share = _CORE if role in (frame.subject, frame.object) else _IN_SENTENCE
        # Only a noun can do without its object ("the attack in Turin"), and nobody meets alone.
        always = (role == frame.object and not (plan.noun and frame.bare)) or role == "participant"
        named = always or rng.random() < share
        places[role] = "main" if named else "aside" if aside and rng.random() < _ASIDE else ""
    for role, place in places.items():
        if not place or (place == "aside" and not _satellites(speaker, frame.type, role, "<>")):
            continue
        fillers = [speaker.picker.pick(kinds_of(frame, role))]
        if place == "main" and roles[role][1] > 1:
            _add_fillers(speaker, plan, role, fillers, aside=aside)
        (plan.main if place == "main" else plan.aside)[role] = fillers
    if len(plan.main.get("employee", [])) > 1:
        # Two people do not take up one job.
        for role in ("position", "predecessor"):
            plan.main.pop(role, None)
            plan.aside.pop(role, None)
    if frame.type == "transport" and "carrier" in plan.main and "vehicle" not in plan.main and rng.random() < 0.4:
        plan.aside.pop("vehicle", None)
        plan.main["carrier"] = [speaker.picker.pick("vehicle")]
    return plan


def _add_fillers(speaker: Speaker, plan: Plan, role: str, fillers: list[Filler], *, aside: bool) -> None:
    """Give a role that may have several fillers more of them, in the same sentence or in another one."""
    rng = speaker.rng
    kind = fillers[0].kind
    if role == "participant":
        fillers.append(speaker.picker.pick(rng.choice(["person", "delegation"])))
        if rng.random() < 0.25:
            fillers.append(speaker.picker.pick("person"))
        elif aside and rng.random() < 0.25:
            plan.aside[role] = [speaker.picker.pick("delegation")]
    elif rng.random() < _SECOND_FILLER:
        fillers.append(speaker.picker.pick(kind))
    elif aside and rng.random() < 0.2 and _satellites(speaker, plan.frame.type, role, "+"):
        plan.aside[role] = [speaker.picker.pick(kind)]


def _satellites(speaker: Speaker, event_type: str, role: str, places: str) -> list[str]:
    """Return the templates about a role that may stand in one of the places."""
    return [
        template
        for template in options(SATELLITES[event_type], speaker.picker.part)
        if template[0] in places and ("{" + role in template)
    ]


def _aside_sentences(speaker: Speaker, plan: Plan, *, most: int) -> tuple[list[str], list[str]]:
    """Put the roles that stand aside into sentences of their own, before and after the event's."""
    before: list[str] = []
    after: list[str] = []
    roles = list(plan.aside)
    speaker.rng.shuffle(roles)
    for role in roles[:most]:
        choices = _satellites(speaker, plan.frame.type, role, "+" if role in plan.main else "<>")
        # By place first: few templates stand in front.
        place = speaker.rng.choice(sorted({choice[0] for choice in choices}))
        template = speaker.rng.choice([choice[2:] for choice in choices if choice[0] == place])
        sentence = speaker.fill(template, plan)
        # "As well" has to follow directly; a second sentence in front would ask what it refers to.
        if place == "<" and len(before) < 2:
            before.append(sentence)
        elif place == "+":
            after.insert(0, sentence)
        elif place == ">":
            after.append(sentence)
    return before, after


def _padding(speaker: Speaker, count: int, event_type: str) -> list[str]:
    """Return sentences that hold no argument; those of an event type look like its arguments' sentences."""
    rng, part = speaker.rng, speaker.picker.part
    similar = _distractors(event_type, part) if event_type else []
    neutral = options(BACKGROUND, part)
    chosen: list[str] = []
    while len(chosen) < count:
        template = rng.choice(similar if similar and rng.random() < 0.75 else neutral)
        if template not in chosen:
            chosen.append(template)
    return [speaker.fill(template) for template in chosen]


def _distractors(event_type: str, part: str) -> list[str]:
    return [line.removeprefix("~ ") for line in options(SATELLITES[event_type], part) if line.startswith("~")]


def _bare_sentence(speaker: Speaker, number: int, frame: Frame) -> str:
    """Tell an event in one sentence that holds all its arguments."""
    plan = _fill(speaker, choose_trigger(speaker.rng, speaker.picker.part, number, frame), aside=False)
    return speaker.sentence(plan)


def _twin_sentence(speaker: Speaker, first: Frame) -> str:
    """Tell two events in one sentence; they may share a place that stands in front of both."""
    rng, part = speaker.rng, speaker.picker.part
    with_place = "place" in TYPES[first.type][1]
    alike = [frame for frame in FRAMES if ("place" in TYPES[frame.type][1]) == with_place]
    second = _sibling(rng, first) if rng.random() < 0.4 else rng.choice(alike)
    plans = [
        _fill(speaker, choose_trigger(rng, part, number, frame), aside=False)
        for number, frame in enumerate((first, second))
    ]
    for plan in plans:
        if plan.frame.object not in plan.main:
            plan.main[plan.frame.object] = [speaker.picker.pick(kinds_of(plan.frame, plan.frame.object))]
    if with_place and rng.random() < 0.8:
        for plan in plans:
            plan.main.pop("place", None)
        city = speaker.picker.pick("city").render("0.place&1.place")
        return f"in {city}, {speaker.clause(plans[0])}, and {speaker.clause(plans[1])}."
    link = rng.choice(["while", "and", "hours before", "but"])
    return f"{speaker.clause(plans[0])}, {link} {speaker.clause(plans[1])}."


def _sibling(rng: random.Random, frame: Frame) -> Frame:
    """Return a frame of the same type: the other event's arguments are the hardest distractors there are."""
    return rng.choice([other for other in FRAMES if other.type == frame.type])
