"""What stands round an event of the warm-up corpus: background, shells, sources, and what ends a sentence."""

from __future__ import annotations

# Sentences that hold no argument.
BACKGROUND = """
    {~person} was in {~city} at the time.
    {~org} opened an office in {~city} last year.
    {~leader} did not comment.
    In {~city}, {~group} watched the news on television.
    {~army} denied any involvement.
    {~person}, who lives in {~city}, said the situation was getting worse.
    Earlier this year, {~org} moved to {~city}.
    The news came as {~leader} prepared for a visit to {~city}.
    {~country} has seen little of this kind in recent years.
    Nothing of the kind was reported from {~city}.
    {~group} in {~city} spoke of a difficult year.
    It is not clear what role {~person} played.
    Relations between {~country} and {~country} have been tense since {~year}.
    A spokesman for {~agency} said {~person} was aware of the reports.
    {~agency} put the cost at {~money}.
    {~person} called it a historic moment.
    In {~year}, a similar case shook {~city}.
    {~media} carried the story on its front page.
    {~militia} had nothing to do with it, according to {~person}.
    Critics such as {~person} have long warned of this.
    Stock markets in {~city} fell slightly.
    On {~day}, {~leader} met {~delegation} in {~city} to discuss {~topic}.
    The dispute over {~topic} goes back to {~year}, when {~leader} visited {~country}.
    {~num} people from {~country} were reported missing in {~city}.
    {~org}, which is based in {~city}, lost {~money} in {~year}.
    For {~group} in {~country}, not much will change.
    Many observers compare {~country} to {~country}.
    The story was first told by {~person}, a reporter in {~city}.
    {~person} and {~person} wrote a book about {~topic}.
    Last month, {~agency} warned of a crisis in {~country}.
    {~person}, {~num} other witnesses and {~culprit} are to be heard in {~city}.
    {~media} had predicted as much in {~year}.
    “We are watching the situation closely,” said {~person}, a spokesman for {~agency}.
    “Nobody saw this coming,” {~person} told {~press} in {~city}.
    {~leader} blamed {~country}, but gave no details.
    The road from {~city} to {~city} was closed for hours.
    At the same time, {~army} held an exercise near {~city}.
    {~charity} in {~city} has been collecting signatures.
    In a letter to {~person}, {~org} promised more transparency.
    Oil prices rose after the news, while shares of {~org} fell.
    {~protesters} had gathered in {~city} a week before, but the mood was calm.
    {~person}, who worked for {~org} until {~year}, knows the details.
    The legal basis is {~law}, which dates from {~year}.
    """

# Sentences that name a person to whom the pronoun in the next sentence refers.
ANTECEDENTS = """
    {} grew up in {~city}.
    {} is no stranger to controversy.
    Friends describe {} as a quiet person.
    The world had heard little of {} since {~year}.
    Last week brought {} back into the headlines.
    """
GROUP_ANTECEDENTS = """
    The group had been active near {~city} since {~year}.
    The people in question come from a small town near {~city}.
    Most of them have known each other since their years in {~city}.
    The {~num} men and women of the group first came together in {~year}.
    Nobody knew what the men were planning.
    {~num} people from {~city} belonged to the group.
    """

# `{}` is a clause that starts in lower case.
SHELLS = """
    {source} said that {}.
    {source} said {}.
    {source} told {~press} that {}.
    {}, {source} said.
    {}, according to {source}.
    according to {source}, {}.
    {when}, {}.
    {}, days after {~person} visited {~city}.
    it is believed that {}.
    {source} reported that {}.
    there is ample evidence that {}.
    {~person} denied that {}.
    as {~leader} arrived in {~city}, {}.
    {~leader was/were} told that {}.
    {}, but {~leader} remained silent.
    {}, and {~leader} will have to respond.
    while {~group} waited in {~city}, {}.
    {when}, {}, {source} said.
    """

