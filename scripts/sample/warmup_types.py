"""Event types of the warm-up corpus: roles with the kinds of their fillers, and the verbs and nouns that tell them.

A block starts with `# type: description`. `roles` lists `role=kind,kind` and, with several fillers, `|most`. Then come
frames: `subject > object: verbs` (an object in the form `role(to)` stands behind that preposition, `a + a(with)` is
mutual, no object makes the verb intransitive), each with a line of nouns, `noun preposition` (`-` without an object),
and where the defaults do not do, a line `at role=preposition {}|...`. A verb is `base/past/participle/ing particle`,
and a regular one its base alone.
"""

from __future__ import annotations

BLOCKS = """
# conflict.attack: Armed violence against people, a place or a thing.
roles attacker=militia,army,country|2 target=facility,group,militia|2 instrument=weapon place=place
attacker > target: attack; strike/struck/struck; storm; raid; shell; ambush; besiege; assault; bombard; invade
nouns attack on; assault on; raid on; offensive against; ambush of; siege of; airstrike against; shelling of
attacker > target(on): open/opened/opened fire; advance
nouns gunfire -; shooting -; violence against; war against

# conflict.bombing: Explosives are set off against people or a place.
roles attacker=militia,culprit|2 target=facility,group instrument=bomb place=place
attacker > target: bomb; blow/blew/blown up; target/targeted/targeted; hit/hit/hit/hitting; blast
nouns bombing of; blast at; suicide bombing at; bomb attack on; detonation at

# conflict.surrender: Someone gives up to an opponent.
roles surrenderer=militia,army,culprit recipient=army,authority,country place=place
surrenderer > recipient(to): surrender; yield; capitulate; give/gave/given up; submit/submitted/submitted; bow; cave\
 in; lay/laid/laid down arms
nouns surrender to; capitulation to; submission to; concessions to

# conflict.retreat: A force leaves a place it held.
roles retreater=militia,army origin=place destination=place
retreater: retreat; withdraw/withdrew/withdrawn; pull out; fall/fell/fallen back; disengage
nouns retreat of; withdrawal of; pullout of; pullback of

# artifact.destroy: A thing or a building is damaged or destroyed.
roles destroyer=militia,army,nature artifact=facility,structure|2 instrument=weapon,bomb place=place
destroyer > artifact: destroy; damage; demolish; wreck; ruin; flatten; level; burn down; raze; tear/tore/torn down
nouns destruction of; demolition of; damage to; devastation of; razing of

# life.die: Someone dies or is killed.
roles victim=victims,person|2 killer=militia,army,culprit instrument=weapon,bomb place=place
killer > victim: kill; murder; assassinate; massacre; slay/slew/slain; gun/gunned/gunned down; poison;\
 shoot/shot/shot ~dead
nouns killing of; murder of; massacre of; assassination of; slaying of; slaughter of
victim: die/died/died/dying; perish; drown; pass/passed/passed away; succumb; bleed/bled/bled to death
nouns death of; drowning of; deaths of; suicide of; demise of
at instrument=in an attack with {}|because of {}

# life.injure: Someone is hurt.
roles injurer=militia,authority,culprit victim=victims,person|2 instrument=weapon,bomb,vehicle place=place
injurer > victim: injure; wound; hurt/hurt/hurt; beat/beat/beaten; stab/stabbed/stabbed; maim; burn; torture; maul
nouns beating of; stabbing of; wounding of; injuries to; torture of; maiming of

# justice.arrest: An authority takes someone into custody.
roles jailer=authority,country detainee=culprit,person|2 crime=crime place=place
jailer > detainee: arrest; detain; jail; imprison; capture; seize; apprehend; hold/held/held; lock up;\
 take/took/taken ~in
nouns arrest of; detention of; imprisonment of; capture of; jailing of; incarceration of

# justice.charge: Someone is accused before a court.
roles prosecutor=prosecutor,country defendant=culprit,person,org|2 crime=crime|2 judgecourt=court place=place
prosecutor > defendant: charge; indict; accuse; prosecute; arraign; sue; try/tried/tried; put/put/put/putting ~on\
 trial
nouns indictment of; prosecution of; trial of; arraignment of; charges against; lawsuit against; case against
at crime=for {}|over {}|on charges of {}

# justice.convict: A court finds someone guilty or fixes a penalty.
roles judgecourt=court defendant=culprit,person|2 crime=crime penalty=penalty place=place
judgecourt > defendant: convict; sentence; condemn; find/found/found ~guilty; punish; fine
nouns conviction of; sentencing of; punishment of; verdict against; sentence against
at penalty=with a sentence of {}

# justice.acquit: Someone is cleared, pardoned or set free.
roles judgecourt=court,leader defendant=culprit,person|2 crime=crime place=place
judgecourt > defendant: acquit/acquitted/acquitted; pardon; release; clear; free; exonerate; absolve; parole
nouns acquittal of; pardon of; release of; exoneration of; parole of; amnesty for
at crime=after a case of {}|despite evidence of {}

# justice.extradite: A country hands a suspect over to another one.
roles extraditer=country,authority defendant=culprit,person crime=crime origin=country,city destination=country
extraditer > defendant: extradite; hand over; deport/deported/deported; expel/expelled/expelled; send/sent/sent ~back
nouns extradition of; deportation of; expulsion of; handover of; rendition of

# justice.investigate: An authority looks into what someone may have done.
roles investigator=authority,agency defendant=culprit,person,org|2 crime=crime place=place
investigator > defendant: investigate; probe; question; interrogate; examine; look into; audit
nouns investigation of; probe of; inquiry into; questioning of; interrogation of; investigation into

# movement.transport-person.carry: Someone takes people from one place to another.
roles transporter=army,org,authority passenger=group,person|2 vehicle=vehicle origin=place destination=place
transporter > passenger: transport; carry; fly/flew/flown; drive/drove/driven; bring/brought/brought; bus; escort;\
 move; transfer/transferred/transferred; take/took/taken; ferry
nouns transport of; transfer of; deployment of; airlift of; relocation of; resettlement of

# movement.transport-person.evacuate: People are taken out of danger.
roles transporter=army,authority,agency passenger=group,victims|2 vehicle=vehicle origin=place destination=place
transporter > passenger: evacuate; rescue; pull out; airlift; clear; move out
nouns evacuation of; rescue of; removal of; airlifting of

# movement.transport-person.flee: People leave or travel by their own will.
roles transporter=group,person|2 vehicle=vehicle origin=place destination=place
transporter: flee/fled/fled/fleeing; travel; escape; migrate; go/went/gone; arrive; move; march; journey; return; walk
nouns flight of; journey of; exodus of; arrival of; trip of; departure of; return of; escape of; migration of
at destination=to {}|towards {}|for {}

# movement.transport-person.smuggle: People are brought over a border in secret.
roles transporter=smuggler,culprit passenger=group|2 vehicle=vehicle origin=place destination=place
transporter > passenger: smuggle; traffic/trafficked/trafficked/trafficking; sneak; slip/slipped/slipped; spirit
nouns smuggling of; trafficking of
at destination=to {}|into {}

# movement.transport-artifact.ship: Goods are sent or carried somewhere.
roles transporter=org,army,agency artifact=cargo|2 vehicle=vehicle origin=place destination=place recipient=group,army
transporter > artifact: ship/shipped/shipped; deliver; send/sent/sent; haul; carry; transport; dispatch; airdrop;\
 bring/brought/brought; convey; launch
nouns shipment of; delivery of; transport of; dispatch of; convoy of; airdrop of; haulage of
at recipient=for {}

# movement.transport-artifact.trade: Goods enter or leave a country.
roles transporter=org,country artifact=cargo,arms|2 origin=country,city destination=country
transporter > artifact: import; export; trade; re-export; source; smuggle
nouns import of; export of; exports of; imports of; trade in; smuggling of

# movement.prevent-entry: Someone keeps people from getting somewhere.
roles preventer=country,authority,army passenger=group,person|2 transporter=org,smuggler vehicle=vehicle\
 origin=place destination=place
preventer > passenger: block; stop/stopped/stopped; turn back; bar/barred/barred; ban/banned/banned; intercept;\
 refuse; deter/deterred/deterred
nouns blocking of; ban on; interception of; rejection of; exclusion of
at transporter=brought by {}

# movement.prevent-shipment: Someone keeps goods from getting somewhere.
roles preventer=country,authority,militia artifact=cargo,arms|2 transporter=org,smuggler vehicle=vehicle\
 origin=country destination=place
preventer > artifact: block; embargo; confiscate; impound; intercept; halt; hold/held/held up; seize;\
 ban/banned/banned
nouns blockade of; embargo on; seizure of; ban on; confiscation of; interception of
at transporter=sent by {}|shipped by {}

# conflict.demonstrate: People protest in public.
roles demonstrator=group,protesters|2 target=country,org,leader topic=topic place=place
demonstrator > target(against): protest; demonstrate; rally; march; riot; strike/struck/struck; rise/rose/risen up
nouns protest against; demonstration against; march against; rally against; strike against; uprising against
at topic=over {}|in a dispute about {}
demonstrator: take/took/taken to the streets; rally; demonstrate; walk out; riot
nouns protests by; rally of; march of; sit-in by; riot of; strike by

# justice.execute: A death sentence is carried out, lawful or not.
roles executioner=country,authority,militia deceased=culprit,person,victims|2 crime=crime place=place
executioner > deceased: execute; behead; hang; put/put/put/putting ~to death; crucify; lynch; stone; electrocute
nouns execution of; beheading of; hanging of; lynching of; stoning of

# life.marry: Two people become husband and wife.
roles spouse=person,leader|2 place=place
spouse + spouse(with): tie/tied/tied/tying the knot; exchange vows; elope; get/got/got/getting married; celebrate\
 their wedding
nouns wedding between; marriage between; engagement between; union between; marriage of; wedding of; nuptials of

# movement.hide: Someone puts a thing or people where nobody should find them.
roles transporter=culprit,militia,smuggler artifact=cargo,arms,goods|2 hidingplace=hidingplace place=place
transporter > artifact: hide/hid/hidden; conceal; bury; stash; tuck away; store; camouflage; cover up
nouns hiding of; concealment of; stash of; cache of; storage of
at hidingplace=in {}|inside {}

# conflict.revolt: People try to bring down those in power.
roles rebel=militia,army,group|2 target=leader,country,governmentbody instrument=weapon place=place
rebel > target: overthrow/overthrew/overthrown; topple; depose; bring/brought/brought down; unseat
nouns coup against; uprising against; revolt against; overthrow of; rebellion against; mutiny against; toppling of
rebel > target(against): revolt; rebel/rebelled/rebelled; rise/rose/risen; mutiny; conspire; plot/plotted/plotted
nouns insurgency against; plot against; conspiracy against
"""
