"""Roles of the warm-up corpus: their prepositions, their descriptions, and sentences about them."""

from __future__ import annotations

SPAN_RULE = (
    "A leading article, a preposition and a person's description are not part of a span; titles and numbers are."
)

# Where a type gives no wording for a role.
OBLIQUES = {
    "place": "in {}|in {}|near {}",
    "instrument": "with {}|with {}|using {}",
    "origin": "from {}|out of {}",
    "destination": "to {}|to {}|into {}",
    "vehicle": "aboard {}|on {}|in {}",
    "crime": "for {}|over {}|on suspicion of {}|in connection with {}",
    "judgecourt": "before {}|in front of {}",
    "recipient": "to {}",
    "giver": "from {}",
    "beneficiary": "on behalf of {}|for the benefit of {}|to help {}",
    "payment": "for {}|at a price of {}|in return for {}",
    "money": "worth {}|of {}",
    "position": "as {}",
    "topic": "about {}|over {}",
    "candidate": "in support of {}",
    "ballot": "on {}",
    "result": "with {} as the result",
    "disease": "with {}",
    "cause": "because of {}|through {}",
    "subject": "in {}",
    "voter": "by {}",
    "placeofemployment": "at {}",
    "penalty": "to {}",
}

DESCRIPTIONS = {
    "artifact": "the thing that is handled, made, traded or destroyed",
    "attacker": "who attacks",
    "ballot": "the question that is voted on",
    "beneficiary": "for whose good it is done",
    "candidate": "who stands for office",
    "closer": "who closes the organisation",
    "communicator": "who speaks, writes or publishes",
    "crashobject": "what the vehicle runs into",
    "crime": "the crime in question",
    "defendant": "who is suspected, accused or sentenced",
    "demonstrator": "who protests",
    "destination": "where the movement ends",
    "destroyer": "who or what destroys",
    "detainee": "who is held",
    "disease": "the illness",
    "driverpassenger": "who is in the vehicle",
    "employee": "who takes or loses the job",
    "extraditer": "who hands the suspect over",
    "fireexplosionobject": "what burns or explodes",
    "founder": "who starts the organisation",
    "giver": "who gives, sells, lends or cedes",
    "governmentbody": "the body that makes the law",
    "injurer": "who hurts others",
    "inspectedentity": "who or what is checked",
    "inspector": "who checks",
    "instrument": "what it is done with, or what caused it",
    "investigator": "who investigates",
    "jailer": "who takes someone into custody",
    "judgecourt": "the judge or court",
    "killer": "who kills",
    "law": "the law or agreement",
    "manufacturer": "who makes the thing",
    "money": "the sum",
    "observedentity": "who is watched",
    "organization": "the organisation",
    "origin": "where the movement starts",
    "participant": "who takes part",
    "passenger": "who is moved",
    "patient": "who is treated",
    "payment": "the price",
    "penalty": "the punishment",
    "place": "where it happens",
    "placeofemployment": "where the job is",
    "position": "the job or office",
    "preventer": "who prevents it",
    "prosecutor": "who brings the case",
    "recipient": "who receives the thing or the message",
    "result": "what the vote leads to",
    "retreater": "who withdraws",
    "cause": "what the illness came from",
    "spy": "who watches in secret",
    "student": "who is taught",
    "subject": "what is taught",
    "surrenderer": "who gives up",
    "target": "who or what it is directed against",
    "teacher": "who teaches",
    "territory": "the land that changes hands, or where the law applies",
    "topic": "what it is about",
    "transporter": "who moves the people or goods, or moves by themselves",
    "treater": "who gives medical help",
    "vehicle": "what people or goods are moved in",
    "victim": "who is hurt, falls ill or dies",
    "voter": "who votes",
    "award": "the prize",
    "awarder": "who gives the prize",
    "contest": "what is won or lost",
    "deceased": "who is put to death",
    "discoverer": "who finds it",
    "enterprise": "what the money is put into",
    "executioner": "who puts someone to death",
    "finding": "what is found",
    "hidingplace": "where it is hidden",
    "honoree": "who receives the prize",
    "investor": "who puts the money in",
    "loser": "who is beaten",
    "otherparticipant": "the other party to the agreement",
    "rebel": "who rises against those in power",
    "spouse": "who marries",
    "violator": "who breaks the law or agreement",
    "winner": "who wins",
}

