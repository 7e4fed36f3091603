import pytest

from eventune.corpora import check_corpus, read_ontology, require_known_to
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span

ONTOLOGY = Ontology.of([EventType("attack", (Role("attacker"), Role("target", 2))), EventType("die", ())])


def document(id="d", *arguments, type="attack", words="Rebels shelled Homs", trigger=(1, 2)):
    filled = tuple(Argument(role, Span(start, end)) for role, start, end in arguments)
    sentences = [line.split() for line in words.split("\n")]
    return Document.from_sentences(id, sentences, events=[Event(type, trigger and Span(*trigger), filled)])


def summary(findings):
    return [(finding.severity, finding.kind, finding.where) for finding in findings]


def test_good_corpus_has_no_finding():
    documents = [document("a", ("attacker", 0, 1), ("target", 2, 3)), document("b", words="They shelled Aleppo")]
    assert check_corpus(documents, ontology=ONTOLOGY, other={"test": [document("c", words="x y z")]}) == []


def test_unknown_type_is_an_error_with_a_suggestion():
    [finding] = check_corpus([document(type="atack")], ontology=ONTOLOGY)
    assert summary([finding]) == [("error", "unknown event type", "events[0].type")]
    assert finding.message == "expected one of the ontology's 2 types, found 'atack' (did you mean 'attack'?)"
    assert finding.document == "d"


def test_unknown_role_is_an_error_with_a_suggestion_or_the_roles():
    findings = check_corpus([document("d", ("atacker", 0, 1), ("xyz", 2, 3))], ontology=ONTOLOGY)
    assert summary(findings) == [
        ("error", "unknown role", "events[0].arguments[0].role"),
        ("error", "unknown role", "events[0].arguments[1].role"),
    ]
    assert "(did you mean 'attacker'?)" in findings[0].message
    assert "(its roles: attacker, target)" in findings[1].message


def test_names_are_not_checked_without_an_ontology():
    assert check_corpus([document("d", ("xyz", 2, 3), type="xyz")]) == []


def test_more_fillers_than_the_ontology_allows_is_a_warning():
    findings = check_corpus([document("d", ("attacker", 0, 1), ("attacker", 2, 3))], ontology=ONTOLOGY)
    assert summary(findings) == [
        ("warning", "more fillers than the ontology allows", "events[0]"),
        ("warning", "multiplicities below what is annotated", ""),
    ]
    assert "at most 1 for role attacker of attack, found 2" in findings[0].message


def test_fillers_that_the_ontology_has_no_place_for_are_summed_up_by_role_with_the_remedy():
    attackers = [("attacker", 0, 1), ("attacker", 1, 2), ("attacker", 2, 3)]
    documents = [document("a", *attackers), document("b", *attackers[:2], ("target", 2, 3), words="They shelled it")]
    [*_, finding] = check_corpus(documents, ontology=ONTOLOGY)
    assert (finding.kind, finding.document) == ("multiplicities below what is annotated", "")
    assert "3 arguments are more" in finding.message
    assert "attacker of attack 3 (up to 3 in an event, 1 allowed)" in finding.message
    assert "target" not in finding.message
    assert "--multiplicity from_data" in finding.message


def test_repeated_argument_is_a_warning_at_the_second_one():
    findings = check_corpus([document("d", ("target", 2, 3), ("target", 2, 3))], ontology=ONTOLOGY)
    assert summary(findings) == [("warning", "repeated argument", "events[0].arguments[1]")]


def test_same_span_in_two_roles_is_no_finding():
    assert check_corpus([document("d", ("target", 2, 3), ("attacker", 2, 3))], ontology=ONTOLOGY) == []


def test_spans_across_sentences_are_warnings():
    crossing = document("d", ("target", 2, 4), words="Rebels shelled Homs\nMany fled", trigger=(2, 4))
    assert summary(check_corpus([crossing]))[:2] == [
        ("warning", "span crosses a sentence boundary", "events[0].trigger"),
        ("warning", "span crosses a sentence boundary", "events[0].arguments[0]"),
    ]


def test_argument_on_its_trigger_is_a_warning():
    findings = check_corpus([document("d", ("attacker", 0, 2), ("target", 2, 3))])
    assert summary(findings) == [("warning", "argument overlaps its trigger", "events[0].arguments[0]")]
    assert "found attacker 'Rebels shelled' on it" in findings[0].message


def test_event_without_a_trigger_is_checked_too():
    findings = check_corpus([document("d", ("xyz", 0, 1), trigger=None)], ontology=ONTOLOGY)
    assert summary(findings) == [("error", "unknown role", "events[0].arguments[0].role")]


def test_empty_documents_are_warnings_but_no_repeated_texts():
    empty = [Document("a", "", (), ()), Document("b", " \n", (), ())]
    findings = check_corpus(empty, other={"test": [Document("c", "", (), ())]})
    assert summary(findings) == [("warning", "empty document", "")] * 2


def test_repeated_text_names_the_first_document():
    [finding] = check_corpus([document("a"), document("b"), document("c", words="x y z")])
    assert (finding.severity, finding.kind, finding.document) == ("warning", "repeated text", "b")
    assert "found that of document 'a'" in finding.message


