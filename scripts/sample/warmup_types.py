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
surrenderer > recipient(to): surrender; yield; capitulate; give/gave/given up; submit/submitted/submitted
nouns surrender to; capitulation to

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
killer > victim: kill; murder; assassinate; massacre; slay/slew/slain; execute; behead; shoot/shot/shot dead
nouns killing of; murder of; massacre of; assassination of; slaying of; slaughter of
victim: die/died/died/dying; perish; drown; lose/lost/lost their lives
nouns death of; drowning of; loss of

# life.injure: Someone is hurt.
roles injurer=militia,authority,culprit victim=victims,person|2 instrument=weapon,bomb,vehicle place=place
injurer > victim: injure; wound; hurt/hurt/hurt; beat/beat/beaten; stab/stabbed/stabbed; maim; burn; torture; maul
nouns beating of; stabbing of; wounding of; injuries to; torture of; maiming of

# justice.arrest: An authority takes someone into custody.
roles jailer=authority,country detainee=culprit,person|2 crime=crime place=place
jailer > detainee: arrest; detain; jail; imprison; capture; seize; apprehend; hold/held/held; lock up; take/took/taken in
nouns arrest of; detention of; imprisonment of; capture of; jailing of; incarceration of

# justice.charge: Someone is accused before a court.
roles prosecutor=prosecutor,country defendant=culprit,person,org|2 crime=crime|2 judgecourt=court place=place
prosecutor > defendant: charge; indict; accuse; prosecute; arraign; sue; try/tried/tried; put/put/put/putting on trial
nouns indictment of; prosecution of; trial of; arraignment of; charges against; lawsuit against; case against
at crime=for {}|over {}|on charges of {}

# justice.convict: A court finds someone guilty or fixes a penalty.
roles judgecourt=court defendant=culprit,person|2 crime=crime penalty=penalty place=place
judgecourt > defendant: convict; sentence; condemn; find/found/found guilty; punish; fine
nouns conviction of; sentencing of; punishment of; verdict against; sentence against
at penalty=with a penalty of {}

# justice.acquit: Someone is cleared, pardoned or set free.
roles judgecourt=court,leader defendant=culprit,person|2 crime=crime place=place
judgecourt > defendant: acquit/acquitted/acquitted; pardon; release; clear; free; exonerate; absolve; parole
nouns acquittal of; pardon of; release of; exoneration of; parole of; amnesty for
at crime=after a case of {}|despite evidence of {}

# justice.extradite: A country hands a suspect over to another one.
roles extraditer=country,authority defendant=culprit,person crime=crime origin=country,city destination=country
extraditer > defendant: extradite; hand over; deport/deported/deported; expel/expelled/expelled; send/sent/sent back
nouns extradition of; deportation of; expulsion of; handover of; rendition of

# justice.investigate: An authority looks into what someone may have done.
roles investigator=authority,agency defendant=culprit,person,org|2 crime=crime place=place
investigator > defendant: investigate; probe; question; interrogate; examine; look into; audit
nouns investigation of; probe of; inquiry into; questioning of; interrogation of; investigation into

# movement.transport-person.carry: Someone takes people from one place to another.
roles transporter=army,org,authority passenger=group,person|2 vehicle=vehicle origin=place destination=place
transporter > passenger: transport; carry; fly/flew/flown; drive/drove/driven; bring/brought/brought; bus; escort; move;\
 transfer/transferred/transferred; take/took/taken; ferry
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
transporter > artifact: ship/shipped/shipped; deliver; send/sent/sent; haul; carry; transport; dispatch; airdrop; bring/brought/brought;\
 convey; launch
nouns shipment of; delivery of; transport of; dispatch of; convoy of; airdrop of; haulage of
at recipient=for {}

# movement.transport-artifact.trade: Goods enter or leave a country.
roles transporter=org,country artifact=cargo,arms|2 origin=country,city destination=country
transporter > artifact: import; export; trade; re-export; source; smuggle
nouns import of; export of; exports of; imports of; trade in; smuggling of

# transaction.buy-sell: Things change hands for money.
roles giver=org,country,person recipient=org,country,person beneficiary=group,country artifact=goods,arms|2 payment=money\
 place=place
