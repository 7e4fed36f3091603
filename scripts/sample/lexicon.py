"""Words of the sample corpus, one lexicon a part: train, dev and test share no name, place, organisation or trigger.

Entries are separated by `;`. A leading article is not part of an argument's span; a trailing `*` marks a plural and a
trailing `@` people, who are "who" and not "which" (`@*` is both). Everything was made up for this corpus; the
cities exist, what happens in them does not.
"""

from __future__ import annotations

KINDS: dict[str, dict[str, str]] = {
    "train": {
        "first": "Anna;Peter;Maria;Karim;Helen;Ivan;Lucia;Omar;Grace;Viktor;Nadia;Thomas;Elena;David;Fatima;Jonas",
        "last": "Novak;Keller;Okafor;Lindgren;Marsh;Petrov;Santos;Hughes;Yilmaz;Brandt;Moreau;Sato;Rahman;Costa;Haddad",
        "city": "Turin;Leeds;Gdansk;Porto;Basel;Ankara;Lima;Malmo;Nairobi;Lyon;Odessa;Tampa;Bogota;Cork;Hanoi;"
        "Perth;Riga;"
        "Accra;Denver;Seville;Osaka;Lagos;Quito;Halifax;San Delmo;Port Elmer",
        "brand": "Harvik;Northgate;Solano;Bluewater;Orbis;Kestrel;Tasman;Meridian;Alder;Corvus;Delmar;Sunfield;"
        "Vantor;Tilbury",
        "suffix": "Foods;Energy;Motors;Group;Media;Bank;Airlines",
        "day": "Monday;Tuesday;Wednesday",
        "month": "January;March;June;August",
        "militia": "rebels@*;armed men@*;masked gunmen@*;the Northern Front;a separatist militia;government troops@*;"
        "the Red Dawn movement;three deserters@*;a local gang",
        "facility": "a police station;an army convoy;the central market;two oil tankers*;a radio mast;the town hall;"
        "a border post;several patrol boats*;an ammunition store;the airport terminal;a group of soldiers@;"
        "aid workers@*",
        "weapon": "rockets*;a car bomb;petrol bombs*;two mortars*;automatic rifles*;a stolen tank;small drones*;"
        "hand grenades*",
        "authority": "police@*;border guards@*;the coast guard;customs officers@*;federal agents@*;military police@*",
        "culprit": "two smugglers@*;a former banker@;an army colonel@;five students@*;a hotel owner@;"
        "three pickpockets@*",
        "crime": "tax fraud;arson;illegal fishing;bribery;car theft;forging passports;insider trading;drug trafficking;"
        "pickpocketing;cattle rustling;ticket fraud;murder;selling fake medicine;blackmail;art theft",
        "cargo": "40 tons of rice*;stranded tourists@*;medical supplies*;a rare elephant;300 cattle*;steel pipes*;"
        "wounded soldiers@*;antique furniture;fresh oranges*;a giant telescope",
        "vehicle": "a freight train;an old ferry;two river barges*;a cargo plane;a convoy of trucks;a hospital ship;"
        "a steamboat;three helicopters*;a tanker;a bulk carrier;"
        "two snowmobiles*;a sleeper train;a pair of trucks;an airship;a minibus",
        "goods": "a paper mill;two hotels*;a fleet of tractors;a copper mine;12 passenger jets*;the brewery;"
        "a chain of bakeries;"
        "a vineyard;60 electric buses*;a cinema;an old lighthouse;several tramlines*",
        "elector": "shareholders@*;party members@*;the city council;dock workers@*;the student council;delegates@*;"
        "voters@*;the upper house;cooperative members@*;students@*;the ruling committee",
        "office": "mayor;party leader;chair of the union;regional governor;head of the board;club president;"
        "vice president;justice minister;town clerk;chancellor;ambassador;"
        "state senator;rector of the university;secretary of the league;deputy chair",
        "position": "finance director;head coach;chief engineer;senior editor;night manager;"
        "director of research;press officer;"
        "stage manager;tax adviser;chief pharmacist;goalkeeper;sales agent;museum curator;"
        "head of security;school principal;web designer;deputy editor;chief accountant",
        "delegation": "union leaders@*;the foreign minister@;fishing crews@*;a group of bankers@;army commanders@*;"
        "the finance minister@;two archbishops@*;teachers@*;"
        "the trade minister@;taxi drivers@*;tribal chiefs@*;a delegation of farmers@;surgeons@*;naval cadets@*",
        "topic": "a new fishing treaty;border security;higher wages*;the closure of the airport;grain exports*;"
        "water rights*;"
        "a prisoner exchange;fuel prices*;"
        "school meals*;a free trade zone;the cost of bread;bus fares*;a research pact;"
        "the border dispute;debt relief;working hours*;a joint space mission",
        "charity": "a children's hospital;local schools*;an animal shelter;a refugee camp;the city museum;"
        "earthquake victims@*;"
        "a home for veterans;two food banks*;"
        "a village orchestra;the art school;a hospice;"
        "refugee families@*;a monastery;rural clinics*;a theatre for the deaf",
        "aid": "800 blankets*;two ambulances*;a rare painting;20 computers*;a piano;warm clothes*;a plot of land",
        "purpose": "cancer research;a new library;flood relief;music lessons*;a swimming pool;repairs to the roof*;"
        "a football pitch;famine relief;new beehives*;dance classes*;asthma research;school books*",
        "group": "residents@*;former employees@*;a fishing cooperative;two tenants@*;a farmer@;the teachers' union",
        "complaint": "unpaid wages*;a leaking dam;patent theft;false advertising;a broken contract;"
        "polluted wells*;late refunds*;"
        "a fallen crane;stolen recipes*;delayed trains*;asbestos;low pensions*;overcharging",
        "court": "a district court;the labour court;a military tribunal;the supreme court;an arbitration panel;"
        "a civil court;the court of appeal;a jury;a village council;the patent tribunal",
        "structure": "a footbridge;two wind farms*;a concert hall;an underground garage;a sea wall;"
        "three apartment blocks*;"
        "a railway station;a cable car;the football stadium;an indoor market",
    },
    "dev": {
        "first": "Laura;Henrik;Amina;Robert;Sofia;Dimitri;Julia;Hassan;Ruth;Marco",
        "last": "Fischer;Adeyemi;Larsson;Pereira;Walsh;Ivanov;Demir;Tanaka;Barbieri;Ferrer",
        "city": "Vienna;Bristol;Izmir;Montreal;Dakar;Krakow;Genoa;Adelaide;Tunis;Bergen;Manila;Omaha;Saint Orland",
        "brand": "Rivermark;Lunara;Castor;Greystone;Pelagia;Vireo;Ashford;Monteq;Oakhurst",
        "suffix": "Industries;Chemicals;Insurance;Logistics",
        "day": "Thursday;Sunday",
        "month": "February;July;September",
        "militia": "militants@*;paramilitaries@*;the Southern Column;a drug cartel;mercenaries@*;two snipers@*",
        "facility": "a courthouse;the power station;an embassy;three fishing boats*;a checkpoint;a radio studio;"
        "a post office",
        "weapon": "explosives*;machine guns*;a homemade bomb;howitzers*;gas canisters*",
        "authority": "detectives@*;the harbour police@*;tax inspectors@*;the national guard",
        "culprit": "four poachers@*;a retired judge@;a shop manager@;two hackers@*",
        "crime": "money laundering;burglary;spying;vandalism;perjury",
        "cargo": "60 tons of timber*;school groups@*;frozen fish;two rhinos*;spare parts*;evacuated patients@*",
        "vehicle": "a mail plane;two minibuses*;a night train;a rescue boat",
        "goods": "a printing plant;three warehouses*;a ski resort;a football club;400 bicycles*;the old observatory",
        "elector": "board members@*;the regional parliament;miners@*;club members@*",
        "office": "speaker;general secretary;deputy mayor;head of the league",
        "position": "sales manager;chief pilot;head gardener;legal adviser;art director",
        "delegation": "trade envoys@*;the defence minister@;nurses@*;a group of lawyers@;village elders@*",
        "topic": "a ceasefire;tariffs on steel*;pension rules*;a gas pipeline;refugee quotas*",
        "charity": "a maternity clinic;two orphanages*;a youth club;the botanical garden;a homeless shelter",
        "aid": "60 tents*;a school bus;500 books*;three violins*;a water pump",
        "purpose": "malaria vaccines*;a playground;bird protection;evening classes*",
        "group": "parents@*;two pensioners@*;a housing association;a beekeeper@",
        "complaint": "noise at night;faulty brakes*;a data leak;copied designs*;unsafe toys*",
        "court": "an appeals court;the family court;a town magistrate;the maritime court",
        "structure": "a water tower;two tennis courts*;a tunnel;a bus depot;a lighthouse;the opera house",
    },
    "test": {
        "first": "Emma;Carlos;Leila;Martin;Olga;Kwame;Ingrid;Tariq;Alice;Stefan;Rosa;George;Yusuf;Marta",
        "last": "Hartmann;Mensah;Eriksen;Castillo;Aziz;Popescu;Dawson;Lehtinen;Ramos;Kowalski;Fontaine;Nakamura;"
        "Schreiber",
        "city": "Zagreb;Dresden;Valencia;Kampala;Glasgow;Busan;Tbilisi;Marseille;Santiago;Oslo;Karachi;Calgary;Antwerp;"
        "Cordoba;Lusaka;Wellington;Fort Ainsley;New Corven",
        "brand": "Falkner;Seabright;Quantis;Ironwood;Novaria;Halden;Zephyr;Crestline;Umbra;Terravia;Lindale;Brightwell",
        "suffix": "Holdings;Textiles;Pharma;Shipping;Systems;Robotics",
        "day": "Friday;Saturday",
        "month": "April;October;November;December",
        "militia": "insurgents@*;the Eastern Brigade;hooded youths@*;a border gang;pirates@*;the Black Falcon network;"
        "loyalist fighters@*",
        "facility": "a prison;a supply column;the main bus station;three trawlers*;a television tower;a customs office;"
        "the presidential palace;two cargo depots*;election observers@*;an artillery position",
        "weapon": "missiles*;a truck bomb;knives and clubs*;armed speedboats*;stun grenades*;a captured helicopter",
        "authority": "prosecutors@*;the river police@*;counterterrorism officers@*;game wardens@*;the highway patrol",
        "culprit": "three counterfeiters@*;a retired general@;a nightclub owner@;two cyclists@*;a museum guard@",
        "crime": "embezzlement;kidnapping;jewel theft;ivory smuggling;extortion;falsifying records",
        "cargo": "90 tons of wheat*;injured climbers@*;mobile clinics*;two polar bears*;copper wire;stained glass;"
        "diplomats@*;70 horses*",
        "vehicle": "an icebreaker;two sailing ships*;a chartered jet;a fleet of vans;a cable ferry",
        "goods": "a sugar refinery;two newspapers*;a gold mine;eight helicopters*;a chain of pharmacies;"
        "the old theatre;"
        "a golf course;90 delivery vans*;a dairy farm",
        "elector": "trade unionists@*;the national congress;academy members@*;villagers@*;the governing council",
        "office": "prime minister;national treasurer;dean of the faculty;council chairwoman;captain",
        "position": "marketing director;goalkeeping coach;head chef;chief economist;company doctor;technical adviser",
        "delegation": "truck drivers@*;the interior minister@;tribal leaders@*;a team of scientists@;"
        "hospital doctors@*;"
        "the central banker@;naval officers@*",
        "topic": "a peace accord;visa rules*;nuclear safety;the price of milk;a ferry link;election reform;"
        "overtime pay",
        "charity": "a cancer clinic;rural libraries*;a women's shelter;the national orchestra;flood victims@*;"
        "a school for the blind;two monasteries*",
        "aid": "600 mattresses*;a fire engine;40 microscopes*;a bronze statue;winter boots*;a grand organ",
        "purpose": "malaria research;a sports hall;drought relief;reading courses*;new beds*",
        "group": "homeowners@*;retired miners@*;two architects@*;a consumer association;an inventor@",
        "complaint": "a collapsed roof;hidden fees*;trademark abuse;toxic waste;cancelled flights*;missing pensions*",
        "court": "a county court;the constitutional court;a commercial tribunal;the high court;a grand jury",
        "structure": "a suspension bridge;two solar parks*;a science museum;an ice rink;a flood barrier;"
        "four nursing homes*;"
        "a metro line;the new harbour",
    },
}

