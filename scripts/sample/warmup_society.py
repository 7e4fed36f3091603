"""More event types of the warm-up corpus, in the notation of `warmup_types`: deals, jobs, talks, states."""

from __future__ import annotations

BLOCKS = """
# transaction.buy-sell: Things change hands for money.
roles giver=org,country,person recipient=org,country,person beneficiary=group,country artifact=goods,arms|2\
 payment=money place=place
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
participant + participant(with): meet/met/met/meeting; confer/conferred/conferred; negotiate; sit/sat/sat/sitting\
 down; talk; discuss matters; debate; bargain; gather
nouns meeting between; talks between; summit between; negotiations between; discussions between; conference between;\
 debate between
at topic=about {}|on {}|over {}

# contact.correspond: People are in touch by phone, by letter or online.
roles participant=leader,person,org|3 topic=topic place=place
participant + participant(with): correspond; speak/spoke/spoken by phone; communicate; exchange letters;\
 chat/chatted/chatted
nouns phone call between; correspondence between; letters between; e-mails between; conversation between; exchange\
 of messages between
at topic=about {}|on {}

# contact.statement: Someone tells or announces something.
roles communicator=leader,person,agency,org|2 recipient=press,group,leader topic=topic place=place
communicator > topic: announce; reveal; mention; disclose; acknowledge; comment on; confirm; deny; describe;\
 explain; praise
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
communicator > topic: demand; request; insist on; order; call for; plead/pleaded/pleaded for; press for;\
 seek/sought/sought
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
communicator > topic: broadcast/broadcast/broadcast/broadcasting; publish; report; air; post; tweet about; leak;\
 print; stream
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
governmentbody > law: pass; enact; adopt; repeal; amend; ratify; approve; introduce; abolish; sign
nouns passage of; adoption of; repeal of; enactment of; ratification of; amendment of
at territory=for {}|across {}

# government.agreement: Parties come to an agreement.
roles participant=country,leader,militia,org|3 law=accord place=place beneficiary=group
participant + participant(with): agree on terms; reach a deal; compromise; sign a treaty; settle; make/made/made\
 peace; reconcile
nouns agreement between; deal between; pact between; treaty between; accord between; truce between; contract between
at law=under {}|on the basis of {}

# government.spy: Someone watches others in secret.
roles spy=agency,person,culprit|2 observedentity=leader,country,org,group beneficiary=country,agency place=place
spy > observedentity(on): spy/spied/spied/spying; eavesdrop/eavesdropped/eavesdropped; snoop
nouns espionage against; spying on; surveillance of
spy > observedentity: wiretap/wiretapped/wiretapped; hack; bug/bugged/bugged; shadow; infiltrate
nouns hacking of; wiretapping of; infiltration of; tracking of

# inspection.monitor: Someone checks or observes people, a place or a thing.
roles inspector=agency,authority,delegation inspectedentity=facility,group,vehicle,structure|2 place=place\
 instrument=device
inspector > inspectedentity: inspect; monitor; search; check; observe; survey; visit/visited/visited;\
 scan/scanned/scanned; screen; patrol/patrolled/patrolled
nouns inspection of; monitoring of; search of; check of; observation of; survey of; screening of; tour of

# manufacture.make: Things are made or built.
roles manufacturer=org,country artifact=arms,products,structure|2 instrument=tool place=place
manufacturer > artifact: manufacture; build/built/built; produce; make/made/made; assemble; construct; develop;\
 design; weld
nouns manufacture of; production of; construction of; assembly of; building of; development of

# disaster.fire-explosion: Something burns or explodes by accident.
roles fireexplosionobject=facility,structure,vehicle instrument=cause place=place
fireexplosionobject: explode; catch/caught/caught fire; burn; ignite; blow/blew/blown up; go/went/gone up in flames
nouns explosion of; explosion at; fire at; blaze at; inferno at; burning of
at instrument=because of {}|after {}

# disaster.crash: A vehicle has an accident.
roles driverpassenger=victims,person vehicle=vehicle crashobject=crashobject place=place
vehicle > crashobject(into): crash; plow; slam/slammed/slammed; smash; run/ran/run/running; ram/rammed/rammed
nouns crash of; collision with; impact with; accident with
at driverpassenger=with {} on board|carrying {}
vehicle: crash; overturn; derail; capsize; sink/sank/sunk; run/ran/run/running aground; collide
nouns crash of; wreck of; sinking of; accident of; derailment of
at driverpassenger=with {} on board|carrying {}

# disaster.disease: People fall ill.
roles victim=group,victims|2 disease=disease place=place cause=cause
disease > victim: infect; sicken; afflict; hit/hit/hit/hitting; strike/struck/struck; plague; affect
nouns outbreak among; epidemic among; spread among; cases among
victim > disease: contract; catch/caught/caught; suffer from; come/came/come down with; develop
nouns outbreak of; epidemic of; infection with; spread of; pandemic of

# organization.found: An organisation is started.
roles founder=person,leader,org,country|2 organization=newbody place=place
founder > organization: found; establish; set/set/set/setting up; launch; create; start; form; inaugurate; open
nouns founding of; creation of; launch of; establishment of; opening of; formation of

# organization.close: An organisation ends or joins another one.
roles organization=org,newbody,media closer=leader,country,bank place=place
closer > organization: close; shut/shut/shut/shutting down; dissolve; disband; liquidate; nationalize; merge;\
 ban/banned/banned
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

# government.violate: Someone breaks a law or an agreement.
roles violator=country,militia,org,leader law=accord,law otherparticipant=country,agency place=place
violator > law: violate; break/broke/broken; breach; flout; ignore; undermine; abandon; disregard; circumvent
nouns violation of; breach of; infringement of; violations of; disregard of
at otherparticipant=with {}

# award.honour: Someone receives a prize.
roles awarder=agency,leader,charity,org honoree=person,group|2 award=award place=place
awarder > honoree: honour; award; reward; decorate; celebrate; knight
nouns honouring of; award for; tribute to; recognition of
at award=with {}
honoree > award: receive; win/won/won/winning; accept; earn; collect
nouns awarding of; presentation of
at awarder=from {}

# contest.win: Someone beats others in a contest.
roles winner=person,athletes|2 loser=person,athletes|2 contest=contest place=place
winner > loser: beat/beat/beaten; defeat; outplay; overcome/overcame/overcome; edge out; trounce; knock out; thrash
nouns victory over; win over; triumph over; defeat of
at contest=in {}|to win {}

# transaction.invest: Someone puts money into an enterprise.
roles investor=org,bank,country|2 enterprise=newbody,org,media money=money place=place
investor > enterprise(in): invest; put/put/put/putting money; buy/bought/bought shares; pump money
nouns investment in; stake in; funding for; investments in; capital for
at money=at a cost of {}|to the tune of {}

# science.discover: Someone finds out something or finds something.
roles discoverer=scientists,person,agency|2 finding=finding|2 instrument=device place=place
discoverer > finding: discover; find/found/found; uncover; identify; detect; locate; spot/spotted/spotted; unearth
nouns discovery of; finding of; detection of; identification of
"""