recipient > artifact: buy/bought/bought; purchase; acquire; obtain; procure; snap/snapped/snapped up
nouns purchase of; acquisition of; procurement of; takeover of; buyout of
at giver=from {}
giver > artifact: sell/sold/sold; auction; offload; divest; supply; lease
nouns sale of; auction of; lease of; deal for
at recipient=to {}

# transaction.donate: Money or things are given without return.
roles giver=org,country,person|2 recipient=candidate,agency,charity beneficiary=group,country money=money place=place
giver > money: donate; contribute; give/gave/given; pledge; grant; transfer/transferred/transferred; provide; pour
nouns donation of; contribution of; gift of; grant of; aid of; transfer of
giver > recipient: fund; finance; subsidize; support; aid; bankroll; sponsor
nouns funding of; financing of; subsidies for; aid to; support for
at money=with {}

# transaction.lend: Money is lent or paid back.
roles giver=bank,country recipient=org,country,person money=money beneficiary=group place=place
giver > money: lend/lent/lent; loan; advance; extend; disburse
nouns loan of; credit of; bailout of; rescue loan of
recipient > money: borrow; repay/repaid/repaid
nouns borrowing of; repayment of; debt of
at giver=from {}

# transaction.cede: Land or the control of a place passes to somebody else.
roles giver=country,militia recipient=country,army,militia territory=territory|2 beneficiary=group
giver > territory: cede; hand over; surrender; relinquish; give/gave/given up; return
nouns handover of; transfer of; cession of; return of; loss of
at recipient=to {}
recipient > territory: seize; capture; annex; take/took/taken over; occupy; recapture; retake/retook/retaken; conquer
nouns seizure of; capture of; annexation of; occupation of; conquest of; takeover of
at giver=from {}

# personnel.hire: Someone is given a job.
roles placeofemployment=org,agency,team employee=person,staff|2 position=position place=place
placeofemployment > employee: hire; recruit; appoint; employ; engage; sign; name; promote; nominate
nouns hiring of; recruitment of; appointment of; employment of; nomination of; promotion of

# personnel.fire: Someone loses or leaves a job.
roles placeofemployment=org,agency,team employee=person,staff|2 position=position place=place
placeofemployment > employee: fire; dismiss; sack; suspend; lay/laid/laid off; oust; replace; remove
nouns firing of; dismissal of; sacking of; ouster of; suspension of; layoff of
employee > placeofemployment(from): resign; retire; step/stepped/stepped down; quit/quit/quit/quitting; depart
nouns resignation from; retirement from; departure from; exit from

# personnel.elect: Someone is voted into an office.
roles voter=voter candidate=person position=office place=place
voter > candidate: elect; choose/chose/chosen; re-elect; return; select; confirm; vote in
nouns election of; re-election of; victory of; choice of; selection of

# contact.meet: People come together to talk.
roles participant=leader,person,delegation,country|3 topic=topic|2 place=place
participant + participant(with): meet/met/met/meeting; confer/conferred/conferred; negotiate; sit/sat/sat/sitting down; talk;\
 discuss matters; debate; bargain; gather
nouns meeting between; talks between; summit between; negotiations between; discussions between; conference between;\
 debate between
at topic=about {}|on {}|over {}

# contact.correspond: People are in touch by phone, by letter or online.
roles participant=leader,person,org|3 topic=topic place=place
participant + participant(with): correspond; speak/spoke/spoken by phone; communicate; exchange letters; chat/chatted/chatted
nouns phone call between; correspondence between; letters between; e-mails between; conversation between;\
 exchange of messages between
at topic=about {}|on {}

# contact.statement: Someone tells or announces something.
roles communicator=leader,person,agency,org|2 recipient=press,group,leader topic=topic place=place
communicator > topic: announce; reveal; mention; disclose; acknowledge; comment on; confirm; deny; describe; explain; praise
nouns announcement of; statement about; remarks about; comments on; speech about; testimony about; claims about
at recipient=to {}|in front of {}
communicator > recipient: tell/told/told; inform; brief; assure; address; advise; notify; testify to
nouns briefing of; address to; message to; letter to; speech to; report to

# contact.threaten: Someone warns or threatens others.
roles communicator=leader,militia,country recipient=group,country,org topic=sanction,topic place=place
communicator > recipient: threaten; warn; menace; intimidate; blackmail; caution; coerce
nouns threat against; warning to; ultimatum to; intimidation of; threats to
at topic=with {}|over {}