# role -> sentences about it; `<` stands before the event's sentence, `>` behind it, `+` names a second filler.
SATELLITES: dict[str, str] = {
    "artifact": """
        > At the centre of the {event} was {artifact}. | > The {event} concerned {artifact}, a witness said.
        + The {event} also concerned {artifact}. | + There was also talk of {artifact}.
        > Papers about the {event} mention {artifact}.
        """,
    "attacker": """
        > {attacker} later claimed responsibility for the {event}. | > Officials blamed {attacker} for the {event}.
        < {attacker} had vowed to strike. | > Nobody doubts that {attacker was/were} behind the {event}.
        < There had been warnings of an attack by {attacker}.
        """,
    "award": "> The prize is called {award}. | > In the hall, all talk was of {award}.",
    "awarder": "> The prize was given by {awarder}.",
    "ballot": "> The question was {ballot}. | < The campaign over {ballot} had been bitter.",
    "beneficiary": """
        > The main beneficiary was {beneficiary}. | > All of it was meant to help {beneficiary}.
        > The {event} was good news for {beneficiary}.
        """,
    "candidate": """
        > The winner was {candidate}. | < Polls had favoured {candidate}. | > Supporters of {candidate} cheered.
        """,
    "cause": "> The cause was {cause}. | > Doctors suspect {cause}.",
    "closer": "> The order to close came from {closer}. | > Critics blamed {closer} for the {event}.",
    "communicator": """
        > The words came from {communicator}. | < {communicator} had spoken on the matter before.
        > The text of the {event} was signed by {communicator}. | > The {event} came from {communicator}.
        """,
    "contest": "> With that, {contest} was over. | < Fans had looked forward to {contest}.",
    "crashobject": "> The impact damaged {crashobject}.",
    "crime": """
        > The file speaks of {crime}. | > The alleged offence is {crime}.
        < Rumours of {crime} had circulated for months. | + The file also speaks of {crime}.
        > Lawyers call it a clear case of {crime}.
        """,
    "deceased": "> The family of {deceased} was not told. | < There had been appeals for {deceased}.",
    "defendant": """
        > A lawyer for {defendant} denied everything. | < Suspicion had fallen on {defendant}.
        + The file also names {defendant}. | > {defendant} rejected all accusations.
        """,
    "demonstrator": """
        > Most of those in the streets were {demonstrator}. | < {demonstrator} had announced that they would march.
        """,
    "destination": """
        > They were expected in {destination} by nightfall. | > The final stop was {destination}.
        > Officials in {destination} confirmed the arrival. | > The journey was to end in {destination}.
        """,
    "destroyer": "> The damage was the work of {destroyer}. | > Residents blamed {destroyer} for the {event}.",
    "detainee": """
        > {detainee was/were} taken away in handcuffs. | + {detainee was/were} also led away.
        < The hunt for {detainee} took months.
        """,
    "discoverer": "> The team was led by {discoverer}. | < {discoverer} had searched for years.",
    "disease": """
        > Doctors confirmed that it was {disease}. | > The diagnosis was {disease}.
        < The first signs of {disease} appeared in spring.
        """,
    "driverpassenger": "> The vehicle had {driverpassenger} on board. | > At the wheel sat {driverpassenger}.",
    "employee": """
        > The {event} concerned {employee}. | > A letter about the {event} went to {employee}.
        + The {event} also concerned {employee}.
        """,
    "enterprise": "> The future of {enterprise} is safe for now. | < {enterprise} had looked for investors.",
    "executioner": "> The {event} was carried out by {executioner}. | < {executioner} had refused mercy.",
    "extraditer": "> The {event} was ordered by {extraditer}.",
    "finding": "> Nobody had expected {finding}. | + There was also {finding}.",
    "fireexplosionobject": """
        > Nothing was left of {fireexplosionobject}. | > Smoke rose from {fireexplosionobject} for hours.
        """,
    "founder": "> The idea for the {event} came from {founder}. | > Behind the {event} stood {founder}.",
    "giver": """
        > The offer had come from {giver}. | > What changed hands had belonged to {giver}.
        > All of it came from {giver}.
        """,
    "governmentbody": """
        > The debate in {governmentbody} had lasted all night.
        < Members of {governmentbody} had argued for weeks.
        """,
    "hidingplace": "> The hiding place was {hidingplace}. | > All of it was later found in {hidingplace}.",
    "honoree": "> There was long applause for {honoree}. | + {honoree was/were} also on the list.",
    "injurer": "> Witnesses blamed {injurer} for the {event}. | > The blows came from {injurer}.",
    "inspectedentity": """
        > Nothing suspicious was found in the case of {inspectedentity}.
        + The list also included {inspectedentity}.
        """,
    "inspector": "> The report was written by {inspector}. | < {inspector} had asked for access to look.",
    "instrument": """
        > Investigators spoke of {instrument}. | > The {event} was carried out with {instrument}.
        > Experts saw {instrument} behind the {event}. | > After the {event}, experts pointed to {instrument}.
        """,
    "investigator": "> The case is led by {investigator}. | < {investigator} had opened a file after a tip.",
    "investor": "> The money came from {investor}. | < {investor} had looked for a place to put money.",
    "jailer": "> The operation was led by {jailer}. | > A statement by {jailer} gave few details.",
    "judgecourt": """
        > The file now lies with {judgecourt}. | > The decision was read out by {judgecourt}.
        < All eyes were on {judgecourt}.
        """,
    "killer": """
        > Officials blamed {killer} for the {event}. | > {killer was/were} seen leaving the scene of the {event}.
        < {killer} had threatened to kill before.
        """,
    "law": """
        > Critics say {law} will change little. | > The text is known as {law}.
        < Months of debate over {law} had come before.
        """,
    "loser": "> It was a bitter defeat for {loser}. | > The losing side was {loser}.",
    "manufacturer": "> The work was done by {manufacturer}. | > The {event} was in the hands of {manufacturer}.",
    "money": """
        > The sum was put at {money}. | > In all, {money} changed hands. | > The {event} involved {money}.
        """,
    "observedentity": """
        > The target was {observedentity}. | > Secret files held details about {observedentity}.
        """,
    "organization": """
        > The new name on the door is {organization}. | > Few people had heard of {organization}.
        """,
    "origin": """
        > The starting point was {origin}. | > The {event} began in {origin}.
        > The way led out of {origin}. | < The journey had started in {origin}.
        """,
    "otherparticipant": "> The other party, {otherparticipant}, complained about the {event}.",
    "participant": """
        > {participant was/were} also present at the {event}. | > {participant} took part in the {event} as well.
        + {participant} joined the {event} later.
        """,
    "passenger": """
        > Among those on the move were {passenger}. | + {passenger} came along too.
        < {passenger} had waited to be taken away.
        """,
    "patient": """
        > After the {event}, the condition of {patient} improved. | < {patient} had waited for hours to see a doctor.
        + {patient was/were} seen as well.
        """,
    "payment": """
        > The price was {payment}. | > It cost {payment}. | < Analysts had expected a price of {payment}.
        """,
    "penalty": "> The punishment was {penalty}. | > The ruling means {penalty}.",
    "place": """
        > Residents of {place} were still talking about the {event} days later. | > It happened in {place}.
        > Witnesses in {place} described the {event}. | > All this took place in {place}.
        < The day in {place} had begun quietly. | > A reporter in {place} saw the {event}.
        > The {event} took place in {place}. | > After the {event}, {place} came to a halt.
        > People in {place} will not forget the {event}. | > Officials in {place} confirmed the {event}.
        < Until then, {place} had been a quiet place. | > The scene of the {event} was {place}.
        < Nobody in {place} had expected what came next. | > {place} has not seen such a thing for years.
        < The news from {place} was on every screen that day. | > The reports about the {event} all come from {place}.
        < What happened next in {place} will be remembered. | > The photographs were taken in {place}.
        """,
    "placeofemployment": """
        > Nobody at {placeofemployment} spoke about the {event}. | > The {event} was announced at {placeofemployment}.
        """,
    "position": "> The job in question is that of {position}. | > The post of {position} is well paid.",
    "preventer": "> The order to stop them came from {preventer}. | > The {event} was the work of {preventer}.",
    "prosecutor": "> The case was brought by {prosecutor}. | < {prosecutor} had prepared for months.",
    "rebel": "> Behind the {event} stood {rebel}. | < {rebel} had long wanted a change of power.",
    "recipient": """
        > On the receiving end of the {event} stood {recipient}. | > {recipient was/were} at the receiving end.
        > The {event} went to {recipient}.
        """,
    "result": "> The outcome was {result}. | > The count ended in {result}.",
    "retreater": "> The {event} was a heavy blow to {retreater}. | < {retreater} had held the position for weeks.",
    "spouse": "> The happy couple included {spouse}. | < Friends of {spouse} had heard wedding bells for months.",
    "spy": "> {spy was/were} behind the {event}. | > {spy was/were} listening in.",
    "student": "> The lessons were given to {student}. | + {student} took part in the lessons too.",
    "subject": "> The lessons were about {subject}. | > The course covers {subject}.",
    "surrenderer": """
        > Food was running out for {surrenderer}. | < {surrenderer} had been surrounded for weeks.
        """,
    "target": """
        > The target was {target}. | > The anger was directed at {target}.
        + {target was/were} targeted as well.
        """,
    "teacher": "> The course was led by {teacher}. | > {teacher} gave the lessons.",
    "territory": """
        > Maps now show {territory} in another colour. | < The fight over {territory} had lasted for years.
        """,
    "topic": """
        > The main topic was {topic}. | > The {event} was all about {topic}.
        < A debate over {topic} had been going on for months. | > Details about {topic} remained unclear.
        + Another topic was {topic}.
        """,
    "transporter": """
        > The {event} was organised by {transporter}. | > {transporter} took charge of the {event}.
        > The {event} was in the hands of {transporter}.
        """,
    "treater": "> The {event} was in the hands of {treater}. | > The medical team came from {treater}.",
    "vehicle": """
        > The {event} was by {vehicle}, a witness said. | > The vehicle used was {vehicle}.
        > A photograph of the {event} shows {vehicle}.
        """,
    "victim": """
        > Among the victims were {victim}. | > Relatives wept for {victim}.
        + {victim was/were} also among the victims.
        > The {event} took its toll on {victim}.
        """,
    "violator": "> The blame for the {event} lies with {violator}. | < {violator} had been warned twice before.",
    "voter": """
        > The decision lay with {voter}. | < {voter was/were} ready to go to the polls.
        > Turnout among {voter} was high.
        """,
    "winner": "> It was a great victory for {winner}. | > The trophy went to {winner}.",
}
