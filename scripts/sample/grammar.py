"""Clauses: how an event is put into words, around its trigger."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from eventune.corpora.warmup.domains import lines_of
from eventune.corpora.warmup.phrases import Filler, coordinate
from sample import templates
from sample.frames import TYPES, Frame
from sample.lexicon import BUSINESSES, PROFESSIONS, TRIGGERS
from sample.words import Picker

# Who is chosen "rather than B" has B for a rival, and "over A rather than B" leaves open which of the two lost.
_NO_CONTRAST = ("attacker", "suspect", "office", "participant", "winner", "rival", "predecessor")
# "As mayor over B", "appointed after B resigned by A": what would read badly, or as something else.
_FIXED_ORDER = ("hire", "elect")
_SLOT = re.compile(r"\{(~?)(\w+)(?: (\w+)/(\w+))?\}")


@dataclass(slots=True)
class Plan:
    """An event before it is put into words.

    Attributes:
        number: Its place among the document's events.
        frame: Its verbs and their roles.
        past: The verb's past tense.
        participle: The verb's past participle.
        noun: The noun of the event, or an empty string.
        preposition: What stands between the noun and the object.
        main: Fillers named in the event's own sentence, by role.
        aside: Fillers that other sentences name, by role.
    """

    number: int
    frame: Frame
    past: str
    participle: str
    noun: str
    preposition: str
    main: dict[str, list[Filler]] = field(default_factory=dict)
    aside: dict[str, list[Filler]] = field(default_factory=dict)

    def trigger(self, word: str) -> str:
        """Return a form of the verb or its noun, marked as the event's trigger."""
        return f"⟦{self.number}.!{self.frame.type}|{word}⟧"


def choose_trigger(rng: random.Random, part: str, number: int, frame: Frame) -> Plan:
    """Return a plan without fillers for one of the part's verbs."""
    past, participle, noun = rng.choice(TRIGGERS[part][frame.verbs].split(";")).split()
    noun, _, preposition = noun.partition(":")
    return Plan(number, frame, past, participle, "" if noun == "-" else noun, preposition)


def options(block: str, part: str) -> list[str]:
    """Return a block's templates; those with a leading `!` are new to whoever has seen train only."""
    return [line.removeprefix("!") for line in lines_of(block) if part != "train" or not line.startswith("!")]