# contact.demand: Someone asks for something.
roles communicator=leader,group,delegation|2 recipient=country,leader,org,agency topic=topic,sanction place=place
communicator > topic: demand; request; insist on; order; call for; plead/pleaded/pleaded for; urge; seek/sought/sought
nouns demand for; request for; call for; appeal for; order for; plea for
at recipient=from {}

# contact.promise: Someone gives their word.
roles communicator=leader,candidate,org recipient=group,country,voter topic=topic place=place
communicator > recipient: promise; assure; reassure; guarantee
nouns promise to; assurance to; guarantee to; pledge to
at topic=on the matter of {}|on {}|over {}
communicator > topic: vow; pledge; promise; offer; commit/committed/committed to
nouns vow of; promise of; offer of; commitment to
at recipient=to {}

# contact.broadcast: Something is published or aired.
roles communicator=media,person,org recipient=audience topic=topic place=place
communicator > topic: broadcast/broadcast/broadcast/broadcasting; publish; report; air; post; tweet about; leak; print; stream
nouns broadcast about; report on; publication about; article about; interview about; leak about; documentary about
at recipient=to {}|for {}

# government.vote: People or a body cast votes.
roles voter=voter,governmentbody|2 candidate=candidate ballot=law result=result place=place
voter > candidate(for): vote; cast/cast/cast/casting ballots; turn out
nouns vote for; ballots for; voting for
voter > ballot: back; reject; endorse; approve; veto; vote down; oppose
nouns referendum on; vote on; rejection of; ballot on

# government.legislate: A body makes, changes or repeals a law.
roles governmentbody=governmentbody law=law|2 territory=country place=city
governmentbody > law: pass; enact; adopt; repeal; amend; ratify; legislate; introduce; abolish; sign
nouns passage of; adoption of; repeal of; enactment of; ratification of; amendment of
at territory=for {}|across {}

# government.agreement: Parties come to an agreement.
roles participant=country,leader,militia,org|3 law=accord place=place beneficiary=group
participant + participant(with): agree on terms; reach a deal; compromise; sign a treaty; settle; make/made/made peace; reconcile
nouns agreement between; deal between; pact between; treaty between; accord between; truce between; contract between
at law=under {}|on the basis of {}

# government.spy: Someone watches others in secret.
roles spy=agency,person,culprit|2 observedentity=leader,country,org,group beneficiary=country,agency place=place
spy > observedentity(on): spy/spied/spied/spying; eavesdrop/eavesdropped/eavesdropped; snoop
nouns espionage against; spying on; surveillance of
spy > observedentity: wiretap/wiretapped/wiretapped; hack; bug/bugged/bugged; shadow; infiltrate
nouns hacking of; wiretapping of; infiltration of; tracking of

# inspection.monitor: Someone checks or observes people, a place or a thing.
roles inspector=agency,authority,delegation inspectedentity=facility,group,vehicle,structure|2 place=place instrument=device
inspector > inspectedentity: inspect; monitor; search; check; observe; survey; visit/visited/visited; scan/scanned/scanned;\
 screen; patrol/patrolled/patrolled
nouns inspection of; monitoring of; search of; check of; observation of; survey of; screening of; tour of

# manufacture.make: Things are made or built.
roles manufacturer=org,country artifact=arms,goods,structure|2 instrument=device place=place
manufacturer > artifact: manufacture; build/built/built; produce; make/made/made; assemble; construct; develop; design; weld
nouns manufacture of; production of; construction of; assembly of; building of; development of

# disaster.fire-explosion: Something burns or explodes by accident.
roles fireexplosionobject=facility,structure,vehicle instrument=cause place=place
fireexplosionobject: explode; catch/caught/caught fire; burn; ignite; blow/blew/blown up; go/went/gone up in flames
nouns explosion of; explosion at; fire at; blaze at; inferno at; burning of
at instrument=because of {}|after {}

# disaster.crash: A vehicle has an accident.
roles driverpassenger=victims,person vehicle=vehicle crashobject=crashobject place=place
vehicle > crashobject(into): crash; plow; slam/slammed/slammed; smash; run/ran/run; ram/rammed/rammed
nouns crash of; collision with; impact with; accident with
at driverpassenger=with {} on board|carrying {}
vehicle: crash; overturn; derail; capsize; sink/sank/sunk; run/ran/run aground; collide
nouns crash of; wreck of; sinking of; accident of; derailment of
at driverpassenger=with {} on board|carrying {}

