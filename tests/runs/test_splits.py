"""Documents of a run, and how they are made to fit an ontology."""

from dataclasses import replace

import pytest

from eventune.corpora import write_corpus, write_ontology
from eventune.corpora.arguments import DataArguments
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.runs.splits import read_splits

ONTOLOGY = Ontology.of([EventType("attack", (Role("attacker"), Role("target", 2, "who is attacked"), Role("place")))])


def document(number, *arguments, type="attack"):
    words = f"Rebels and gunmen shelled {number} soldiers in Homs".split()
    filled = tuple(Argument(role, Span(start, start + 1)) for role, start in arguments)
    return Document.from_sentences(f"d{number}", [words], events=[Event(type, Span(3, 4), filled)])


@pytest.fixture
def read(tmp_path):
    """Reads documents as a run with an ontology does, and returns its splits and its notices."""

    def read(documents, test=(), **settings):
        files = {"train_file": documents, "test_file": test}
        named = {}
        for name, content in files.items():
            if content:
                write_corpus(content, tmp_path / f"{name}.jsonl")
                named[name] = str(tmp_path / f"{name}.jsonl")
        write_ontology(ONTOLOGY, tmp_path / "ontology.yaml")
        notices = []
        data = DataArguments(**named, ontology_file=str(tmp_path / "ontology.yaml"), **settings)
        assert list(data.problems()) == []
        return read_splits(data, notices.append), [notice for notice in notices if "(guessed)" not in notice]

    return read


TWO_ATTACKERS = document(1, ("attacker", 0), ("attacker", 2), ("target", 5), ("place", 7))


def test_fillers_without_a_place_in_the_ontology_are_named_by_role_with_the_remedy(read):
    splits, [notice] = read([TWO_ATTACKERS, document(2, ("attacker", 0))])
    assert splits.ontology == ONTOLOGY
    assert "1 arguments are more than the ontology allows and count as missed" in notice
    assert "attacker of attack 1 (up to 2 in an event, 1 allowed)" in notice
    assert "--multiplicity from_data" in notice


def test_multiplicities_from_data_are_raised_and_never_lowered(read):
    splits, notices = read([TWO_ATTACKERS], multiplicity="from_data")
    assert notices == []
    roles = {role.name: (role.multiplicity, role.description) for role in splits.ontology["attack"].roles}
    assert roles == {"attacker": (2, ""), "target": (2, "who is attacked"), "place": (1, "")}


def test_multiplicities_from_data_look_at_the_training_documents_alone(read):
    splits, _ = read([document(2, ("attacker", 0))], test=[TWO_ATTACKERS], multiplicity="from_data")
    assert splits.ontology == ONTOLOGY


def test_what_the_ontology_lacks_is_left_out_when_that_is_wanted_and_counted(read):
    strange = [document(1, ("attacker", 0), ("weapon", 5), ("weapon", 7)), document(2, ("attacker", 0), type="die")]
    test = [document(3, ("weapon", 0))]
    with pytest.raises(EventuneError, match=r"has types or roles .*(\n.*)*--ignore_unknown_roles true"):
        read(strange, test)

    splits, notices = read(strange, test, ignore_unknown_roles=True)

    assert [notice.partition(": ")[2] for notice in notices] == [
        "left out, as the ontology lacks them: 1 events by their type (die 1) and 2 arguments by their role (weapon 2)",
        "left out, as the ontology lacks them: 1 arguments by their role (weapon 1)",
    ]
    assert [[[a.role for a in event.arguments] for event in d.events] for d in splits.train] == [[["attacker"]], []]
    assert splits.test[0].events[0].arguments == ()


