"""Clauses of the warm-up corpus: how an event is put into words, around its trigger."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

from eventune.corpora.warmup.domains import NEWS, entries_of, lines_of, nations
from eventune.corpora.warmup.frames import Frame, Verb
from eventune.corpora.warmup.phrases import Filler, coordinate
from eventune.corpora.warmup.picker import Picker

_SLOT = re.compile(r"\{(~?)(\w+)(?: (\w+)/(\w+))?\}")
_MODIFIERS = ("cargo", "arms", "goods", "products", "facility", "structure", "disease", "law", "weapon", "vehicle")
_PARTNERS = "\1"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_POSSESSIVE = {"he": "his", "she": "her", "they": "their"}


@dataclass(slots=True)
class Plan:
    """An event before it is put into words.

    Attributes:
        number: Its place among the document's events.
        frame: Its verbs and their roles.
        verb: The verb that may tell it.
        noun: The noun that may tell it, with its preposition, or None.
        main: Fillers named in the event's own sentence, by role.
        aside: Fillers that other sentences name, by role.
    """

    number: int
    frame: Frame
    verb: Verb
    noun: tuple[str, str] | None
    main: dict[str, list[Filler]] = field(default_factory=dict)
    aside: dict[str, list[Filler]] = field(default_factory=dict)

    def trigger(self, word: str) -> str:
        """Return words marked as the event's trigger."""
        return f"⟦{self.number}.!{self.frame.type}|{word}⟧"

    def told(self, word: str) -> str:
        """Return a form of the verb as the trigger, with a particle that stands next to it."""
        near = "" if self.verb.split or not self.verb.particle else f" {self.verb.particle}"
        return self.trigger(word + near)

    def plural(self, role: str) -> bool:
        """Return whether a role takes a plural verb."""
        return len(self.main[role]) > 1 or self.main[role][0].plural


