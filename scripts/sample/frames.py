"""Event types, their roles, and how verbs place the roles in a clause."""

from __future__ import annotations

from dataclasses import dataclass

# type -> (description, role -> (kinds of filler, multiplicity, description))
TYPES: dict[str, tuple[str, dict[str, tuple[str, int, str]]]] = {
    "attack": (
        "Armed violence against people, a place or a thing.",
        {
            "attacker": ("militia", 2, "who carries out the attack"),
            "target": ("facility", 2, "who or what is attacked"),
            "instrument": ("weapon", 1, "the weapon that is used"),
            "place": ("city", 1, "the town where it happens"),
            "date": ("date", 1, "the day on which it happens, without the preposition"),
        },
    ),
    "arrest": (
        "An authority takes someone into custody.",
        {
            "authority": ("authority", 1, "who makes the arrest"),
            "suspect": ("person culprit", 2, "who is arrested"),
            "charge": ("crime", 2, "the crime the suspect is said to have committed"),
            "place": ("city", 1, "the town where it happens"),
        },
    ),
    "transport": (
        "Goods or people are taken from one place to another.",
        {
            "carrier": (
                "org",
                1,
                "who does the carrying; a vehicle named as the one that carries fills this role as well",
            ),
            "cargo": ("cargo", 2, "the goods, animals or people that are carried"),
            "origin": ("city", 1, "the town where the trip starts"),
            "destination": ("city", 2, "the town where the trip ends"),
            "vehicle": ("vehicle", 1, "the ship, train, plane or truck that is used"),
        },
    ),
    "purchase": (
        "Goods or a property change hands for money.",
        {
            "buyer": ("org", 1, "who pays and receives the goods"),
            "seller": ("org", 2, "who hands over the goods"),
            "goods": ("goods", 2, "what is bought"),
            "price": ("money", 1, "the sum that is paid, with its currency"),
        },
    ),
    "elect": (
        "A body votes someone into an office.",
        {
            "elector": ("elector", 1, "the body that votes"),
            "winner": ("person", 1, "who is elected"),
            "office": ("office", 1, "the office the winner takes"),
            "rival": ("person", 2, "who stands against the winner and loses"),
            "date": ("date", 1, "the day of the vote, without the preposition"),
        },
    ),
    "hire": (
        "An organisation takes someone into its service.",
        {
            "employer": ("org", 1, "the organisation that hires"),
            "employee": ("person", 2, "who is hired"),
            "position": ("position", 1, "the job that is taken up"),
            "predecessor": ("person", 1, "who held the job before"),
        },
    ),
    "meet": (
        "People come together to discuss something.",
        {
            "participant": ("person delegation", 3, "who takes part; a person or a group"),
            "topic": ("topic", 2, "what is discussed"),
            "place": ("city", 1, "the town where it happens"),
            "date": ("date", 1, "the day on which it happens, without the preposition"),
        },
    ),
    "donate": (
        "Someone gives money or things without return.",
        {
            "donor": ("org person", 2, "who gives"),
            "recipient": ("charity", 2, "who receives the gift"),
            "gift": ("money aid", 2, "the sum or the things given"),
            "purpose": ("purpose", 1, "what the gift is meant for"),
        },
    ),
    "sue": (
        "Someone takes a person or an organisation to court.",
        {
            "plaintiff": ("person group org", 2, "who brings the case"),
            "defendant": ("org person", 2, "against whom the case is brought"),
            "complaint": ("complaint", 2, "what the case is about"),
            "court": ("court", 1, "the court that hears the case"),
        },
    ),
    "build": (
        "A structure is put up.",
        {
            "builder": ("org", 1, "the company that does the work"),
            "structure": ("structure", 2, "what is built"),
            "cost": ("money", 1, "the sum the work costs, with its currency"),
            "place": ("city", 1, "the town where it stands"),
        },
    ),
}

SPAN_RULE = "A leading article, a preposition and a person's profession are not part of a span; numbers are."


@dataclass(frozen=True, slots=True)
class Frame:
    """How the verbs of a type place its roles in a clause.

    Attributes:
        type: Event type.
        verbs: Key of the verbs in the lexicon.
        subject: Role of the active subject.
        object: Role of the object.
        obliques: Prepositional phrases by role, alternatives separated by `|`, in their usual order.
        bare: Whether the noun can stand without its object ("the attack in Turin").
    """

    type: str
    verbs: str
    subject: str
    object: str
    obliques: dict[str, str]
    bare: bool = False


FRAMES = (
    Frame(
        "attack",
        "attack",
        "attacker",
        "target",
        {"instrument": "with {}|using {}", "place": "in {}", "date": "on {}"},
        bare=True,
    ),
    Frame(
        "arrest",
        "arrest",
        "authority",
        "suspect",
        {"place": "in {}", "charge": "on suspicion of {}|over {}|in connection with {}"},
        bare=True,
    ),
    Frame(
        "transport",
        "transport",
        "carrier",
        "cargo",
        {"origin": "from {}", "destination": "to {}", "vehicle": "aboard {}|on {}"},
    ),
    Frame("purchase", "buy", "buyer", "goods", {"seller": "from {}", "price": "for {}|at a price of {}"}),
    Frame("purchase", "sell", "seller", "goods", {"buyer": "to {}", "price": "for {}|in return for {}"}),
    Frame(
        "elect",
        "elect",
        "elector",
        "winner",
        {"office": "as {}|to serve as {}", "rival": "over {}|ahead of {}|instead of {}", "date": "on {}"},
    ),
    Frame(
        "hire",
        "hire",
        "employer",
        "employee",
        {"position": "as {}|for the post of {}", "predecessor": "to replace {}|in succession to {}"},
    ),
    Frame(
        "meet",
        "meet",
        "participant",
        "participant",
        {"topic": "about {}|over {}", "place": "in {}", "date": "on {}"},
    ),
    Frame("donate", "donate", "donor", "gift", {"recipient": "to {}", "purpose": "for {}|to pay for {}|to support {}"}),
    Frame("sue", "sue", "plaintiff", "defendant", {"complaint": "over {}|because of {}", "court": "before {}|in {}"}),
    Frame(
        "build",
        "build",
        "builder",
        "structure",
        {"place": "in {}", "cost": "for {}|at a cost of {}"},
    ),
)
