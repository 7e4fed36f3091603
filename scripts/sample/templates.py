"""Sentences around an event's own: about one of its roles, about other things, and what a clause is put into.

`{role}` is an argument, `{role was/were}` an argument with the verb that agrees with it, `{~kind}` an entity that is no
argument. A sentence about a role starts with its place and a blank: `<` before the event's sentence, `>` after it, `+`
after it and for a second filler only, `~` a distractor. A leading `!` keeps a template out of train.
"""

from __future__ import annotations

# type -> sentences about one role, and distractors that look like them.
SATELLITES: dict[str, str] = {
    "attack": """
        > Within hours, {attacker} took responsibility.
        > Investigators blamed {attacker}.
        < For weeks, {attacker} had promised revenge.
        !> Security sources pointed to {attacker}.
        > The worst damage was done to {target}.
        + {target was/were} hit as well.
        + Minutes later, {target was/were} also hit.
        > Investigators found traces of {instrument} at the scene.
        > Experts said the damage had been caused by {instrument}.
        < Tension had been rising in {place} for weeks.
        > Schools in {place} stayed closed afterwards.
        < Until then, {place} had been spared the violence.
        !> Residents of {place} were told to stay indoors.
        > The violence broke out on {date}, shortly before dawn.
        ~ {~militia} denied any role.
        ~ Investigators ruled out {~militia}.
        ~ Nothing unusual was reported from {~city}.
        ~ Soldiers found {~weapon} near {~city}, but saw no link to the case.
        ~ The funerals will be held in {~city} on {~date}.
        """,
    "arrest": """
        > A statement from {authority} gave few details.
        < For months, {authority} had followed every step.
        > The operation was led by {authority}.
        > Neighbours saw {suspect} being led away.
        + {suspect was/were} led away as well.
        + {suspect was/were} also taken into custody.
        < The inquiry into {charge} had begun in the winter.
        > The case concerns {charge}.
        > Investigators spoke of {charge}.
        + The file also mentions {charge}.
        < A hunt had been under way in {place} since the weekend.
        > The operation closed several streets in {place}.
        !> Residents of {place} watched from their windows.
        ~ {~authority was/were} not involved.
        ~ The search of an address in {~city} found nothing.
        ~ An unrelated inquiry into {~crime} was closed in {~city}.
        ~ {~person} was questioned as a witness, but is not a suspect.
        """,
    "transport": """
        > The contract for the trip is held by {carrier}.
        < {carrier} had won the contract a year earlier.
        + {cargo was/were} also on board.
        < Everything had been made ready in {origin} the night before.
        > The trip had started in {origin}.
        < People in {destination} had been told what to expect.
        > The trip ended in {destination}.
        > Crowds were waiting in {destination}.
        + The trip then went on to {destination}.
        > The trip was made aboard {vehicle}.
        !> For the trip, {vehicle} had been rented.
        ~ A planned stop in {~city} was cancelled.
        ~ The road through {~city} was closed.
        ~ {~org} had lost the contract.
        ~ {~vehicle was/were} kept in reserve.
        """,
    "purchase": """
        > The new owner is {buyer}.
        < {buyer} had been looking for a bargain since the spring.
        > The previous owner was {seller}.
        < {seller} had been short of cash since the spring.
        !> The proceeds will help {seller} to pay its debts.
        + {goods is/are} also part of the deal.
        > The deal is worth {price}.
        > The two sides settled on {price}.
        ~ A rival bid of {~money} was rejected.
        ~ {~org} had offered {~money}, but walked away.
        ~ {~org} advised both sides.
        ~ A plan to include {~goods} was dropped.
        """,
    "elect": """
        < {elector} had argued for three days.
        > The ballot was open only to {elector}.
        > Victory went to {winner}.
        > {rival} conceded defeat before midnight.
        > The losing candidate was {rival}.
        + {rival} also lost.
        > The term as {office} lasts four years.
        !> Work as {office} begins at once.
        > The votes were counted on {date}.
        ~ {~person} did not stand.
        ~ {~person} counted the votes.
        ~ The post of {~office} will be filled later.
        ~ A party conference will follow on {~date}.
        """,
    "hire": """
        < {employer} had searched for months.
        > {employer} did not disclose the salary.
        + {employee} will join as well.
        > The post of {position} had been vacant since the winter.
        < The post of {position} had been advertised for months.
        > {predecessor} had left the job in the autumn.
        < {predecessor} had stepped down a month earlier.
        !> The job had been held by {predecessor}.
        ~ {~person} had turned down the job.
        ~ The post of {~position} remains vacant.
        ~ {~org} had wanted to fill a similar job.
        """,
    "meet": """
        < The two sides had argued over {topic} for months.
        > The main item on the agenda was {topic}.
        > The two sides failed to agree on {topic}.
        + The agenda also included {topic}.
        + {participant} joined later.
        + {participant} also took part.
        > Hotels in {place} were fully booked.
        < {place} had offered to act as host.
        !> Streets in {place} were closed for the occasion.
        > The session on {date} lasted four hours.
        ~ The agenda did not include {~topic}.
        ~ An earlier round in {~city} had ended without result.
        ~ {~person} was not invited.
        ~ The next session is planned for {~date}.
        """,
    "donate": """
        > The generous donor is {donor}.
        < {donor} had promised to help.
        < {recipient} had asked for help in the spring.
        + {recipient} will also benefit.
        > The help consists of {gift}.
        + {gift} will follow next year.
        < Money for {purpose} had been short for years.
        > The help is meant for {purpose}.
        !> All of it will be used for {purpose}.
        ~ An earlier appeal for {~purpose} had failed.
        ~ {~charity} will get nothing.
        ~ {~org} had refused to help.
        """,
    "sue": """
        < {plaintiff} had threatened legal steps for months.
        > The case was brought by {plaintiff}.
        < {defendant} had ignored several warnings.
        > {defendant} rejected all accusations.
        + {defendant is/are} also in the dock.
        > The case turns on {complaint}.
        > The judges will have to rule on {complaint}.
        + The file also mentions {complaint}.
        > {court} will hear the case in the spring.
        !> The first hearing before {court} is due soon.
        ~ A similar case over {~complaint} was dropped.
        ~ {~court} had refused to hear a similar case.
        ~ {~person} will appear as a witness.
        ~ {~org} is watching the case closely.
        """,
    "build": """
        > The work was done by {builder}.
        < {builder} had won the tender two years earlier.
        + {structure was/were} added later.
        > The total bill came to {cost}.
        > The work cost {cost}.
        > Residents of {place} had waited for years.
        < {place} had asked for help since the flood.
        !> People in {place} celebrated with fireworks.
        ~ A similar project in {~city} was cancelled.
        ~ {~org} had lost the tender.
        ~ An earlier plan, priced at {~money}, was dropped.
        ~ {~person} drew the first sketches.
        """,
}