# disaster.disease: People fall ill.
roles victim=group,victims|2 disease=disease place=place source=cause
disease > victim: infect; sicken; afflict; hit/hit/hit/hitting; strike/struck/struck; plague; affect
nouns outbreak among; epidemic among; spread among; cases among
victim > disease: contract; catch/caught/caught; suffer from; come/came/come down with; develop
nouns outbreak of; epidemic of; infection with; spread of; pandemic of

# movement.prevent-entry: Someone keeps people from getting somewhere.
roles preventer=country,authority,army passenger=group,person|2 transporter=org,smuggler vehicle=vehicle origin=place\
 destination=place
preventer > passenger: block; stop/stopped/stopped; turn back; bar/barred/barred; ban/banned/banned; intercept; refuse; deter/deterred/deterred
nouns blocking of; ban on; interception of; rejection of; exclusion of
at transporter=brought by {}

# movement.prevent-shipment: Someone keeps goods from getting somewhere.
roles preventer=country,authority,militia artifact=cargo,arms|2 transporter=org,smuggler vehicle=vehicle origin=country\
 destination=place
preventer > artifact: block; embargo; confiscate; impound; intercept; halt; hold/held/held up; seize; ban/banned/banned
nouns blockade of; embargo on; seizure of; ban on; confiscation of; interception of
at transporter=sent by {}|shipped by {}

# conflict.demonstrate: People protest in public.
roles demonstrator=group,protesters|2 target=country,org,leader topic=topic place=place
demonstrator > target(against): protest; demonstrate; rally; march; riot; strike/struck/struck; rise/rose/risen up
nouns protest against; demonstration against; march against; rally against; strike against; uprising against
at topic=over {}|in a dispute about {}
demonstrator: take/took/taken to the streets; rally; demonstrate; walk out; riot
nouns protests by; rally of; march of; sit-in by; riot of; strike by

# organization.found: An organisation is started.
roles founder=person,leader,org,country|2 organization=newbody place=place
founder > organization: found; establish; set/set/set/setting up; launch; create; start; form; inaugurate; open
nouns founding of; creation of; launch of; establishment of; opening of; formation of

# organization.close: An organisation ends or joins another one.
roles organization=org,newbody,media closer=leader,country,bank place=place
closer > organization: close; shut/shut/shut/shutting down; dissolve; disband; liquidate; nationalize; merge; ban/banned/banned
nouns closure of; shutdown of; liquidation of; dissolution of; bankruptcy of

# education.teach: Someone is taught or trained.
roles teacher=person,army,agency student=group,army,militia,staff|2 subject=subject place=place
teacher > student: teach/taught/taught; train; instruct; coach; educate; tutor; drill; mentor
nouns training of; education of; teaching of; schooling of; instruction of

# medical.treat: Someone is given medical help.
roles treater=doctor,agency patient=victims,group,person|2 disease=disease instrument=medicine place=place
treater > patient: treat; operate on; vaccinate; cure; nurse; heal; hospitalize; save
nouns treatment of; vaccination of; care for; surgery on; hospitalization of
at disease=for {}|against {}
"""

# Where a type gives no wording for a role.
OBLIQUES = {
    "place": "in {}|in {}|near {}",
    "instrument": "with {}|using {}|by means of {}",
    "origin": "from {}|out of {}",
    "destination": "to {}|to {}|into {}",
    "vehicle": "aboard {}|on {}|in {}",
    "crime": "for {}|over {}|on suspicion of {}|in connection with {}",
    "judgecourt": "before {}|in {}",
    "recipient": "to {}",
    "giver": "from {}",
    "beneficiary": "on behalf of {}|for the benefit of {}|to help {}",
    "payment": "for {}|at a price of {}|in return for {}",
    "money": "worth {}|of {}",
    "position": "as {}",
    "topic": "about {}|over {}",
    "candidate": "in support of {}",
    "ballot": "on {}",
    "result": "with {} as the result|, leading to {},",
    "disease": "with {}",
    "source": "because of {}|through {}",
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
    "source": "what the illness came from",
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
}
