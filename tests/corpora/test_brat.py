import pytest

from eventune.corpora import Losses, read_corpus, write_corpus
from eventune.corpora.brat import read_document, recognises, write_document
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Argument, Document, Event, Mention, Span

TEXT = "Rebels shelled\r\nHoms and Aleppo. It fell."
LINES = [
    "T1\tAttack 7 14\tshelled",
    "T2\tPlace 16 20\tHoms",
    "T3\tPlace 25 31\tAleppo",
    "T4\tGroup 0 6;33 35\tRebels It",
    "T5\tFall 36 40\tfell",
    "E1\tAttack:T1 Where:T2 Where2:T3 Agent:T4",
    "E2\tFall:T5 Cause:E1",
    "A1\tNegated E2",
    "A2\tCertainty E2 low",
    "*\tEquiv T2 T3",
    "R1\tNear Arg1:T2 Arg2:T3",
    "#1\tAnnotatorNotes T2\ta note",
]


def record(*lines):
    return {"id": "d", "text": TEXT, "annotations": list(lines)}


@pytest.fixture
def document():
    return read_document(record(*LINES))


def test_events_roles_and_events_as_fillers(document):
    attack, fall = document.events
    assert (attack.id, attack.type, attack.mentions) == ("E1", "Attack", (Mention(Span(1, 2), "T1", "Attack"),))
    assert [(a.role, a.filler, a.attributes) for a in attack.arguments] == [
        ("Where", "T2", {}),
        ("Where", "T3", {"role": "Where2"}),
        ("Agent", "T4", {}),
    ]
    assert fall.arguments == (Argument("Cause", attack.trigger, filler="E1"),)


def test_pieces_line_ends_attributes_and_equivalences(document):
    agent = document.events[0].arguments[2]
    assert document.exact_text_of(agent) == "Rebels It"
    assert document.text_of(document.events[0].arguments[0].span) == "Homs"
    assert document.events[1].attributes == {"Negated": True, "Certainty": "low"}
    assert [[mention.id for mention in entity.mentions] for entity in document.entities] == [["T2", "T3"], ["T4"]]


def test_other_lines_stay_as_they_are(document):
    assert document.metadata == {"brat": LINES[-2:]}
    lines = [*LINES[:9], "A3\tSure R1", "A4\tNegated E2"]
    assert read_document(record(*lines)).metadata == {"brat": ["A3\tSure R1", "A4\tNegated E2"]}


def test_lines_come_back(document):
    (again,) = write_document(document)
    assert sorted(again["annotations"]) == sorted(LINES)
    assert read_document(again) == document


def test_overlapping_equivalences_are_one_cluster():
    found = read_document(record(*LINES[:5], "*\tEquiv T2 T3", "*\tEquiv T3 T4"))
    assert [mention.id for mention in found.entities[1].mentions] == ["T2", "T3", "T4"]


def test_folder_comes_back(tmp_path, document):
    source = tmp_path / "source" / "sub"
    source.mkdir(parents=True)
    (source / "d.txt").write_bytes(TEXT.encode())
    (source / "d.ann").write_text("".join(f"{line}\n" for line in LINES))
    corpus = read_corpus(tmp_path / "source")
    assert (corpus.format, corpus[0].id, corpus[0].text) == ("brat", "sub/d", TEXT)
    assert corpus[0].events == document.events
    write_corpus(corpus, tmp_path / "target", "brat")
    assert read_corpus(tmp_path / "target").documents == corpus.documents
    assert read_corpus(source / "d.ann")[0].events == document.events
    with pytest.raises(EventuneError, match="expected no such folder, or an empty one"):
        write_corpus(corpus, tmp_path / "target", "brat")


def test_a_missing_text_is_named_by_its_file(tmp_path):
    (tmp_path / "d.ann").write_text("T1\tx 0 1\ta\n")
    with pytest.raises(EventuneError, match=r"d\.ann: file: expected d\.ann with its \.txt"):
        read_corpus(tmp_path)


@pytest.mark.parametrize("name", ["../d", "a//b", "a/../b", "a\x00b"])
def test_an_identifier_that_is_no_file_name_is_refused(tmp_path, name):
    document = Document.from_sentences(name, [["a"]])
    with pytest.raises(EventuneError, match="identifier that is a file's name"):
        write_corpus([document], tmp_path / "out", "brat", losses=Losses())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T9\tPlace 16\tHoms", "line 1: expected T1<tab>Type start end<tab>text"),
        ("T9\tPlace 16 99\tHoms", "line 1: .* 41 characters"),
        ("T9\tPlace 20 16\tHoms", "line 1: expected a non-empty span"),
        ("E9\tAttack:T77", 'line 1: expected an annotation of this file, found "T77"'),
        ("E9\tAttack", "line 1: expected E1<tab>Type:T1"),
        ("*\tEquiv T1 T2", "annotation of this file"),
    ],
)
def test_broken_line_is_named(line, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(record(line))


def test_repeated_identifier_is_refused():
    with pytest.raises(InvalidValueError, match="line 2: expected an identifier of its own"):
        read_document(record(LINES[0], LINES[0]))


def test_only_its_own_records_are_recognised():
    assert recognises(record())
    assert not recognises({"id": "d", "text": "x"})


def test_foreign_document_is_read_back():
    event = Event("attack now", Span(1, 2), (Argument("arg0", Span(2, 3)), Argument("arg0", Span(0, 1))))
    document = Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=[event])
    (value,) = write_document(document)
    again = read_document(value)
    assert [(a.role, a.span) for a in again.events[0].arguments] == [("arg0_", Span(2, 3)), ("arg0_", Span(0, 1))]
    assert again.events[0].type == "attack_now"