# One entry is `past participle noun:preposition`; `-` stands for a noun that is not in use.
TRIGGERS: dict[str, dict[str, str]] = {
    "train": {
        "attack": "attacked attacked attack:on;bombed bombed bombing:of;shelled shelled shelling:of;"
        "stormed stormed storming:of",
        "arrest": "arrested arrested arrest:of;detained detained detention:of",
        "transport": "carried carried -;transported transported transport:of;hauled hauled -;brought brought -",
        "buy": "bought bought -;purchased purchased purchase:of",
        "sell": "sold sold sale:of",
        "elect": "elected elected election:of;chose chosen choice:of",
        "hire": "hired hired hiring:of;recruited recruited recruitment:of",
        "meet": "met met meeting:between;conferred conferred conference:between",
        "donate": "donated donated donation:of;contributed contributed contribution:of",
        "sue": "sued sued lawsuit:against;accused accused accusation:against",
        "build": "built built -;constructed constructed construction:of;erected erected erection:of",
    },
    "dev": {
        "attack": "assaulted assaulted assault:on;torched torched torching:of",
        "arrest": "nabbed nabbed -;jailed jailed jailing:of",
        "transport": "ferried ferried -;transferred transferred transfer:of",
        "buy": "procured procured procurement:of",
        "sell": "auctioned auctioned auctioning:of",
        "elect": "picked picked -;nominated nominated nomination:of",
        "hire": "engaged engaged engagement:of",
        "meet": "consulted consulted consultation:between",
        "donate": "presented presented presentation:of",
        "sue": "summoned summoned -",
        "build": "assembled assembled assembly:of",
    },
    "test": {
        "attack": "raided raided raid:on;ambushed ambushed ambush:of;besieged besieged siege:of",
        "arrest": "apprehended apprehended apprehension:of;seized seized seizure:of",
        "transport": "delivered delivered delivery:of;conveyed conveyed -;moved moved -",
        "buy": "acquired acquired acquisition:of;obtained obtained -",
        "sell": "offloaded offloaded offloading:of;divested divested divestment:of",
        "elect": "selected selected selection:of;named named naming:of",
        "hire": "appointed appointed appointment:of;enlisted enlisted enlistment:of",
        "meet": "negotiated negotiated negotiation:between;talked talked -",
        "donate": "pledged pledged pledge:of;granted granted granting:of",
        "sue": "prosecuted prosecuted prosecution:of;challenged challenged challenge:to",
        "build": "developed developed development:of;completed completed completion:of",
    },
}

# What people and companies are called beside their names; common nouns, the same in every part.
PROFESSIONS = (
    "a lawyer",
    "a teacher",
    "an economist",
    "a local reporter",
    "a historian",
    "an actor",
    "a surgeon",
    "a trade expert",
)
BUSINESSES = ("a retailer", "an insurer", "a family business", "a conglomerate", "an engineering firm", "a start-up")
