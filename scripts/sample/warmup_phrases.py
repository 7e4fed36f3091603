"""More words of the warm-up corpus, in the notation of `warmup_lexicon`, added to its kinds."""

from __future__ import annotations

KINDS: dict[str, str] = {
    "region": "the north;the Gulf;eastern <country>;southern <country>;the region;Europe;the Middle East;"
    "Africa;the Balkans*;the frontier;Central Asia;the United States;the U.S.;Texas;Florida;California;"
    "Crimea;Kurdistan;the Golan Heights*;the Donbas;Gaza;Kashmir;Chechnya;Darfur;Sinai;Siberia;the Arctic;"
    "the Caribbean;the streets*;the country;the capital;the city;northern <country>;western <country>;here;there;"
    "the town of <city>",
    "militia": "ISIS;the Islamic State;al-Qaeda;Boko Haram;Hezbollah;Hamas;al-Shabaab;rebel fighters@*;"
    "extremists@*;the opposition@*;terrorists@*;the terrorists@*;Kurdish fighters@*;pro-<nat> rebels@*;"
    "the Houthis@*;<nat>-backed militias*;the cartel;the gunman@;the attackers@*;a suicide bomber@;"
    "tribal fighters@*;the Nusra Front;a group of armed men@*;ISIS militants@*;warlords@*;gangs*;armed men@*;"
    "the resistance",
    "army": "the U.S. military;American forces@*;U.S. troops@*;the U.S.;the coalition;the Pentagon;"
    "the Syrian regime;Russian forces@*;<nat> jets*;the Israelis@*;allied troops@*;loyalist forces@*;"
    "U.N. peacekeepers@*;<nat> commandos@*;the National Guard;the Red Army;the <nat> navy;the allies@*;"
    "Western powers*;soldiers@*",
    "authority": "the F.B.I.;the DEA;Homeland Security;two police officers@*;the officers@*;local police@*;"
    "the cops@*;the NYPD;Interpol;the secret police@*;the Border Patrol;<nat> police officers@*;"
    "the <nat> security service;the authorities@*;federal authorities@*;law enforcement;the Secret Service;"
    "a sheriff's deputy@;ICE;the FSB",
    "agency": "the UN;the U.N.;the EU;the NSA;the State Department;the Treasury;the Harwell administration;"
    "the outgoing administration;the administration;the White House;the FBI;the Justice Department;NASA;the WHO;"
    "the IAEA;the OSCE;Amnesty International;Human Rights Watch;Washington;Moscow;the <nat> embassy;"
    "the <nat> defence ministry;the central bank;the intelligence community;the FDA;the CDC;MI6;"
    "the International Committee of the Red Cross;the High Commissioner for Refugees;Save the Children",
    "leader": "opposition leaders@*;the White House;the Kremlin;<nat> leaders@*;world leaders@*;"
    "a senior <nat> official@;the <nat> prime minister@;the <nat> foreign minister@;the senator@;the candidate@;"
    "the dictator@;the president@;U.S. officials@*;Republican leaders@*;the mayor of <city>@;"
    "the national security adviser@;the ayatollah@;Harwell@;Volkonsky@;Castellan@;Merrin@;President Harwell@;"
    "President Volkonsky@;Anna Castellan@;Viktor Volkonsky@;John Merrin@;Chancellor Brandt@;King Selim@;"
    "Minister Adeyemi@",
    "delegation": "the negotiators@*;both sides*;the two leaders@*;Saudi officials@*;U.S. lawmakers@*;the envoys@*;"
    "the Taliban@*;trade unions*;<nat> and <nat> diplomats@*;<nat> lawyers@*;foreign ministers@*;"
    "regime officials@*;the parties*;lobbyists@*;senior officials@*;the families@*",
    "culprit": "the killer@;the man@;a <nat> man@;the shooter@;the driver@;his brother@;a gang member@;"
    "the defendants@*;the former president@;an ex-minister@;a <nat> spy@;the whistleblower@;dissidents@*;"
    "drug dealers@*;three men@*;the spy@;political opponents@*;activists@*;a <nat> citizen@;"
    "suspected militants@*;the couple@*;the perpetrators@*;a white supremacist@;a <nat> hacker@;"
    "<num> officials@*;a convicted felon@;Tolland@;Harwell@;Edvard Tolland@",
    "prosecutor": "the government;the FBI;the district attorney@;the Justice Department;the plaintiffs@*;the U.S.;"
    "the special prosecutor@;the SEC;the state of Texas;regulators@*;the widow@;the prosecution",
    "court": "a court;the court;a jury;a district court;the high court;the tribunal;the judge@;a <nat> judge@;"
    "the court in The Hague;a sharia court;a military court;the Federal Court;a court in <city>;Judge Martinez@",
    "crime": "war crimes;crimes against humanity*;the murder;the killings*;hate crimes*;theft;blackmail;"
    "assault;sedition;espionage;vote rigging;lying to Congress;blasphemy;crimes*;the bombing;doping;child abuse;"
    "hacking;cheating;illegal arms sales*;the attack;rape and murder;stealing documents;supporting terrorism;"
    "wire fraud;ethnic cleansing",
    "penalty": "the death penalty;life in prison;a fine of <num> million dollars;a prison sentence;"
    "<num> months in jail*;hanging;a jail term;exile;parole",
    "facility": "the U.S. embassy;the Pentagon;the White House;hospitals*;schools*;<city> airport;"
    "the consulate in <city>;a supermarket;the city hall;the World Trade Center;residential areas*;a synagogue;"
    "a base;positions*;oil facilities*;the headquarters*;the theatre;a military base;the nuclear plant;"
    "<nat> targets*;a wedding;the city of <city>;villages*;the government building;a refugee camp;an aid convoy;"
    "a restaurant",
    "structure": "the bridge;houses*;buildings*;churches*;the ancient city;property;the ruins*;computers*;"
    "hard drives*;the Berlin Wall;the evidence;e-mails*;crops*;infrastructure;the plane;roads and bridges*;"
    "a bunker;statues*;the aircraft;a cemetery;the documents*;the shrine;a <nat> helicopter;the power grid;"
    "settlements*;a road",
    "group": "people@*;refugees@*;Syrian refugees@*;immigrants@*;Muslims@*;the American people@*;Americans@*;"
    "undocumented immigrants@*;the Kurds@*;women@*;children@*;the poor@*;the Palestinians@*;Europeans@*;"
    "foreigners@*;the population;taxpayers@*;families@*;millions of ^people@*;the police@*;the crew;the rebels@*;"
    "Russians@*;Ukrainians@*;<nat> nationals@*;girls@*;soldiers@*;the troops@*;African Americans@*;Yazidis@*;"
    "his family;those in need@*;the homeless@*;low-income families@*;foreign fighters@*;<nat> tourists@*;"
    "everyone@",
    "victims": "people@*;civilians@*;innocent people@*;children@*;women and children@*;a police officer@;a man@;"
    "a woman@;two police officers@*;an American@;a <nat> soldier@;U.S. soldiers@*;the victims@*;others@*;"
    "the boy@;a 12-year-old girl@;the journalist@;the former spy@;an activist@;the dictator@;<num> students@*;"
    "protesters@*;Christians@*;a <nat> diplomat@;the worshippers@*;as many as ^<num> people@*;"
    "nearly ^<num> migrants@*;tens of thousands of ^people@*;over ^<num> people@*;the passengers@*;the crew;"
    "Tolland@;Volkonsky@",
    "protesters": "protesters@*;demonstrators@*;the protesters@*;the people@*;miners@*;pensioners@*;"
    "Harwell supporters@*;tens of thousands of ^people@*;students@*;a mob;anti-war activists@*;<nat> workers@*",
    "staff": "the FBI director@;a lawyer@;workers@*;employees@*;<num> employees@*;the CEO@;the general@;"
    "a nurse@;a consultant@;the ambassador@;mercenaries@*;a former spy@;the attorney general@;interns@*;"
    "a <nat> general@;the campaign chairman@;the defence secretary@;hackers@*;several ^aides@*;lobbyists@*;"
    "Tolland@;Merrin@",
    "position": "secretary of state;CEO;chief of staff;FBI director;adviser;consultant;vice president;minister;"
    "lawyer;defence secretary;chairman;deputy director;press secretary;envoy;foreign minister;judge;"
    "campaign chairman",
    "office": "U.S. president;vice president;congressman;leader;head of state;prime minister;chancellor;"
    "head of the union",
    "voter": "the people@*;Americans@*;the <nat> people@*;the Republicans@*;delegates in <city>@*;the public;"
    "women@*;the parliament;Congress;members@*;working-class voters@*;the party;<nat> citizens@*;evangelicals@*;"
    "the French@*",
    "candidate": "the Democrats@*;Republicans@*;the communists@*;an independent candidate@;the conservatives@*;"
    "the party;Harwell@;Merrin@;Anna Castellan@;Castellan@",
    "charity": "the Red Cross;a church;UNICEF;the party;the Democratic Party;the Harwell campaign;his campaign;"
    "charities*;hospitals*;the rebels@*;schools*;a super PAC;the victims@*;the university;the movement;"
    "the Harwell Foundation",
    "governmentbody": "the Knesset;the Duma;the U.S. Congress;the European Parliament;Republicans@*;"
    "the Senate committee;the administration;the White House;the UN General Assembly;the government;the states*;"
    "the legislature;Brussels",
    "law": "the Patriot Act;the bill;the law;Obamacare;the legislation;a bill;the sanctions bill;Brexit;"
    "voting rights*;the amendment;the agreement;international law;the Geneva Conventions*;"
    "a law against hate speech;new rules*",
    "accord": "the ceasefire;the Iran deal;the agreement;the truce;the Paris agreement;international law;"
    "the treaty;the deal;human rights*;the UN charter;the Geneva Conventions*;the INF treaty;"
    "the terms of the truce*;NAFTA",
    "topic": "Syria;Ukraine;the Middle East;the refugees*;the conflict;the plan;terrorism;immigration;"
    "the e-mails*;the situation in <country>;his plans*;the future of <country>;health care;Crimea;"
    "a political solution;energy;the deal;the attack;Russian interference;the leaked documents*;"
    "the Islamic State;racism;the crash;jobs*;taxes*;the war in <country>;a ceasefire in <country>;"
    "the death toll;Islam;the results*;surveillance;the allegations*;the truth;the peace process;oil;"
    "trade with <country>;the wall;the election;arms control;the crimes of the regime*",
    "sanction": "force;consequences*;economic sanctions*;nuclear war;military force;violence;death;airstrikes*;"
    "deportation;a lawsuit;new sanctions*;an attack on <country>;arrest;a strike;prison",
    "press": "CNN;Fox News;the New York Times;the Guardian;the Associated Press;RT;a reporter@;a local newspaper",
    "media": "the New York Times;CNN;the BBC;Fox News;the Guardian;RT;the Washington Post;Reuters;"
    "Twitter users@*;a blogger@;the media*;Wikileaks;Russian television;the paper;journalists@*;the network",
    "audience": "the world;the public;Americans@*;people@*;the American people@*;users@*;the nation;fans@*;students@*",
    "vehicle": "planes*;boats*;the ship;the plane;Flight <num>;cars*;trucks*;a car;the bus;a military plane;"
    "buses*;a jet;rubber boats*;lorries*;a Boeing 777;a pickup truck;a cargo ship;C-130 aircraft*;tankers*;"
    "a taxi",
    "cargo": "aid;supplies*;goods*;gas;natural gas;Russian gas;crude oil;water;food and water;"
    "relief supplies*;migrants*;troops*;money;cash;drugs*;opium;arms*;weapons*;food and medicine;the documents*;"
    "tanks*;components*;nuclear waste",
    "arms": "arms*;weapons*;S-300 missiles*;U.S. weapons*;guns*;anti-tank missiles*;heavy weapons*;bombs*;"
    "nukes*;military equipment;a nuclear bomb;long-range missiles*;F-16 jets*;nuclear weapons*;AK-47 rifles*;"
    "helicopters*;surface-to-air missiles*;sarin;spy planes*;tear gas;centrifuges*;armoured vehicles*",
    "goods": "oil;gas;assets*;uranium;property;arms*;drugs*;weapons*;stolen oil;houses*;a stake;stocks*;food;"
    "the island;slaves*;missiles*;art;fuel;real estate;a house in <city>;<nat> oil;bonds*;the network;"
    "fighter jets*",
    "territory": "Crimea;the city;territory;land;the Golan Heights*;large areas*;the town;<city> airport;"
    "the region;Jerusalem;the bases*;Palmyra;control of <city>;the oil fields*;the canal;Tibet;eastern <country>",
    "weapon": "guns*;a gun;weapons*;chemical weapons*;missiles*;bombs*;knives*;an AK-47;a rifle;heavy weapons*;"
    "sarin;tanks and artillery*;a truck;fire;bare hands*;poison;polonium;bullets*;airstrikes*;rubber bullets*;"
    "phosphorus;stones*;gas;a hammer;Tomahawk missiles*;an assault rifle;Molotov cocktails*;warplanes*;"
    "an explosive device",
    "bomb": "bombs*;a bomb;barrel bombs*;nuclear weapons*;an atomic bomb;improvised explosive devices*;"
    "a missile;pressure cookers*;a pipe bomb;suicide belts*;a truck full of explosives;two explosive devices*;"
    "car bombs*",
    "nature": "fire;the earthquake;the flood;bombs*;Hurricane Sandy;Katrina;the tornado;an explosion;the war;ISIS",
    "disease": "Zika;AIDS;the plague;swine flu;the flu;an illness;a deadly virus;leukemia;diabetes;hepatitis;"
    "the Ebola virus;mental illness;anthrax;radiation sickness;depression;lung cancer;malnutrition",
    "cause": "dirty water;mosquitoes*;pollution;a cigarette;a bomb;radiation;an electrical fault;hunger;"
    "a missile;fireworks*;a broken valve;negligence;lead in the water;the heat;stress",
    "products": "weapons*;drugs*;aircraft*;tanks*;a nuclear bomb;vaccines*;a film;a wall;missiles*;homes*;"
    "settlements*;a pipeline;the plane;phones*;rockets*;software;chemical weapons*;methamphetamine;a dam;"
    "enriched uranium",
    "award": "the Nobel Peace Prize;the Nobel Prize;a Pulitzer;the Medal of Honor;an award;"
    "the Legion of Honour;a Grammy",
    "athletes": "the Broncos@*;<country>;the home team;the champion@;Real Madrid;the Americans@*;the rivals@*",
    "contest": "the election;the Super Bowl;the game;the match;the primary;the Olympics*;the war;"
    "the New Hampshire primary",
    "scientists": "police@*;investigators@*;the researchers@*;officers@*;a farmer@;a fisherman@;rescuers@*;"
    "a team from <city>",
    "finding": "weapons*;explosives*;bodies*;the bodies of <num> migrants*;evidence;e-mails*;drugs*;debris;oil;"
    "a bomb;mass graves*;gold;a cure;documents*;the wreck;classified information;a weapons cache;"
    "chemical weapons*;the truth",
    "hidingplace": "tunnels*;the mountains*;a hospital;his apartment;a basement;offshore accounts*;the forest;"
    "a hole;a private server;the ground;the trunk of a car;a warehouse;schools*;a truck;bank accounts*;a compound",
    "team": "the FBI;the campaign;the State Department;the Harwell campaign;the paper;the White House;the ministry",
}
