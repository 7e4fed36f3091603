"""Further event types of the warm-up corpus, in the notation of `warmup_types`: orders, lies, permits, damage."""

from __future__ import annotations

BLOCKS = """
# contact.command: Someone orders others to do or to stop something.
roles communicator=leader,army,court recipient=army,authority,staff,org topic=sanction,topic place=place
communicator > recipient: order; command; instruct; direct; compel/compelled/compelled; tell/told/told
nouns order to; command to; instruction to; directive to; instructions to
at topic=in the matter of {}|regarding {}
communicator > topic: order; decree; mandate; authorize; dictate
nouns order for; decree on; directive on
at recipient=to {}

# contact.advise: Someone asks others for something or gives advice.
roles communicator=leader,person,agency recipient=leader,country,org,group topic=topic place=place
communicator > recipient: advise; urge; ask; beg/begged/begged; implore; counsel; lobby; petition
nouns appeal to; request to; advice to; plea to; petition to; letter to; recommendation to
at topic=about {}|over {}|regarding {}

# contact.lie: Someone tells others what is not true.
roles communicator=leader,person,org,media|2 recipient=group,press,governmentbody topic=topic place=place
communicator > recipient(to): lie/lied/lied/lying
nouns lies to; false testimony to; lies before
communicator > recipient: mislead/misled/misled; deceive; fool; dupe; trick; deliberately misinform
nouns deception of; false statement to; hoax against

# contact.discuss-media: Someone speaks in an interview or on the air.
roles communicator=leader,person,culprit recipient=press,media topic=topic|2 place=place
communicator > recipient(to): speak/spoke/spoken; talk; confess/confessed/confessed
nouns interview with; conversation with; statement to; remarks to
at topic=about {}|on {}|over {}

# transaction.transfer-control: The control of a place or a firm passes to somebody else.
roles giver=country,militia,org recipient=militia,army,leader,country territory=territory,facility\
 beneficiary=group,army place=region
recipient > territory: take/took/taken control of; gain control of; wrest; assume control of; conquer;\
 overrun/overran/overrun
nouns capture of; control of; takeover of; recapture of; fall of
at giver=from {}|out of the hands of {}
giver > territory: lose/lost/lost; abandon; give/gave/given ~away; turn over; transfer/transferred/transferred
nouns loss of; transfer of; abandonment of
at recipient=to {}

# transaction.loot: Someone takes what belongs to others.
roles recipient=militia,culprit,smuggler giver=group,facility,bank artifact=goods,money,arms place=place
recipient > artifact: steal/stole/stolen; loot; pilfer; embezzle; rob/robbed/robbed; plunder; confiscate
nouns theft of; looting of; robbery of; confiscation of; embezzlement of; plunder of
at giver=from {}

# government.embargo: A country stops trade or money by law.
roles preventer=country,agency recipient=country,org artifact=cargo,arms place=region topic=topic
preventer > recipient: sanction; boycott; blacklist; embargo; penalize
nouns sanctions against; boycott of; embargo against; sanctions on; penalties against
at topic=because of {}|over {}
at artifact=for buying {}|for trading in {}

# government.monitor-election: Someone watches how people vote.
roles inspector=delegation,agency,press inspectedentity=voter,facility|2 place=place ballot=law
inspector > inspectedentity: monitor; observe; supervise; watch; oversee/oversaw/overseen; scrutinize
nouns monitoring of; observation of; supervision of; oversight of
at ballot=in the referendum on {}|in the vote on {}

# movement.grant-entry: Someone lets people in.
roles transporter=country,authority,leader passenger=group,person|2 origin=country destination=country,region
transporter > passenger: admit/admitted/admitted; welcome; let/let/let/letting in; accept; receive; resettle; shelter
nouns admission of; acceptance of; asylum for; resettlement of; entry of; visas for
at destination=to {}|into {}

# movement.fall: A thing falls or is dropped.
roles transporter=army,militia artifact=bomb,cargo,vehicle|2 origin=vehicle,structure destination=place
transporter > artifact: drop/dropped/dropped; jettison; throw/threw/thrown; hurl; lower; parachute; unload
nouns dropping of; fall of; airdropping of; unloading of
at destination=on {}|onto {}|over {}

# artifact.damage: A thing is harmed, but not destroyed.
roles destroyer=militia,army,nature,culprit artifact=facility,structure,vehicle|2 instrument=weapon,bomb place=place
destroyer > artifact: damage; vandalize; deface; sabotage; scratch; batter; cripple; puncture
nouns damage to; vandalism of; sabotage of; defacement of

# life.illness: Someone is ill, poisoned or starves.
roles victim=victims,person,group|2 disease=disease injurer=culprit,agency cause=cause place=place
victim > disease(from): suffer; fall/fell/fallen ill
injurer > victim: poison; starve; sicken; drug/drugged/drugged; contaminate; infect
nouns poisoning of; starvation of; infection of; contamination of

# conflict.yield: A side gives way in a quarrel or a war.
roles surrenderer=country,leader,militia,org recipient=protesters,country,leader,militia topic=topic place=place
surrenderer > recipient(to): give/gave/given in; give/gave/given way; back down; defer/deferred/deferred; concede;\
 make/made/made concessions
nouns concession to; surrender to; submission to; retreat before

# personnel.end-position: Someone's time in an office ends.
roles employee=person,leader placeofemployment=agency,team,org position=position,office place=place
employee > placeofemployment(from): step/stepped/stepped down; resign; retire; bow out; withdraw/withdrew/withdrawn
nouns resignation from; farewell to; retirement from; exit from; departure from
placeofemployment > employee: terminate; discharge; demote; expel/expelled/expelled; force out; impeach
nouns termination of; removal of; impeachment of; expulsion of; discharge of
"""
