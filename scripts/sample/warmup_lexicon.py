"""Words of the warm-up corpus, in the notation of `lexicon`.

An entry may hold parts to fill in: `<nat>` is an adjective of nationality, `<num>` a number, `<city>` and `<country>`
are names. What stands before `^` is no part of the span.
"""

from __future__ import annotations

COUNTRIES = (
    "Syria/Syrian;Iraq/Iraqi;Russia/Russian;Ukraine/Ukrainian;China/Chinese;Iran/Iranian;Israel/Israeli;"
    "Egypt/Egyptian;Turkey/Turkish;France/French;Germany/German;Britain/British;Mexico/Mexican;Brazil/Brazilian;"
    "Colombia/Colombian;Nigeria/Nigerian;Kenya/Kenyan;Somalia/Somali;Sudan/Sudanese;Yemen/Yemeni;Libya/Libyan;"
    "Lebanon/Lebanese;Jordan/Jordanian;Saudi Arabia/Saudi;India/Indian;Pakistan/Pakistani;Japan/Japanese;"
    "South Korea/South Korean;North Korea/North Korean;Vietnam/Vietnamese;Cuba/Cuban;Canada/Canadian;"
    "Poland/Polish;Hungary/Hungarian;Greece/Greek;Italy/Italian;Spain/Spanish;Venezuela/Venezuelan;"
    "Myanmar/Burmese;Ethiopia/Ethiopian;Georgia/Georgian;Serbia/Serbian;Afghanistan/Afghan;Haiti/Haitian;"
    "Peru/Peruvian;the Philippines/Filipino;the United States/American;Qatar/Qatari;Mali/Malian"
)

NAMES = {
    "he": "Adam;Ahmed;Andrei;Bashir;Boris;Carlos;Daniel;Dmitry;Emeka;Farid;Felipe;George;Hamid;Hiroshi;Igor;Ismail;"
    "James;Jorge;Karl;Khalid;Liam;Luis;Mark;Mehmet;Michael;Miguel;Mikhail;Musa;Nikolai;Oleg;Pavel;Rajiv;"
    "Richard;Samir;"
    "Steven;Tomas;Viktor;Walid;Wei;William;Yuri",
    "she": "Aisha;Alicia;Amal;Angela;Carmen;Catherine;Diana;Emily;Esther;Farah;Hana;Irina;Jane;Karen;Layla;Linda;"
    "Mariam;Megan;Mei;Natalia;Noor;Olivia;Priya;Rachel;Samira;Sarah;Svetlana;Teresa;Yasmin;Zoe",
    "last": "Abbas;Aguilar;Bakr;Barnes;Becker;Cho;Clarke;Diaz;Dlamini;Farouk;Fedorov;Fernandez;Ganz;Garcia;Gupta;"
    "Hakimi;Hansen;Horvat;Hussein;Ibrahim;Jackson;Jansen;Kaya;Khan;Kim;Kravchenko;Lavrov;Lee;Leone;Lopez;"
    "Mahmoud;Meyer;"
    "Mitchell;Morales;Mwangi;Nasser;Nguyen;Obi;Orlov;Osman;Park;Perez;Price;Qureshi;Reyes;Romero;Salazar;"
    "Saleh;Schmidt;"
    "Shevchenko;Singh;Smirnov;Sokolov;Taylor;Tran;Volkov;Wagner;Wang;Weber;Wright;Yusuf;Zhang;Ziegler",
}

TITLES = "President;Prime Minister;Senator;Gen.;Dr.;Col.;Sen.;Gov.;Judge;Secretary;Mayor;Ambassador;Minister;Prof."
ROLES_BEFORE = (
    "opposition leader;the <nat> foreign minister;the <nat> business leader;former adviser;the journalist;"
    "the 34-year-old"
    ";activist;the <nat> diplomat;the former minister;the local teacher;the <nat> lawmaker;the billionaire"
)