BACKGROUND = """
    The weather was dry for most of the week.
    {~city} is preparing for its annual music festival.
    {~org} opened an office in {~city} last year.
    {~person} was on holiday in {~city} at the time.
    Prices at the market in {~city} have risen since the spring.
    A spokesman for {~org} did not return calls.
    The newspapers in {~city} were full of other news.
    !{~person} published a book about {~city} in the autumn.
    """

SOURCES = """
    officials in {~city}
    {~person}, {profession},
    a spokeswoman for {~org}
    local radio
    a newspaper in {~city}
    two people familiar with the matter
    """

# `{}` is a clause that starts in lower case.
SHELLS = """
    {source} said that {}.
    {source} said {}.
    {}, {source} said.
    according to {source}, {}.
    earlier in the week, {}.
    days after {~person} visited {~city}, {}.
    {}, a day after {~org} opened an office in {~city}.
    {}, while life in {~city} went on as usual.
    !as reporters gathered in {~city}, {}.
    """

# `{}` is a nominalised event.
NOMINAL_SHELLS = """
    {} drew a sharp comment from {~person}.
    {} was confirmed by {source}.
    {} made headlines in {~city}.
    {} had been expected for weeks.
    in {~city}, {~person} learned of {}.
    reporters asked {~person} about {}.
    news of {} reached {~city} within hours.
    !{source} had no comment on {}.
    """

# What the subject or the object of a relative clause does beside the event.
SUBJECT_TAILS = """
    refused to speak to reporters from {~city}
    did not answer questions from {~person}
    sent a short statement to a newspaper in {~city}
    !could not be reached in {~city}
    """
PERSON_TAILS = """
    had once lived in {~city}
    had been photographed with {~person}
    spoke to reporters from {~city}
    """
THING_TAILS = """
    had been well known to {~person}
    had been in the news in {~city}
    """
HAVING_TAILS = """
    left a long message for {~person}
    turned to {~person} for advice
    sent a message to {~org}
    """