def test_known_documents_are_not_changed_by_ignoring_what_is_unknown(read):
    splits, notices = read([TWO_ATTACKERS], ignore_unknown_roles=True, multiplicity="from_data")
    assert (list(splits.train), notices) == ([TWO_ATTACKERS], [])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"multiplicity": "data"}, "multiplicity: expected ontology or from_data, found 'data'"),
        ({"ignore_unknown_roles": True}, "ignore_unknown_roles: expected false without an ontology_file, found true"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    assert message in [problem.message for problem in DataArguments(train_file="sample:train", **settings).problems()]


def test_a_smaller_share_of_the_training_documents_is_part_of_a_greater_one(read):
    documents = [document(number, ("attacker", 0)) for number in range(40)]
    whole, _ = read(documents, dev_fraction=0.25)
    half, _ = read(documents, dev_fraction=0.25, train_fraction=0.5)
    tenth, _ = read(documents, dev_fraction=0.25, train_fraction=0.1)

    assert half.dev == tenth.dev == whole.dev
    assert [len(splits.train) for splits in (whole, half, tenth)] == [30, 15, 3]
    assert set(tenth.train) < set(half.train) < set(whole.train)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5])
def test_a_share_of_nothing_or_of_more_than_all_is_refused(share):
    problem, *others = DataArguments(train_file="sample:train", train_fraction=share).problems()
    assert others == []
    assert "train_fraction: expected a number in (0, 1]" in str(problem)


def test_a_share_of_nearly_all_is_all_and_of_whole_groups(read):
    documents = [document(number, ("attacker", 0)) for number in range(20)]
    assert len(read(documents, train_fraction=0.99)[0].train) == 20
    with pytest.raises(EventuneError, match="train_fraction: 20 training documents are too few"):
        read(documents, train_fraction=0.01)


OTHER = [
    Document.from_sentences(f"o{number}", [["They", "met", "here"]], events=[Event("meet", Span(1, 2), (who,))])
    for number, who in enumerate([Argument("participant", Span(0, 1))] * 4)
]


def beside(read, tmp_path, **options):
    write_corpus(OTHER, tmp_path / "other.jsonl")
    splits, _ = read([document(1)], further_corpora={str(tmp_path / "other.jsonl"): options})
    assert splits.ontology == ONTOLOGY
    [further] = splits.further
    return further


def test_a_further_corpus_has_an_ontology_of_its_own(read, tmp_path):
    further = beside(read, tmp_path)
    assert list(further.documents) == OTHER
    assert list(further.ontology.types) == ["meet"]

    ontology = Ontology.of([EventType("meet", (Role("participant"), Role("place")))])
    write_ontology(ontology, tmp_path / "other.yaml")
    assert beside(read, tmp_path, ontology_file=str(tmp_path / "other.yaml")).ontology == ontology


@pytest.mark.parametrize(("weight", "expected"), [(2, 8), (0.5, 2), (1.25, 5)])
def test_a_further_corpus_is_read_as_often_as_its_weight_says(read, tmp_path, weight, expected):
    found = beside(read, tmp_path, weight=weight).documents
    assert len(found) == expected
    assert found == beside(read, tmp_path, weight=weight).documents


def test_a_further_corpus_that_its_ontology_does_not_know_is_refused(read, tmp_path):
    write_ontology(ONTOLOGY, tmp_path / "wrong.yaml")
    with pytest.raises(EventuneError, match="meet"):
        beside(read, tmp_path, ontology_file=str(tmp_path / "wrong.yaml"))


@pytest.mark.parametrize(
    ("documents", "weight", "found"),
    [
        (OTHER, 0.1, "none in 0 of its 4 documents, which weight 0.1 takes"),
        ([d.with_events(()) for d in OTHER], 2, "none in 4 of its 4 documents, which weight 2 takes"),
        ([d.with_events([Event("meet", Span(1, 2))]) for d in OTHER], 0.5, "none in 2 of its 4 documents, which"),
    ],
)
def test_a_further_corpus_without_anything_to_learn_from_is_refused(read, tmp_path, documents, weight, found):
    write_corpus(documents, tmp_path / "other.jsonl")
    corpora = {str(tmp_path / "other.jsonl"): {"weight": weight}}
    with pytest.raises(
        EventuneError, match=rf"^further_corpora: .*: expected events whose types have roles, found {found}"
    ):
        read([document(1)], further_corpora=corpora)