class Speaker:
    """Puts planned events into words.

    Args:
        picker: Gives the entities that are no arguments.
    """

    def __init__(self, picker: Picker) -> None:
        self.picker = picker
        self.domain = picker.domain
        self.texts = self.domain.texts
        self.rng: random.Random = picker.rng
        self._told: set[str] = set()
        # Behind the one or two events that the text is about.
        self.further_events = count(2)

    def choose(self, block: str) -> str:
        """Return one of a block's templates."""
        return self.rng.choice(lines_of(block))

    def choose_new(self, block: str) -> str:
        """Return one of a block's templates that the document has not used."""
        return self.new(lines_of(block))

    def new(self, templates: list[str]) -> str:
        """Return a template that the document has not used, unless it has used all."""
        template = self.rng.choice([each for each in templates if each not in self._told] or templates)
        self._told.add(template)
        return template

    def fill(self, template: str, plan: Plan | None = None) -> str:
        """Fill a template's slots: roles from the plan's `aside`, all others with entities that are no arguments."""

        def put(match: re.Match[str]) -> str:
            distractor, name, singular, plural = match.groups()
            if name in ("source", "when"):
                return self.fill(self.choose(self.texts["SOURCES"] if name == "source" else self.texts["WHEN"]))
            if name == "event":
                return _event_word(plan)
            if name == "year":
                return str(self.rng.randint(1988, 2019))
            if name == "num":
                return self.picker.number()
            if name == "day":
                return self.rng.choice(_DAYS)
            if distractor or plan is None:
                filler = self.picker.pick(name)
                text = filler.render()
            else:
                filler = plan.aside[name].pop(0)
                text = filler.render(f"{plan.number}.{name}")
            return f"{text} {plural if filler.plural else singular}" if singular else text

        return _SLOT.sub(put, template)

    def fill_in(self, shell: str, clause: str) -> str:
        """Fill a shell's slots, then put the clause into it."""
        return self.fill(shell.replace("{}", "\0")).replace("\0", clause)

    def phrase(self, plan: Plan, role: str, *, plain: bool = True) -> str:
        """Return the noun phrase of a role, now and then with a contrast of the same kind behind it."""
        fillers = plan.main[role]
        text = coordinate([filler.render(f"{plan.number}.{role}") for filler in fillers])
        if plain or len(fillers) > 1 or self.rng.random() > 0.06 or fillers[0].kind == "pronoun":
            return text
        return f"{text} rather than {self.picker.pick(fillers[0].kind).render()}"

    def obliques(self, plan: Plan, *, skip: str = "") -> str:
        """Return the prepositional phrases of an event, each with a leading blank."""
        roles = [role for role in plan.main if role != skip and plan.frame.oblique(role)]
        if self.rng.random() < 0.4:
            self.rng.shuffle(roles)
        parts = [
            self.rng.choice(plan.frame.oblique(role).split("|")).replace("{}", self.phrase(plan, role))
            for role in roles
        ]
        if self.rng.random() < 0.1:
            parts.insert(self.rng.randint(0, len(parts)), f"on {self.rng.choice(_DAYS)}")
        return "".join(f" {part}" for part in parts)

    def predicate(self, plan: Plan, form: str, *, skip: str = "") -> str:
        """Return the verb in a form with all that follows it."""
        obj = plan.frame.object
        told = plan.told(getattr(plan.verb, form))
        if obj in plan.main and not plan.frame.mutual:
            before = f"{plan.frame.preposition} " if plan.frame.preposition else ""
            told += f" {before}{self.phrase(plan, obj, plain=False)}"
        if plan.verb.split:
            told += f" {plan.verb.particle}"
        return told + (_PARTNERS if plan.frame.mutual else "") + self.obliques(plan, skip=skip)

    def clause(self, plan: Plan, *, skip: str = "", past: bool = False) -> str:
        """Return the event as a clause in lower case, active or passive; `past` keeps it out of the present."""
        frame = plan.frame
        passive = frame.object in plan.main and not frame.preposition and not frame.mutual
        if frame.subject not in plan.main or (passive and not pronominal(plan) and self.rng.random() < 0.33):
            return self._passive(plan, skip=skip, past=past)
        text, plural, partners = self._subject(plan)
        human = plan.main[frame.subject][0].kind not in self.domain.things and frame.subject != "victim"
        draw = self.rng.random() * (0.5 if past else 1)
        if draw < 0.5:
            told = self.predicate(plan, "past", skip=skip)
        elif draw < 0.63:
            told = f"{'have' if plural else 'has'} {self.predicate(plan, 'participle', skip=skip)}"
        elif draw < 0.72:
            be = self.rng.choice(["are", "were"] if plural else ["is", "was"])
            told = f"{be} {self.predicate(plan, 'ing', skip=skip)}"
        elif draw < 0.78:
            told = self.predicate(plan, "base" if plural else "third", skip=skip)
        else:
            modal = self.rng.choice(entries_of(self.texts["MODALS"]) if human else ["will", "could", "may", "might"])
            modal = re.sub(r"(\w+)_(\w+)", lambda match: match[2 if plural else 1], modal)
            told = f"{modal} {self.predicate(plan, 'base', skip=skip)}"
        return f"{text} {told.replace(_PARTNERS, partners)}"

    def _subject(self, plan: Plan) -> tuple[str, bool, str]:
        """Return the subject, whether it is plural, and what stands behind a mutual verb."""
        frame = plan.frame
        if not frame.mutual or len(plan.main[frame.subject]) < 2 or self.rng.random() < 0.4:
            return self._described(plan), plan.plural(frame.subject), ""
        first, *others = [filler.render(f"{plan.number}.{frame.subject}") for filler in plan.main[frame.subject]]
        return first, plan.main[frame.subject][0].plural, f" {frame.preposition} {coordinate(others)}"

    def _described(self, plan: Plan) -> str:
        """Return the subject, now and then with an apposition."""
        text = self.phrase(plan, plan.frame.subject)
        fillers = plan.main[plan.frame.subject]
        block = self.domain.appositives.get(fillers[0].kind, "")
        if len(fillers) > 1 or not block or self.rng.random() > 0.2:
            return text
        return f"{text}, {self.fill(self.choose(block))},"

    def _passive(self, plan: Plan, *, skip: str = "", past: bool = False) -> str:
        subject, obj = plan.frame.subject, plan.frame.object
        plural = plan.plural(obj)
        be = "was" if past else self.rng.choice(["was", "was", "has been", "could be", "is being", "will be"])
        if plural:
            be = be.replace("was", "were").replace("has", "have").replace("is", "are")
        return f"{self.phrase(plan, obj)} {be} {self._undergone(plan, subject, skip)}"

    def _undergone(self, plan: Plan, subject: str, skip: str = "") -> str:
        """Return the participle with its agent and what follows."""
        told = plan.told(plan.verb.participle) + (f" {plan.verb.particle}" if plan.verb.split else "")
        rest = self.obliques(plan, skip=skip)
        if subject not in plan.main:
            return told + rest
        by = f" by {self.phrase(plan, subject, plain=False)}"
        return f"{told}{by}{rest}" if self.rng.random() < 0.65 else f"{told}{rest}{by}"

    def nominal(self, plan: Plan) -> str:
        """Return the event as a noun phrase: `the bombing of the market by rebels`."""
        assert plan.noun
        frame, (noun, preposition) = plan.frame, plan.noun
        told = plan.trigger(noun)
        rest = self.obliques(plan)
        adjective = self._adjective()
        if frame.mutual or not frame.object:
            of = "" if preposition == "-" else f" {preposition} {self.phrase(plan, frame.subject)}"
            return f"the {adjective}{told}{of}{rest}"
        obj = (
            f" {preposition} {self.phrase(plan, frame.object)}"
            if preposition != "-" and frame.object in plan.main
            else ""
        )
        compound = self._compound(plan)
        if compound:
            told, obj = compound, ""
        if frame.subject not in plan.main:
            return f"the {adjective}{told}{obj}{rest}"
        agents = plan.main[frame.subject]
        if len(agents) == 1 and agents[0].text in nations() and self.rng.random() < 0.5:
            nation = Filler("", nations()[agents[0].text], "nat").render(f"{plan.number}.{frame.subject}")
            return f"the {adjective}{nation} {told}{obj}{rest}"
        if len(agents) == 1 and agents[0].text[-1] != "s" and self.rng.random() < 0.5:
            return f"{self.phrase(plan, frame.subject)}'s {adjective}{told}{obj}{rest}"
        return f"the {adjective}{told}{obj} by {self.phrase(plan, frame.subject)}{rest}"

    def _adjective(self) -> str:
        """Return an adjective that fits any event, with a blank behind it, or an empty string."""
        adjective = self.rng.choice(entries_of(self.texts["ADJECTIVES"]))
        return f"{adjective} " if adjective else ""

    def _compound(self, plan: Plan) -> str:
        """Return the noun with its object in front of it: `arms shipment`; an empty string if that does not do."""
        assert plan.noun
        fillers = plan.main.get(plan.frame.object, [])
        noun, preposition = plan.noun
        fits = len(fillers) == 1 and fillers[0].kind in _MODIFIERS and not fillers[0].human and preposition == "of"
        if not fits or " " in noun or len(fillers[0].text.split()) > 2 or self.rng.random() > 0.6:
            return ""
        span = Filler("", fillers[0].text, fillers[0].kind).render(f"{plan.number}.{plan.frame.object}")
        return f"{span} {plan.trigger(noun)}"

    def _dependent(self, plan: Plan) -> str:
        """Return a sentence whose dependent clause tells the event."""
        frame = plan.frame
        agent = self.phrase(plan, frame.subject)
        pronoun = "who" if plan.main[frame.subject][0].human else "which"
        tail = self.fill(self.choose(self.texts["MAIN_TAILS"] if pronoun == "who" else self.texts["TAILS"]))
        forms: list[Callable[[], str]] = [
            lambda: f"{agent}, {pronoun} {self.predicate(plan, 'past')}, {tail}.",
            lambda: f"after {self.predicate(plan, 'ing')}, {agent} {tail}.",
            lambda: f"having {self.predicate(plan, 'participle')}, {agent} {tail}.",
            lambda: f"{agent} {tail} after {self.predicate(plan, 'ing')}.",
            lambda: f"{agent} {tail} before {self.predicate(plan, 'ing')}.",
            lambda: f"it took {agent} years to {self.predicate(plan, 'base')}.",
            lambda: f"{agent} {tail} and {self.predicate(plan, 'past')}.",
            lambda: f"it was {agent} {pronoun} {self.predicate(plan, 'past')}.",
        ]
        reports: list[Callable[[], str]] = [
            lambda: f"{self.fill('{~media}')} published a photograph of {agent} {self.predicate(plan, 'ing')}.",
            lambda: f"{self.fill('{~agency}')} criticised {agent} for {self.predicate(plan, 'ing')}.",
            lambda: f"why would {agent} {self.predicate(plan, 'base')}, as {self.fill('{~person}')} claims?",
            lambda: f"{self.fill('{~person}')} accused {agent} of {self.predicate(plan, 'ing')}.",
            lambda: f"{self.fill('{~leader}')} urged {agent} to {self.predicate(plan, 'base')}.",
            lambda: f"{self.fill('{~press}')} asked why {agent} {self.predicate(plan, 'past')}.",
        ]
        return self.rng.choice([*forms, *(reports if self.domain.name == NEWS else [])])()

    def _reduced(self, plan: Plan) -> str:
        """Return a sentence about the object, which a participle or a relative clause ties to the event."""
        frame = plan.frame
        patient = self.phrase(plan, frame.object)
        first = plan.main[frame.object][0]
        tail = self.fill(self.choose(self.texts["TAILS"]))
        draw = self.rng.random()
        if draw < 0.25 and not plan.verb.particle and len(plan.main[frame.object]) == 1 and first.text[0].islower():
            span = replace(first, article="").render(f"{plan.number}.{frame.object}")
            return f"the {plan.trigger(plan.verb.participle)} {span} {tail}."
        if draw < 0.6 or frame.subject not in plan.main:
            undergone = self._undergone(plan, frame.subject)
            return f"{patient}, {'' if ' ' in undergone else 'recently '}{undergone}, {tail}."
        agent = self.phrase(plan, frame.subject)
        told = plan.told(plan.verb.past) + (f" {plan.verb.particle}" if plan.verb.split else "")
        return f"{patient}, {'whom' if first.human else 'which'} {agent} {told}{self.obliques(plan)}, {tail}."

    def sentence(self, plan: Plan) -> str:
        """Return the event's own sentence, with its marks."""
        sentence = self._sentence(plan)
        if pronominal(plan) or sentence.endswith("?") or self.rng.random() > 0.45:
            return sentence
        if self.rng.random() < 0.2:
            return f"{self.fill(self.choose_new(self.texts['LEADS']))} {sentence}"
        adjunct = self.fill(self.choose_new(self.texts["ADJUNCTS"]))
        return f"{sentence[:-1]}{'' if adjunct[0] == ',' else ' '}{adjunct}."

    def _sentence(self, plan: Plan) -> str:
        frame, draw = plan.frame, self.rng.random()
        direct = frame.object in plan.main and not frame.preposition and not frame.mutual
        agent = frame.subject in plan.main
        if pronominal(plan):
            return self._spoken(plan)
        if plan.noun and (draw < 0.3 or not (agent or direct)):
            shell = self.choose(self.texts["NOMINAL_SHELLS"])
            if plan.noun[0].endswith("s"):
                shell = re.sub(r"^\{\} (was|is)", lambda match: "{} were" if match[1] == "was" else "{} are", shell)
            return _end(self.fill_in(shell, self.nominal(plan)))
        if agent and draw < 0.47 and not frame.mutual and frame.subject != "victim":
            return self._dependent(plan)
        if direct and draw < 0.57:
            return self._reduced(plan)
        if "place" in plan.main and self.rng.random() < 0.3:
            place = f"in {self.phrase(plan, 'place')}"
            return f"{place}, {self.clause(plan, skip='place')}."
        shell = "{}." if self.rng.random() < 0.4 else self.choose(self.texts["SHELLS"])
        past = any(word in shell for word in ("when", "days after", "arrived", "remained", "waited", "evidence"))
        return _end(self.fill_in(shell, self.clause(plan, past=past)))

    def _spoken(self, plan: Plan) -> str:
        """Return a sentence whose subject or object is a pronoun; "we" and the like are in quotes."""
        frame = plan.frame
        words = {filler.text for fillers in plan.main.values() for filler in fillers}
        if words & {"We", "I", "You", "us", "me"}:
            clause = re.sub(
                r"(\|I⟧) (are|were)\b", lambda m: m[1] + (" am" if m[2] == "are" else " was"), self.clause(plan)
            )
            return self.fill_in(self.choose(self.texts["QUOTES"]), _capital(clause))
        subject = plan.main[frame.subject][0]
        if subject.text in _POSSESSIVE and plan.noun and self.rng.random() < 0.4:
            obj = ""
            if frame.object in plan.main and plan.noun[1] != "-":
                obj = f" {plan.noun[1]} {self.phrase(plan, frame.object)}"
            span = Filler("", _POSSESSIVE[subject.text], "pronoun").render(f"{plan.number}.{frame.subject}")
            told = f"{span} {self._adjective()}{plan.trigger(plan.noun[0])}{obj}{self.obliques(plan)}"
            return _end(self.fill_in(self.choose(self.texts["POSSESSED"]), told))
        opening = self.rng.choice(["", "", "last week, ", "according to {~person}, ", "{when}, ", "it is said that "])
        clause = self.clause(plan, past="week" in opening or "when" in opening)
        return f"{self.fill(opening)}{clause}."

    def headline(self, plan: Plan) -> str:
        """Return the event as a headline, without articles."""
        frame = plan.frame
        for role, fillers in plan.main.items():
            plan.main[role] = [replace(filler, article="") for filler in fillers]
        direct = frame.object in plan.main and not frame.preposition and not frame.mutual
        if frame.subject not in plan.main or (direct and self.rng.random() < 0.3):
            return f"{self.phrase(plan, frame.object)} {self._undergone(plan, frame.subject)}."
        text, plural, partners = self._subject(plan)
        form = self.rng.choice(["base" if plural else "third", "to"])
        told = f"to {self.predicate(plan, 'base')}" if form == "to" else self.predicate(plan, form)
        return f"{text} {told.replace(_PARTNERS, partners)}."


def pronominal(plan: Plan) -> bool:
    """Return whether a role is filled by a pronoun."""
    return any(filler.kind == "pronoun" for fillers in plan.main.values() for filler in fillers)


def _capital(clause: str) -> str:
    """Return a clause with a capital, which may stand behind the opening of a mark."""
    return re.sub(r"^((?:⟦[^|]*\|)?)(\w)", lambda match: match[1] + match[2].upper(), clause)


def _end(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?")) else f"{sentence}."


def _event_word(plan: Plan | None) -> str:
    """Return a short noun for the event, which another sentence may take up."""
    nouns = [noun for noun, _ in plan.frame.nouns if noun[-1] != "s"] if plan else []
    if plan and plan.noun and plan.noun in plan.frame.nouns and plan.noun[0] in nouns:
        nouns = [plan.noun[0], *nouns]
    return nouns[0] if nouns else "event"