# `{}` is a nominalised event.
NOMINAL_SHELLS = """
    {} drew a sharp comment from {~person}.
    {} was confirmed by {source}.
    {} made headlines around the world.
    {} had been expected for weeks.
    in {~city}, {~person} learned of {}.
    {~press} asked {~person} about {}.
    {source} condemned {}.
    {} came days after a speech by {~leader} in {~city}.
    after {}, {~leader} returned to {~city}.
    {source} played down {}.
    {when}, {source} gave details of {}.
    {} shocked {~group} in {~city}.
    there has been much talk about {}.
    {} is the latest of its kind, {source} said.
    {~leader} had no comment on {}.
    {} may have consequences for {~org}.
    """

SOURCES = """
    officials in {~city}
    {~person}, a lawyer,
    a spokeswoman for {~org}
    {~agency}
    local media
    witnesses
    a report by {~agency}
    two people familiar with the matter
    {~person}
    {~leader}
    a senior official
    residents of {~city}
    """
WHEN = """
    on {~day}
    last week
    in {~year}
    earlier this month
    hours later
    on {~day} morning
    in the meantime
    days after the visit of {~person}
    """

# What a subject or an object does beside the event.
TAILS = """
    kept {~press} busy for weeks
    dominated the headlines in {~city}
    drew attention in {~city}
    remained a subject of debate in {~country}
    came up in a report by {~agency}
    attracted the attention of {~person}
    """
MAIN_TAILS = """
    left for {~city}
    spoke to {~press}
    refused to comment
    did not answer questions from {~press}
    received a call from {~person}
    thanked {~person}
    faced criticism from {~group}
    """

# What may stand at the end of an event's sentence, and behind its subject.
ADJUNCTS = """
    , a day after {~person} arrived in {~city}
    amid growing tension between {~country} and {~country}
    , a move that {~leader} called a mistake
    despite protests from {~group}
    , which {~person} described as a turning point
    as part of a plan drawn up by {~agency}
    , weeks before {~leader} is due in {~city}
    for the first time since {~year}
    , a decision welcomed by {~group} in {~city}
    , and {~person} called for calm
    , although {~agency} had warned of the consequences
    in the presence of {~person} and {~person}
    , {~num} months after the first case in {~country}
    , while {~group} looked on
    under the eyes of {~media}
    , prompting {~leader} to cancel a trip to {~country}
    """
APPOSITIVES = {
    "person": """
        a former adviser to {~leader}
        who comes from {~city}
        a lawyer from {~city}
        who once worked for {~org}
        a friend of {~person}
        54
        """,
    "org": """
        which is based in {~city}
        a company owned by {~person}
        a rival of {~org}
        """,
    "militia": """
        backed by {~country}
        led by {~person}
        many of them from {~country}
        """,
    "army": """
        under the command of {~person}
        supported by {~country}
        """,
    "leader": """
        on a visit to {~city}
        under pressure from {~protesters}
        """,
}

MODALS = "will;would;could;may;might;should;must;is_are expected to;wants_want to;plans_plan to;refused to;tried to;\
threatened to;has_have promised to;agreed to;is_are preparing to;was_were able to;was_were ordered to;did not;\
decided to"
ADJECTIVES = ";;;;;alleged ;latest ;planned ;reported ;second ;recent ;controversial ;sudden ;upcoming ;secret ;new "

# `{}` is a clause with a capital whose subject or object is the speaker or the reader.
QUOTES = """
    “{},” said {~person}.
    “{},” {~person} told {~press} in {~city}.
    “{}, and that is the truth,” wrote {~person} on a website.
    “{},” reads a letter that {~person} sent to {~media}.
    “{},” said {~person}, who lives near {~city}, “and nobody in {~country} took notice.”
    """
POSSESSIVE = {"he": "his", "she": "her", "they": "their"}
# `{}` is a nominalised event that starts with a possessive pronoun.
POSSESSED = """
    {} made headlines around the world.
    {source} condemned {}.
    {} was confirmed by {source}.
    {when}, {~media} learned of {}.
    the world took notice of {}.
    {} came as no surprise to {~group} in {~city}.
    """