def test_text_shared_with_another_part_is_an_error_whatever_its_white_space():
    raw = Document("raw", "Rebels  shelled\nHoms", (Span(0, 6),), (Span(0, 1),))
    [finding] = check_corpus([document("a")], other={"dev": [], "test": [raw]})
    assert (finding.severity, finding.kind) == ("error", "text shared between parts")
    assert "found that of document 'raw' in test" in finding.message


def test_finding_is_json():
    [finding] = check_corpus([document(type="x")], ontology=ONTOLOGY)
    assert finding.to_dict().keys() == {"severity", "kind", "document", "where", "message"}


def test_documents_that_keep_to_the_ontology_are_known_to_it():
    require_known_to(ONTOLOGY, [document("d", ("attacker", 0, 1), ("attacker", 2, 3))], "train.jsonl")


def test_all_unknown_names_are_listed_once_with_their_counts():
    documents = [document("a", ("atacker", 0, 1)), document("b", ("atacker", 0, 1)), document("c", type="dye")]
    with pytest.raises(EventuneError) as caught:
        require_known_to(ONTOLOGY, documents, "train.jsonl")
    assert caught.value.message.split("\n") == [
        "train.jsonl: has types or roles that the ontology lacks",
        "expected a role of attack, found 'atacker' (did you mean 'attacker'?) "
        "(2 times, first in document 'a': events[0].arguments[0].role)",
        "expected one of the ontology's 2 types, found 'dye' (did you mean 'die'?) "
        "(1 times, first in document 'c': events[0].type)",
    ]


def test_long_list_of_unknown_names_is_cut():
    documents = [document(f"d{n}", type=f"unknown{n}") for n in range(57)]
    with pytest.raises(EventuneError, match=r"… and 37 more\nadd them to the ontology, .*--ignore_unknown_roles true"):
        require_known_to(ONTOLOGY, documents, "train.jsonl")


def test_development_split_of_rams_keeps_to_its_ontology(rams_folder, rams_dev):
    ontology = read_ontology(rams_folder / "event_role_multiplicities.txt")
    require_known_to(ontology, rams_dev, "rams")
    findings = check_corpus(rams_dev, ontology=ontology)
    assert {finding.severity for finding in findings} == {"warning"}
    assert sum(finding.kind == "repeated argument" for finding in findings) == 6
    assert not any(finding.kind.startswith(("span crosses", "more fillers")) for finding in findings)


def test_lengths_are_checked_against_a_window():
    text = document("d", ("attacker", 0, 1), ("target", 2, 6), words="Rebels shelled the big old Homs again")
    assert summary(check_corpus([text], max_length=7)) == []
    assert summary(check_corpus([text], max_length=4)) == [
        ("warning", "document longer than a window", ""),
        ("warning", "argument that no window holds", "events[0].arguments[1]"),
    ]
    untriggered = text.with_events([Event("attack", None, text.events[0].arguments)])
    findings = check_corpus([untriggered], max_length=3)
    assert findings[1].message == "expected target as a whole inside 3 words, found 4 words"


def test_document_without_events_is_a_warning():
    assert summary(check_corpus([document().with_events([])])) == [("warning", "document without events", "")]


def test_repeated_event_is_a_warning_whatever_the_order_of_its_arguments():
    one, other = Argument("x", Span(0, 1)), Argument("y", Span(2, 3))
    events = [Event("a", Span(1, 2), (one, other)), Event("a", Span(1, 2), (other, one)), Event("a", None, (one,))]
    [finding] = check_corpus([document().with_events(events)])
    assert (finding.kind, finding.where, finding.message) == (
        "repeated event",
        "events[1]",
        "expected each event once, found events[0] again",
    )


def test_ends_of_spans_are_looked_at():
    inside = Argument("x", Span(0, 1), characters=(Span(0, 5),))
    comma = Argument("y", Span(2, 4))
    text = Document.from_sentences("d", [["Rebels", "shelled", "Homs", ","]])
    findings = check_corpus([text.with_events([Event("a", Span(1, 2), (inside, comma))])])
    assert [(finding.kind, finding.where) for finding in findings] == [
        ("span begins or ends inside a token", "events[0].arguments[0]"),
        ("span begins or ends in punctuation", "events[0].arguments[1]"),
    ]
    assert "found 'Rebel' in 'Rebels'" in findings[0].message


def rare_labels_in(documents):
    return [finding for finding in check_corpus(documents) if "few examples" in finding.kind]


def test_rare_labels_are_summed_up_in_a_corpus_that_is_large_enough():
    many = [document(f"d{n}", ("target", 2, 3), words=f"Rebels shelled Homs {n}") for n in range(99)]
    assert rare_labels_in(many) == []
    rare = document("rare", ("attacker", 0, 1), type="die", words="He died")
    findings = rare_labels_in([*many, rare])
    assert [(finding.kind, finding.document) for finding in findings] == [
        ("types with few examples", ""),
        ("roles with few examples", ""),
    ]
    assert findings[0].message == "expected at least 5 examples of each type, found die 1"


def test_repeated_text_tells_whether_the_annotations_are_repeated_too():
    findings = check_corpus([document("a"), document("b"), document("c", ("x", 0, 1))])
    assert [finding.message.rpartition(" with ")[2] for finding in findings] == [
        "the same annotations",
        "other annotations",
    ]
