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
        > Photographs showed {artifact} under guard. | > Little is known about {artifact}.
        + {artifact was/were} involved too. | < For years, {artifact} had been the subject of dispute.
        > Experts put a high value on {artifact}.
        """,
    "attacker": """
        > {attacker} later claimed responsibility. | > Officials blamed {attacker}.
        < {attacker} had vowed revenge. | > Nobody doubts that {attacker was/were} behind it.
        < There had been warnings about {attacker}.
        """,
    "award": "> The prize is called {award}. | > There was applause for {award}.",
    "awarder": "> The prize was given by {awarder}.",
    "ballot": "> The question was {ballot}. | < The campaign over {ballot} had been bitter.",
    "beneficiary": """
        > The main beneficiary was {beneficiary}. | > All of it was meant to help {beneficiary}.
        < {beneficiary} had asked for help.
        """,
    "candidate": """
        > The winner was {candidate}. | < Polls had favoured {candidate}. | > Supporters of {candidate} cheered.
        """,
    "cause": "> The cause was {cause}. | > Doctors suspect {cause}.",
    "closer": "> The order came from {closer}. | > Critics blamed {closer}.",
    "communicator": """
        > The words came from {communicator}. | < {communicator} had been silent for weeks.
        > It was signed by {communicator}. | > Critics accused {communicator} of playing politics.
        """,
    "contest": "> With that, {contest} was over. | < Fans had looked forward to {contest}.",
    "crashobject": "+ {crashobject was/were} damaged as well.",
    "crime": """
        > The file speaks of {crime}. | > The alleged offence is {crime}.
        < Rumours of {crime} had circulated for months. | + There is also the matter of {crime}.
        > Lawyers call it a clear case of {crime}.
        """,
    "deceased": "> The family of {deceased} was not told. | < There had been appeals for {deceased}.",
    "defendant": """
        > A lawyer for {defendant} denied everything. | < Suspicion had fallen on {defendant}.
        + The file also names {defendant}. | > {defendant} rejected all accusations.
        """,
    "demonstrator": """
        > Most of those in the streets were {demonstrator}. | < {demonstrator} had lost patience.
        """,
    "destination": """
        > They were expected in {destination} by nightfall. | > The final stop was {destination}.
        > Officials in {destination} confirmed the arrival. | < In {destination}, preparations had begun.
        """,
    "destroyer": "> The damage was the work of {destroyer}. | > Residents blamed {destroyer}.",
    "detainee": """
        > {detainee was/were} taken away in handcuffs. | + {detainee was/were} also led away.
        < The hunt for {detainee} took months.
        """,
    "discoverer": "> The team was led by {discoverer}. | < {discoverer} had searched for years.",
    "disease": """
        > Doctors confirmed that it was {disease}. | > The diagnosis was {disease}.
        < The first signs of {disease} appeared in spring.
        """,
    "driverpassenger": "> On board were {driverpassenger}. | > At the wheel sat {driverpassenger}.",
    "employee": """
        > It was a bitter day for {employee}. | < The future of {employee} had been in doubt.
        + {employee was/were} affected as well.
        """,
    "enterprise": "> The future of {enterprise} is safe for now. | < {enterprise} had needed money.",
    "executioner": "> It was carried out by {executioner}. | < {executioner} had ignored all appeals.",
    "extraditer": "> The decision was made by {extraditer}.",
    "finding": "> Nobody had expected {finding}. | + There was also {finding}.",
    "fireexplosionobject": """
        > Nothing was left of {fireexplosionobject}. | > Smoke rose from {fireexplosionobject} for hours.
        """,
    "founder": "> The idea came from {founder}. | < {founder} had long dreamt of it.",
    "giver": """
        > The offer had come from {giver}. | < {giver} had hesitated for months.
        > For {giver}, it was the end of a long dispute.
        """,
    "governmentbody": """
        > The debate in {governmentbody} had lasted all night.
        < Members of {governmentbody} had argued for weeks.
        """,
    "hidingplace": "> It was found in {hidingplace}. | > Searchers had passed {hidingplace} twice.",
    "honoree": "> There was long applause for {honoree}. | + {honoree was/were} also on the list.",
    "injurer": "> Witnesses blamed {injurer}. | > The blows came from {injurer}.",
    "inspectedentity": """
        > Nothing suspicious was found in the case of {inspectedentity}.
        + The list also included {inspectedentity}.
        """,
    "inspector": "> The report was written by {inspector}. | < {inspector} had asked for access.",
    "instrument": """
        > Investigators found traces of {instrument}. | > It was done with {instrument}.
        > Experts pointed to {instrument}. | > The cause was said to be {instrument}.
        """,
    "investigator": "> The case is led by {investigator}. | < {investigator} had received a tip.",
    "investor": "> The money came from {investor}. | < {investor} had looked at the books.",
    "jailer": "> The operation was led by {jailer}. | > A statement by {jailer} gave few details.",
    "judgecourt": """
        > The file now lies with {judgecourt}. | > The decision was read out by {judgecourt}.
        < All eyes were on {judgecourt}.
        """,
    "killer": """
        > Officials blamed {killer}. | > {killer was/were} seen leaving the scene.
        < {killer} had made threats before.
        """,
    "law": """
        > Critics say {law} will change little. | > The text is known as {law}.
        < Months of debate over {law} had come before.
        """,
    "loser": "> It was a bitter day for {loser}. | < {loser} had been the favourite.",
    "manufacturer": "> The work was done by {manufacturer}. | > Profits at {manufacturer} rose.",
    "money": """
        > The sum was put at {money}. | > In all, {money} changed hands. | < There had been talk of {money}.
        """,
    "observedentity": """
        > The target was {observedentity}. | > Secret files held details about {observedentity}.
        """,
    "organization": """
        > The new name on the door is {organization}. | > Few people had heard of {organization}.
        """,
    "origin": """
        > They had left {origin} a day earlier. | > It all began in {origin}.
        < In {origin}, life had become unbearable. | < The journey had started in {origin}.
        """,
    "otherparticipant": "> The other side, {otherparticipant}, lodged a complaint.",
    "participant": """
        > Also present was {participant}. | > {participant} took part as well.
        + {participant} joined them later.
        """,
    "passenger": """
        > Among those on the move were {passenger}. | + {passenger} came along too.
        < The fate of {passenger} had been uncertain.
        """,
    "patient": """
        > The condition of {patient} improved. | < {patient} had waited for hours.
        + {patient was/were} seen as well.
        """,
    "payment": """
        > The price was {payment}. | > It cost {payment}. | < Analysts had expected a price of {payment}.
        """,
    "penalty": "> The punishment was {penalty}. | > It means {penalty}.",
    "place": """
        > Residents of {place} were told to stay at home. | > Streets in {place} were closed.
        < Tension had been rising in {place}. | < {place} had been calm for months.
        > Witnesses in {place} described the scene. | > It happened in {place}.
        > Similar scenes have been seen in {place} before. | < The day in {place} had begun quietly.
        > A reporter in {place} saw it. | > Hospitals in {place} were put on alert. | > Life in {place} goes on.
        > People in {place} still speak of it. | > Traffic in {place} came to a halt.
        < Heavy rain had fallen in {place}. | < Reporters had come to {place} for another reason.
        < There had been rumours in {place} since the morning. | > All this took place in {place}.
        > A curfew was imposed in {place}. | < {place} is not used to being in the news.
        """,
    "placeofemployment": """
        > Nobody at {placeofemployment} wished to comment. | < There had been unrest at {placeofemployment}.
        """,
    "position": "> The job in question is that of {position}. | > The post of {position} is well paid.",
    "preventer": "> The order had come from {preventer}. | < {preventer} had tightened the rules.",
    "prosecutor": "> The case was brought by {prosecutor}. | < {prosecutor} had prepared for months.",
    "rebel": "> Behind it stood {rebel}. | < {rebel} had planned it for months.",
    "recipient": """
        > On the other side stood {recipient}. | > It was received by {recipient}.
        < {recipient} had waited for it. | > For {recipient}, it came as a surprise.
        """,
    "result": "> The outcome was {result}. | > It ended in {result}.",
    "retreater": "> It was a heavy blow to {retreater}. | < {retreater} had suffered losses.",
    "spouse": "> The happy couple included {spouse}.",
    "spy": "> Behind it was {spy}. | > The order had been carried out by {spy}.",
    "student": "> The lessons were given to {student}. | + {student} took part too.",
    "subject": "> The lessons were about {subject}. | > The course covers {subject}.",
    "surrenderer": """
        > Food was running out for {surrenderer}. | < {surrenderer} had been surrounded for weeks.
        """,
    "target": """
        > The target was {target}. | > The anger was directed at {target}.
        + {target was/were} targeted as well.
        """,
    "teacher": "> The course was led by {teacher}. | > {teacher} had long experience.",
    "territory": """
        > Maps now show {territory} in another colour. | < The fight over {territory} had lasted for years.
        """,
    "topic": """
        > The main topic was {topic}. | > It was all about {topic}.
        < A debate over {topic} had been going on for months. | > Details about {topic} remained unclear.
        + Another topic was {topic}.
        """,
    "transporter": """
        > The trip was organised by {transporter}. | < {transporter} had prepared for weeks.
        > Behind it was {transporter}.
        """,
    "treater": "> The team was led by {treater}. | > The work fell to {treater}.",
    "vehicle": """
        > They were on board {vehicle}. | > The vehicle used was {vehicle}.
        < {vehicle} had stood ready since dawn.
        """,
    "victim": """
        > Among the victims were {victim}. | > Relatives wept for {victim}.
        + {victim was/were} also among the victims. | < The family of {victim} had feared the worst.
        """,
    "violator": "> The blame lies with {violator}. | < {violator} had been warned twice.",
    "voter": """
        > The decision lay with {voter}. | < {voter was/were} tired of waiting.
        > Turnout among {voter} was high.
        """,
    "winner": "> It was a great day for {winner}. | < {winner} had trained hard.",
}