CITIES = (
    "Aleppo;Homs;Raqqa;Mosul;Baghdad;Damascus;Beirut;Tripoli;Benghazi;Cairo;Sanaa;Aden;Kabul;Kandahar;Tehran;"
    "Istanbul;"
    "Ankara;Moscow;Kyiv;Donetsk;Kharkiv;Minsk;Warsaw;Berlin;Munich;Paris;Nice;Brussels;London;Manchester;Madrid;Rome;"
    "Athens;Budapest;Belgrade;Sarajevo;Geneva;New York;Boston;Chicago;Miami;Houston;Baltimore;Dallas;"
    "Washington;Orlando;"
    "Havana;Caracas;Bogota;Lima;Rio;Lagos;Abuja;Nairobi;Mogadishu;Khartoum;Juba;Kinshasa;Bamako;Tunis;Karachi;Lahore;"
    "Delhi;Mumbai;Dhaka;Yangon;Bangkok;Hanoi;Manila;Jakarta;Beijing;Shanghai;Seoul;Pyongyang;Tokyo;Sydney"
)

KINDS: dict[str, str] = {
    "city": CITIES,
    "region": "the eastern province;the border region;the coastal district;the northern suburbs*;"
    "the old town;a village;"
    "the southern valley;a refugee camp;the desert;the disputed peninsula;the airport;the harbour;a nearby island",
    "militia": "the rebels@*;<nat> rebels@*;Islamist militants@*;masked gunmen@*;<num> gunmen@*;the insurgents@*;"
    "a separatist militia;the Taliban@*;a drug cartel;an armed gang;<nat> separatists@*;the extremist group;"
    "pirates@*;"
    "loyalist fighters@*;a lone gunman@;jihadists@*;<nat> terrorists@*;the Shield Brigade;the guerrillas@*;"
    "mercenaries@*",
    "army": "the <nat> army;<nat> troops@*;<nat> forces@*;the <nat> air force;government soldiers@*;"
    "the <nat> military;"
    "coalition forces@*;NATO;the navy;peacekeepers@*;special forces@*;<nat> warplanes*;the regime;the marines@*;"
    "an armoured brigade",
    "authority": "police@*;the <nat> police@*;federal agents@*;border guards@*;the coast guard;<nat> authorities@*;"
    "security forces@*;customs officials@*;the sheriff@;intelligence officers@*;plainclothes officers@*;the FBI;"
    "immigration officers@*;military police@*",
    "agency": "the United Nations;the Red Cross;the CIA;the World Bank;the <nat> government;the foreign ministry;"
    "the interior ministry;a <nat> intelligence agency;the Pentagon;the European Union;UNICEF;"
    "the health ministry;a parliamentary committee;the Olympic committee;an aid agency;the nuclear agency;"
    "the Kremlin",
    "leader": "the <nat> president@;the prime minister@;the <nat> ambassador@;the foreign secretary@;"
    "the opposition@*;"
    "the king@;the chancellor@;the party leader@;the <nat> leader@;White House officials@*;the governor@;the pope@;"
    "the defence minister@;the rebel commander@;the vice president@;the chief executive@",
    "delegation": "<nat> diplomats@*;a <nat> delegation;tribal elders@*;union leaders@*;<num> ministers@*;"
    "lawmakers@*;"
    "<nat> officials@*;UN inspectors@*;rebel commanders@*;European envoys@*;observers@*;business leaders@*",
    "culprit": "a <nat> national@;the suspect@;two brothers@*;a former officer@;<num> suspects@*;a police informant@;"
    "the hacker@;a <nat> banker@;the bomber@;a 23-year-old man@;<num> teenagers@*;the cartel boss@;a suicide bomber@;"
    "the accused@;an army deserter@;a disgraced contractor@;the two men@*;a student@",
    "prosecutor": "prosecutors@*;federal prosecutors@*;the attorney general@;the state;a <nat> prosecutor@;"
    "the justice department;a special counsel@;the victims' families@*;military prosecutors@*",
    "court": "a federal court;the Supreme Court;a <nat> court;a military tribunal;a judge@;the jury;an appeals court;"
    "the International Criminal Court;the magistrate@;a grand jury;a revolutionary court;the constitutional court;"
    "a panel of judges",
    "smuggler": "smugglers@*;human traffickers@*;a <nat> gang;a criminal network;<num> boatmen@*;truck drivers@*",
    "crime": "murder;fraud;treason;corruption;spying;money laundering;perjury;bribery;tax evasion;terrorism;"
    "rape;arson;"
    "war crimes*;drug trafficking;kidnapping;conspiracy;extortion;sexual assault;embezzlement;genocide;manslaughter;"
    "obstruction of justice;illegal campaign donations*;robbery;leaking secrets;insider trading;an attempted coup",
    "penalty": "death;<num> years in prison*;life imprisonment;a heavy fine;hard labour;house arrest;probation;"
    "<num> lashes*;community service;a suspended sentence",
    "facility": "a hospital;the embassy;a police station;the presidential palace;a mosque;a church;the consulate;"
    "an air base;a crowded market;a school;a nightclub;a military checkpoint;the main bridge;an oil refinery;a hotel;"
    "the parliament building;a power plant;a convoy;<num> tanks*;the pipeline;a warehouse;a bus station;an airport;"
    "an apartment building;a concert hall;the compound;a factory;a gas station",
    "structure": "a bridge;the dam;<num> homes*;a wall;a railway line;the stadium;a skyscraper;ancient temples*;"
    "a pipeline;the monument;<num> apartment blocks*;the border fence;a nuclear reactor;the library;a tunnel",
    "group": "civilians@*;<nat> refugees@*;<num> migrants@*;villagers@*;<nat> citizens@*;students@*;workers@*;"
    "aid workers@*;<num> families@*;the public;tourists@*;Christians@*;Muslims@*;<nat> voters@*;women and children@*;"
    "journalists@*;farmers@*;the <nat> people@*;veterans@*;residents@*;asylum seekers@*;protesters@*;poor families@*;"
    "hostages@*;<nat> athletes@*;pilgrims@*;minorities@*;prisoners@*",
    "victims": "<num> people@*;<num> civilians@*;at least ^<num> soldiers@*;dozens of ^children@*;"
    "a <nat> journalist@;"
    "<num> police officers@*;more than ^<num> people@*;hundreds of ^refugees@*;a pregnant woman@;his wife@;"
    "their son@;"
    "a prominent cleric@;<num> passengers@*;several ^bystanders@*;an off-duty officer@;the ambassador@;"
    "a <nat> pilot@;"
    "a school teacher@;<num> hostages@*;the hostages@*;thousands of ^civilians@*;<nat> fishermen@*;a young man@",
    "protesters": "thousands of ^demonstrators@*;<num> protesters@*;<nat> students@*;an angry crowd;union members@*;"
    "opposition supporters@*;farmers@*;women's groups@*;hundreds of ^teachers@*;activists@*;far-right groups@*",
    "staff": "<num> engineers@*;the coach@;<num> teachers@*;the police chief@;a top aide@;the manager@;"
    "new recruits@*;"
    "<num> judges@*;the army chief@;the finance minister@;the spokesman@;a <nat> adviser@;the editor@;the director@",
    "position": "chief executive;finance minister;police chief;head coach;campaign manager;ambassador;spokesman;"
    "national security adviser;editor;chief engineer;attorney general;army chief;director;commander",
    "office": "president;mayor;governor;prime minister;party leader;senator;speaker;chairman;secretary general;pope",
    "voter": "voters@*;<nat> voters@*;delegates@*;lawmakers@*;the assembly;party members@*;shareholders@*;citizens@*;"
    "the electorate;young people@*;Democrats@*;Republicans@*;conservatives@*",
    "candidate": "the Labour Party;the ruling party;the Republican candidate@;the opposition alliance;the Greens@*;"
    "the incumbent@;the nationalist candidate@;the Democrats@*;a <nat> reformist@;the far-right candidate@",
    "charity": "a hospital;the campaign;a children's charity;an orphanage;the foundation;a university;the museum",
    "governmentbody": "parliament;Congress;the Senate;the <nat> parliament;the House;the state legislature;"
    "the council;"
    "the Security Council;the <nat> government;lawmakers@*;the city council;the cabinet;the lower house",
    "law": "a new tax law;the constitution;the health care bill;gun control laws*;the budget;"
    "a ban on smoking;sanctions*"
    ";a resolution;the reform package;the trade bill;an anti-terror law;the death penalty;a minimum wage;the treaty;"
    "independence;the spending bill;press restrictions*",
    "accord": "a ceasefire;the nuclear deal;a prisoner swap;the climate accord;a trade pact;the peace plan;a roadmap;"
    "the Minsk accord;a defence treaty;the fishing treaty;an oil contract",
    "result": "a narrow victory;a majority;defeat;<num> seats*;a runoff;a landslide;a deadlock",
    "topic": "the war;the ceasefire;climate change;oil prices*;the hostages*;human rights*;"
    "the nuclear programme;trade;"
    "the elections*;a prisoner exchange;peace;refugees*;the economy;new sanctions*;the missing plane;"
    "tax reform;Brexit;"
    "the scandal;military aid;border security;press freedom;the vaccine;higher wages*;chemical weapons*;the budget;"
    "police violence;the crisis in <country>;gun control;the investigation;women's rights*;corruption at the top",
    "sanction": "sanctions*;military action;retaliation;a boycott;a travel ban;legal action;war;higher tariffs*;"
    "a trade embargo;cuts in aid*;an oil embargo",
    "press": "reporters@*;the press;journalists@*;a news agency;<nat> television;the newspaper;the BBC;CNN;Reuters",
    "media": "the newspaper;<nat> state media;the Daily Herald;a <nat> channel;the radio station;WikiLeaks;a website;"
    "the news agency;Al Jazeera;the magazine;bloggers@*",
    "audience": "viewers@*;millions of ^people@*;readers@*;listeners@*;followers@*;the <nat> public;subscribers@*",
    "vehicle": "a truck;a bus;a helicopter;<num> boats*;a cargo plane;an overcrowded boat;a train;a passenger jet;"
    "a rubber dinghy;a van;military trucks*;the ferry;an ambulance;a minibus;a speedboat;a <nat> ship;a motorcycle;"
    "an oil tanker;a convoy of buses;a small plane;a freight train;a fishing boat",
    "crashobject": "a wall;a tree;a crowd;a mountain;a parked car;a bridge;a house;the river;a gas station;a fence;"
    "a group of cyclists;an oncoming truck;a bus stop;a shop window",
    "cargo": "food;medicine;humanitarian aid;grain;<num> tons of wheat*;oil;coal;medical supplies*;tents*;"
    "drugs*;gold;"
    "cocaine;fuel;steel;cars*;ivory;cotton;electronics*;cattle*;heroin;uranium;blankets*;fertiliser",
    "arms": "weapons*;fighter jets*;missiles*;<nat> tanks*;rifles*;ammunition;chemical weapons*;drones*;submarines*;"
    "machine guns*;air defence systems*;warships*;nuclear material",
    "goods": "a football club;shares*;land;oil fields*;the airline;a mine;<num> planes*;a newspaper;a yacht;"
    "natural gas;"
    "<num> cars*;a painting;a castle;the company;a luxury apartment;telephones*;laptops*;a software firm;crude oil",
    "territory": "the peninsula;the islands*;<city>;the border area;the West Bank;the province;the village;"
    "the oil port;"
    "eastern <city>;the hills*;the air base;the buffer zone;<num> villages*",
    "weapon": "rockets*;missiles*;machine guns*;artillery;a knife;automatic rifles*;mortars*;barrel bombs*;tanks*;"
    "a pistol;drones*;grenades*;poison gas;an axe;tear gas;batons*;a machete;shells*;sniper fire;cluster bombs*",
    "bomb": "a car bomb;explosives*;a suicide vest;a truck bomb;a roadside bomb;dynamite;a hidden device;"
    "<num> bombs*;"
    "a homemade bomb;landmines*;a parcel bomb",
    "nature": "the earthquake;a hurricane;floods*;a wildfire;the storm;a tsunami;looters@*;an angry mob",
    "cause": "a gas leak;a short circuit;contaminated water;lightning;infected poultry;a faulty engine;an open flame;"
    "arson;a chemical spill;poor hygiene;a dirty needle",
    "disease": "cholera;Ebola;malaria;measles;the Zika virus;bird flu;polio;tuberculosis;typhoid;cancer;"
    "the virus;HIV;"
    "dengue fever;food poisoning;pneumonia;a rare infection",
    "medicine": "antibiotics*;a new drug;vaccines*;a blood transfusion;surgery;a stem cell therapy;morphine;radiation",
    "doctor": "doctors@*;<nat> doctors@*;surgeons@*;nurses@*;a field hospital;paramedics@*;a <nat> surgeon@;a clinic",
    "products": "cars*;smartphones*;laptops*;<num> planes*;electric buses*;solar panels*;medicines*;engines*;"
    "toys*;ships*;"
    "computer chips*;furniture;clothes*;<num> trains*;batteries*;microscopes*;a satellite;cement;spare parts*",
    "tool": "robots*;a 3D printer;lasers*;cheap labour;recycled plastic;imported steel;new machines*;computer models*",
    "device": "satellites*;cameras*;drones*;radar;metal detectors*;sniffer dogs*;robots*;a 3D printer;sensors*;lasers*",
    "subject": "first aid;English;mathematics;bomb disposal;the Koran;farming;chemistry;combat skills*;marksmanship;"
    "cyber security;journalism;surgery;human rights law",
    "newbody": "a political party;the foundation;a start-up;a news website;a charity;a university;"
    "the caliphate;a bank;"
    "an orphanage;a militia;a think tank;a football academy;a space agency;a new church",
    "bank": "the World Bank;the IMF;the central bank;<nat> banks*;creditors@*;a Swiss bank;investors@*;"
    "Goldman Brothers",
    "award": "a medal;the peace prize;a literary prize;a lifetime award;an honorary degree;the gold medal;an Oscar",
    "athletes": "the <nat> team;<nat> players@*;the defending champions@*;the home side;a <nat> boxer@;the <nat> club",
    "contest": "the final;the World Cup;the race;the tournament;the league;the championship;the chess match;the derby",
    "scientists": "scientists@*;<nat> researchers@*;archaeologists@*;divers@*;police dogs*;astronomers@*;"
    "investigators@*",
    "finding": "a mass grave;a new planet;human remains*;a lost city;water;an oil field;fossils*;"
    "the wreckage;a tunnel;"
    "the black box;traces of poison*;a gene;<num> bodies*;a hidden camera;documents*;an ancient tomb",
    "hidingplace": "a cellar;a cave;a well;the jungle;a false wall;a car boot;a barn;a suitcase;a garage;a fuel tank;"
    "an abandoned mine;a safe house;spare tyres*",
    "team": "the team;the White House;the university;the hospital;the newspaper;the school;the football club;the bank",
}

BRANDS = (
    "Aldren;Bexar;Cormack;Dalvia;Everline;Fortuna;Galtex;Hexagon;Intera;Jarvik;Kelvor;Lumina;Mercator;Nordwell;Omnia;"
    "Petrolan;Quorum;Rostek;Sigma;Telvan;Unisol;Varga;Westmark;Xenon;Yardley;Zenith"
)
SUFFIXES = "Oil;Energy;Group;Bank;Airlines;Motors;Media;Steel;Pharma;Telecom;Partners;Corporation"
SUMS = "${} million;{} million euros;${} billion;${},000;£{} million;{} million rubles;${},500;{} billion yen"
NUMBERS = "two;three;four;five;six;seven;eight;nine;12;15;17;20;23;30;40;45;50;60;80;100;150;200;300;500;1,200"