class Speaker:
    """Puts planned events into words.

    Args:
        picker: Gives the entities that are no arguments.
    """

    def __init__(self, picker: Picker) -> None:
        self.picker = picker
        self.rng = picker.rng
        self._contrasted = False

    def choose(self, block: str) -> str:
        """Return one of a block's templates."""
        return self.rng.choice(options(block, self.picker.part))

    def fill(self, template: str, plan: Plan | None = None) -> str:
        """Fill a template's slots: roles from the plan's `aside`, all others with entities that are no arguments."""

        def replace(match: re.Match[str]) -> str:
            distractor, name, singular, plural = match.groups()
            if name == "source":
                return self.fill(self.choose(templates.SOURCES))
            if name == "profession":
                return self.rng.choice(PROFESSIONS)
            if distractor or plan is None:
                filler = self.picker.pick(name)
                text = filler.render()
            else:
                filler = plan.aside[name].pop(0)
                text = filler.render(f"{plan.number}.{name}")
            return f"{text} {plural if filler.plural else singular}" if singular else text

        return _SLOT.sub(replace, template)

    def phrase(self, plan: Plan, role: str, *, decorate: bool = True) -> str:
        """Return the noun phrase of a role in its own sentence, now and then with a description or a contrast."""
        fillers = plan.main[role]
        roles = "carrier,vehicle" if role == "carrier" and fillers[0].kind == "vehicle" else role
        text = coordinate([filler.render(f"{plan.number}.{roles}") for filler in fillers])
        draw = self.rng.random()
        if len(fillers) > 1 or not decorate or draw > 0.34:
            return text
        kind = fillers[0].kind
        if draw > 0.2 and kind in ("person", "org"):
            described = self.rng.choice(PROFESSIONS if kind == "person" else BUSINESSES)
            if draw > 0.27:
                return f"the {described.partition(' ')[2]} {text}"
            city = self.picker.pick("city").render()
            return f"{text}, {described} {'from' if kind == 'person' else 'based in'} {city},"
        # The rejected alternative is of the same kind: only the structure tells which of the two fills the role.
        if draw < 0.06 and not self._contrasted and role not in _NO_CONTRAST:
            self._contrasted = True
            other = self.picker.pick(kind).render()
            return f"{text}, not {other}," if role == plan.frame.subject else f"{text} rather than {other}"
        return text

    def obliques(self, plan: Plan, *, skip: str = "") -> str:
        """Return the prepositional phrases of an event, each with a leading blank."""
        roles = [role for role in plan.frame.obliques if role in plan.main and role != skip]
        if len(roles) > 1 and plan.frame.type not in _FIXED_ORDER and self.rng.random() < 0.3:
            roles[-2:] = roles[:-3:-1]
        return "".join(f" {self._oblique(plan, role)}" for role in roles)

    def _oblique(self, plan: Plan, role: str) -> str:
        preposition = self.rng.choice(plan.frame.obliques[role].split("|"))
        if role == "predecessor" and self.rng.random() < 0.3:
            return f"after {self.phrase(plan, role, decorate=False)} resigned"
        return preposition.replace("{}", self.phrase(plan, role))

    def clause(self, plan: Plan, *, skip: str = "") -> str:
        """Return the event as a clause in lower case, active or passive."""
        subject, obj = plan.frame.subject, plan.frame.object
        rest = self.obliques(plan, skip=skip)
        if plan.frame.type == "meet":
            first, others = self._sides(plan)
            if self.rng.random() < 0.5 and plan.past != "consulted":
                return f"{coordinate([first, *others])} {plan.trigger(plan.past)}{rest}"
            return f"{first} {plan.trigger(plan.past)} with {coordinate(others)}{rest}"
        if subject in plan.main and self.rng.random() < 0.6:
            return f"{self.phrase(plan, subject)} {plan.trigger(plan.past)} {self.phrase(plan, obj)}{rest}"
        were = "were" if _plural(plan.main[obj]) else "was"
        passive = f"{self.phrase(plan, obj)} {were} {plan.trigger(plan.participle)}"
        if subject not in plan.main:
            return f"{passive}{rest}"
        by = f" by {self.phrase(plan, subject)}"
        last = plan.frame.type not in _FIXED_ORDER and self.rng.random() < 0.3
        return f"{passive}{rest}{by}" if last else f"{passive}{by}{rest}"

    def nominal(self, plan: Plan) -> str:
        """Return the event as a noun phrase: `the purchase of the mill by Harvik`."""
        noun = plan.trigger(plan.noun)
        rest = self.obliques(plan)
        subject, obj = plan.frame.subject, plan.frame.object
        if plan.frame.type == "meet":
            first, others = self._sides(plan)
            return f"the {noun} between {coordinate([first, *others])}{rest}"
        body = f"{noun} {plan.preposition} {self.phrase(plan, obj)}" if obj in plan.main else noun
        if subject not in plan.main:
            return f"the {body}{rest}"
        names = plan.main[subject]
        if len(names) == 1 and not names[0].text.endswith("s") and self.rng.random() < 0.5:
            return f"{self.phrase(plan, subject, decorate=False)}'s {body}{rest}"
        return f"the {body} by {self.phrase(plan, subject)}{rest}"

    def relative(self, plan: Plan) -> str:
        """Return a sentence whose relative or participial clause tells the event."""
        subject, obj = plan.frame.subject, plan.frame.object
        verb = plan.trigger(plan.past)
        rest = self.obliques(plan)
        agent = self.phrase(plan, subject, decorate=False)
        patient = self.phrase(plan, obj, decorate=False)
        draw = self.rng.random()
        if draw < 0.4:
            pronoun = "who" if plan.main[subject][0].human else "which"
            tail = self.fill(self.choose(templates.SUBJECT_TAILS))
            return f"{agent}, {pronoun} {verb} {patient}{rest}, {tail}."
        if draw < 0.75 and plan.main[obj][0].kind != "money":
            human = plan.main[obj][0].human
            tail = self.fill(self.choose(templates.PERSON_TAILS if human else templates.THING_TAILS))
            return f"{patient}, {'whom' if human else 'which'} {agent} {verb}{rest}, {tail}."
        tail = self.fill(self.choose(templates.HAVING_TAILS))
        return f"having {plan.trigger(plan.participle)} {patient}{rest}, {agent} {tail}."

    def sentence(self, plan: Plan) -> str:
        """Return the event's own sentence, with its marks."""
        self._contrasted = False
        subject, obj = plan.frame.subject, plan.frame.object
        draw = self.rng.random()
        if plan.noun and (draw < 0.22 or obj not in plan.main):
            return _end(self.fill_in(self.choose(templates.NOMINAL_SHELLS), self.nominal(plan)))
        relative = subject in plan.main and plan.main[subject][0].kind != "vehicle" and plan.frame.type != "meet"
        if relative and draw < 0.42:
            return self.relative(plan)
        front = next((role for role in ("place", "date") if role in plan.main and self.rng.random() < 0.35), "")
        clause = self.clause(plan, skip=front)
        if front:
            preposition = "in" if front == "place" else "on"
            return _end(f"{preposition} {self.phrase(plan, front, decorate=False)}, {clause}.")
        if draw < 0.7:
            return _end(f"{clause}.")
        return _end(self.fill_in(self.choose(templates.SHELLS), clause))

    def fill_in(self, shell: str, clause: str) -> str:
        """Fill a shell's slots, then put the clause into it."""
        return self.fill(shell.replace("{}", "\0")).replace("\0", clause)

    def _sides(self, plan: Plan) -> tuple[str, list[str]]:
        phrases = [filler.render(f"{plan.number}.participant") for filler in plan.main["participant"]]
        return phrases[0], phrases[1:]


def kinds_of(frame: Frame, role: str) -> str:
    """Return the kinds that may fill a role."""
    return TYPES[frame.type][1][role][0]


def _plural(fillers: list[Filler]) -> bool:
    return len(fillers) > 1 or fillers[0].plural


def _end(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