def test_what_the_ontology_of_a_further_corpus_lacks_is_left_out_when_that_is_wanted_and_counted(read, tmp_path):
    both = [document(1, ("attacker", 0), ("weapon", 5)), *OTHER]
    write_corpus(both, tmp_path / "both.jsonl")
    write_ontology(ONTOLOGY, tmp_path / "wrong.yaml")
    corpora = {str(tmp_path / "both.jsonl"): {"ontology_file": str(tmp_path / "wrong.yaml")}}

    splits, [notice] = read([document(1)], further_corpora=corpora, ignore_unknown_roles=True)

    unknown = "4 events by their type (meet 4) and 1 arguments by their role (weapon 1)"
    assert notice == f"{tmp_path / 'both.jsonl'}: left out, as the ontology lacks them: {unknown}"
    [further] = splits.further
    assert [[a.role for event in d.events for a in event.arguments] for d in further.documents] == [
        *[["attacker"]],
        *[[]] * 4,
    ]
    assert further.ontology == ONTOLOGY


@pytest.mark.parametrize(
    "settings",
    [
        {"further_corpora": {"sample:dev": {"ontology_file": "sample:ontology"}}},
        {"pretrain_file": "sample:warmup", "pretrain_ontology_file": "sample:warmup_ontology"},
    ],
)
def test_what_is_unknown_can_be_left_out_where_only_another_corpus_has_an_ontology_file(settings):
    data = DataArguments(train_file="sample:train", ignore_unknown_roles=True, **settings)
    assert list(data.problems()) == []
    bare = {"further_corpora": {"sample:dev": None}}
    [problem] = DataArguments(train_file="sample:train", ignore_unknown_roles=True, **bare).problems()
    assert problem.field == "ignore_unknown_roles"


def test_folds_test_every_document_once_in_whole_groups_of_like_size(read):
    documents = [replace(document(number), metadata={"source": f"s{number % 7}"}) for number in range(40)]
    settings = {"group_by": "source", "dev_fraction": 0.1}

    parts = [read(documents, test_fold=f"{number}/5", **settings)[0] for number in range(1, 6)]

    assert sorted(d.id for part in parts for d in part.test) == sorted(d.id for d in documents)
    for part in parts:
        sources = [{d.metadata["source"] for d in split} for split in (part.train, part.dev, part.test)]
        assert all(sources)
        assert not sources[0] & sources[2]
        assert not sources[1] & sources[2]
        assert len(part.train) + len(part.dev) + len(part.test) == 40


def test_a_fold_without_a_group_of_its_own_is_refused(read):
    documents = [replace(document(number), metadata={"source": f"s{number % 2}"}) for number in range(10)]
    with pytest.raises(EventuneError, match="10 documents are too few to split off fold 3/3"):
        read(documents, test_fold="3/3", group_by="source")


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "5", "1/5/5", "a/b", "-1/5", "²/5"])
def test_what_is_no_fold_is_refused(fold):
    problems = [str(problem) for problem in DataArguments(train_file="sample:train", test_fold=fold).problems()]
    assert len(problems) == 1
    assert "e.g. 1/5" in problems[0]


def test_a_fold_stands_beside_no_other_test_part():
    data = DataArguments(train_file="sample:train", test_fold="1/5", test_file="sample:test")
    assert ["test_file" in str(problem) for problem in data.problems()] == [True]


def test_a_corpus_without_events_has_no_types_to_read_off(tmp_path):
    write_corpus([document(1).with_events(()), document(2).with_events(())], tmp_path / "train.jsonl")
    data = DataArguments(train_file=str(tmp_path / "train.jsonl"))
    with pytest.raises(EventuneError, match="expected events, found none in 2 documents\ngive the types"):
        read_splits(data, lambda _: None)
