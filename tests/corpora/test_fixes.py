from dataclasses import replace

import pytest

from eventune.corpora import Fixes, check_corpus, texts_of
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span

ONTOLOGY = Ontology.of([EventType("Life.Die", (Role("Victim", 2), Role("InPlace", 2)))])


def document(id, *arguments, type="Life.Die", words="Rebels shelled Homs"):
    filled = tuple(Argument(role, Span(start, end)) for role, start, end in arguments)
    return Document.from_sentences(id, [words.split()], events=[Event(type, Span(1, 2), filled)])


def mend(documents, **settings):
    fixes = Fixes(**settings)
    return list(fixes.mend(documents)), fixes.to_dict()


def test_good_documents_are_left_as_they_are():
    documents = [document("a", ("Victim", 0, 1)), document("b", ("InPlace", 2, 3), words="They shelled Aleppo")]
    assert mend(documents, ontology=ONTOLOGY) == (documents, {})


def test_repeated_arguments_are_removed():
    [mended], counts = mend([document("a", ("x", 0, 1), ("x", 0, 1), ("y", 0, 1), ("x", 0, 1))])
    assert [argument.role for argument in mended.events[0].arguments] == ["x", "y"]
    assert counts == {"repeated arguments removed": {"count": 2, "documents": ["a"]}}


def test_names_get_the_spelling_of_the_ontology_and_repetitions_that_show_then_are_removed():
    wrong = document("a", ("victim", 0, 1), ("Victim", 0, 1), ("in_place", 2, 3), ("Killer", 2, 3), type="life.die")
    [mended], counts = mend([wrong], ontology=ONTOLOGY)
    assert mended.events[0].type == "Life.Die"
    assert [argument.role for argument in mended.events[0].arguments] == ["Victim", "InPlace", "Killer"]
    assert {kind: value["count"] for kind, value in counts.items()} == {
        "types renamed": 1,
        "roles renamed": 2,
        "repeated arguments removed": 1,
    }


def test_name_that_may_be_two_is_not_guessed():
    ontology = Ontology.of([EventType("a_b", ()), EventType("AB", ())])
    [mended], counts = mend([document("a", type="ab")], ontology=ontology)
    assert (mended.events[0].type, counts) == ("ab", {})


def test_repeated_documents_are_removed_only_with_the_same_annotations():
    twins = [document("a", ("x", 0, 1)), document("b", ("x", 0, 1)), document("c", ("y", 0, 1))]
    mended, counts = mend(twins)
    assert [item.id for item in mended] == ["a", "c"]
    assert counts == {"repeated documents removed": {"count": 1, "documents": ["b"]}}


def test_documents_of_other_parts_are_removed():
    documents = [document("a"), document("b", words="They shelled Aleppo")]
    mended, counts = mend(documents, elsewhere=texts_of({"test": [document("z", type="other")]}))
    assert [item.id for item in mended] == ["b"]
    assert list(counts) == ["documents of other parts removed"]


def test_nothing_left_is_an_error():
    with pytest.raises(EventuneError, match="no document is left"):
        mend([document("a")], elsewhere=texts_of({"test": [document("z")]}))


def test_mending_again_finds_nothing():
    documents = [
        document("a", ("victim", 0, 1), ("Victim", 0, 1), type="life_.die"),
        document("b", ("Victim", 0, 1)),
        document("c", words="They shelled Aleppo"),
        replace(document("d", ("IN-PLACE", 2, 3), words="He shelled Aleppo"), metadata={"source": 1}),
    ]
    elsewhere = texts_of({"test": [document("z", words="They shelled Aleppo")]})
    once, counts = mend(documents, ontology=ONTOLOGY, elsewhere=elsewhere)
    assert len(counts) == 5
    assert mend(once, ontology=ONTOLOGY, elsewhere=elsewhere) == (once, {})
    assert check_corpus(once, ontology=ONTOLOGY) == []
