"""A trained run in use."""

import itertools
import json
import shutil
from dataclasses import replace

import pytest

from eventune.errors import EventuneError
from eventune.events import Document, Entity, Event, EventType, Mention, Ontology, Role, Span, parse_marked_text
from eventune.inference.extractor import Extractor, find_type

NAMES = ("conflict.attack", "conflict.demonstrate", "life.die", "Movement:TransportPerson", "组织关系-裁员")


def arguments_of(document):
    return [argument for event in document.events for argument in event.arguments]


@pytest.fixture(scope="module")
def rich_documents(corpus):
    """Documents with all that a corpus may say beside the arguments: fragments, several triggers, coreference, …."""
    document = corpus[0]
    event = document.events[0]
    later = Span(event.trigger.end, event.trigger.end + 1)
    in_pieces = Mention(
        Span(0, 4), "m2", fragments=(Span(0, 1), Span(2, 4)), characters=(Span(0, 2), Span(4, 6)), attributes={"p": 2}
    )
    two_triggers = replace(
        event,
        id="e1",
        mentions=(Mention(event.trigger, "t1", "VERB"), Mention(later, "t2", attributes={"negated": False})),
        attributes={"tense": "past", "scores": [1, {"a": None}]},
    )
    rich = replace(
        document,
        id="rich",
        events=(two_triggers, replace(event, id="e2", trigger=in_pieces.span, mentions=(in_pieces,))),
        metadata={"source_url": "http://news.example/1", "nested": {"list": [1, 2]}},
        entities=(Entity((Mention(Span(0, 1), "m1", "PER"), in_pieces), "c1", "PER", {"kind": "named"}),),
    )
    return [rich, *corpus.documents]


def without_arguments(document):
    return document.with_events(replace(event, arguments=()) for event in document.events)


def test_only_the_arguments_of_a_document_change(extractor, rich_documents):
    found = extractor.extract_all(rich_documents)
    assert [without_arguments(document) for document in found] == [without_arguments(d) for d in rich_documents]
    assert sum(len(arguments_of(document)) for document in found[:1]) > 4


def test_arguments_have_roles_of_their_type_and_a_probability(extractor, corpus):
    documents = extractor.extract_all(corpus.documents)
    assert sum(len(arguments_of(document)) for document in documents) > 40
    for document in documents:
        for event in document.events:
            event_type = extractor.ontology[event.type]
            for argument in event.arguments:
                assert 0.0 <= argument.score <= 1.0
                assert document.sentence_of(argument.span.start) == document.sentence_of(argument.span.end - 1)
                assert len(argument.span) <= 12
            for role in event_type.roles:
                fillers = [argument.span for argument in event.arguments if argument.role == role.name]
                assert len(fillers) <= role.multiplicity
                assert not any(a.overlaps(b) for n, a in enumerate(fillers) for b in fillers[:n])
            assert {argument.role for argument in event.arguments} <= {role.name for role in event_type.roles}


def test_annotated_arguments_are_not_looked_at(extractor, corpus):
    bare = [without_arguments(document) for document in corpus]
    assert extractor.extract_all(bare) == extractor.extract_all(corpus.documents)


def test_one_document_gives_what_it_gives_among_many(extractor, corpus):
    for document, among_many in zip(corpus, extractor.extract_all(corpus.documents), strict=True):
        alone = extractor.extract(document)
        found, expected = arguments_of(alone), arguments_of(among_many)
        assert [(a.role, a.span) for a in found] == [(a.role, a.span) for a in expected]
        assert [a.score for a in found] == pytest.approx([a.score for a in expected], abs=1e-5)


def test_the_same_run_loaded_twice_gives_the_same(extractor, corpus, generous_run):
    assert Extractor.load(generous_run, batch_size=3).extract(corpus[0]) == extractor.extract(corpus[0])


def test_batches_are_reported_as_they_are_done(generous_run, corpus):
    heard = []
    Extractor.load(generous_run, batch_size=4).extract_all(corpus.documents, on_batch=lambda *told: heard.append(told))
    events = sum(len(document.events) for document in corpus)
    assert heard == [(min(done, events), events) for done in range(4, events + 4, 4)]


def test_documents_without_events_or_with_unknown_types_are_given_back(extractor, corpus):
    empty = corpus[0].with_events([])
    unknown = corpus[1].with_events([Event("unheard.of", Span(0, 1), (), "e")])
    assert extractor.extract_all([empty, unknown]) == [empty, unknown]
    assert extractor.extract_all([]) == []


def test_event_without_trigger_is_taken(extractor, corpus):
    found = extractor.extract(corpus[0].with_events([Event("attack", None)]))
    assert [event.type for event in found.events] == ["attack"]


@pytest.mark.parametrize(
    "text", ["公司宣布[[袭击|attack]]500名员工，他们住在北京。", "[[爆|attack]]", "\u200b [[!|meet]]"]
)
def test_text_in_a_script_that_the_encoder_does_not_know_is_read(extractor, text):
    document = parse_marked_text(text)
    found = extractor.extract(document)
    assert found.text == document.text
    assert found.tokens == document.tokens


def test_document_longer_than_the_encoder_reads_is_read_to_its_end(extractor):
    sentences = [["Rebels", "shelled", "the", "town", "again", "."]] * 150
    document = Document.from_sentences("long", sentences, events=[Event("attack", Span(601, 602))])
    windows = []
    found = extractor.extract_all([document], on_batch=lambda done, total: windows.append(total))
    assert windows[-1] > 3
    assert len(found[0].tokens) == 900


@pytest.fixture
def ontology():
    return Ontology.of(EventType(name, (Role("place"),)) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_type_is_found_by_its_name(name, ontology):
    assert find_type(ontology, name) == name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("attack", "conflict.attack"),
        ("Attack", "conflict.attack"),
        ("die", "life.die"),
        ("person", "Movement:TransportPerson"),
        ("裁员", "组织关系-裁员"),
    ],
)
def test_a_type_is_found_by_a_word_that_only_it_has(word, name, ontology):
    assert find_type(ontology, word) == name


def test_a_word_of_several_types_is_refused_with_the_choices(ontology):
    with pytest.raises(EventuneError, match="event type 'conflict' means several") as raised:
        find_type(ontology, "conflict")
    assert raised.value.hint == "choose one: conflict.attack, conflict.demonstrate"


def test_an_unknown_type_is_refused_with_the_closest_one(ontology):
    with pytest.raises(EventuneError, match=r"'conflict\.atack' is not in the ontology") as raised:
        find_type(ontology, "conflict.atack")
    assert raised.value.hint == "did you mean 'conflict.attack'?"


def test_an_unknown_type_that_resembles_none_is_refused_with_the_known_ones(ontology):
    with pytest.raises(EventuneError, match="'xyz' is not in the ontology") as raised:
        find_type(ontology, "xyz")
    assert raised.value.hint.startswith("known types: conflict.attack, ")


def test_a_text_is_taken_with_its_marks(extractor):
    text = "Rebels [[shelled|attack]] Homs."
    assert extractor.extract(text) == extractor.extract(parse_marked_text(text))


def test_a_text_without_an_event_is_refused_by_a_run_that_finds_none(extractor):
    with pytest.raises(EventuneError, match="expected the text to have an event: this run finds arguments") as raised:
        extractor.extract("Rebels shelled Homs.")
    assert "[[shot|attack]]" in raised.value.hint


def test_a_sentence_of_ten_thousand_tokens_and_a_text_without_tokens_are_read(extractor):
    long = Document.from_sentences("long", [["word"] * 10_000], events=[Event("attack", Span(9_000, 9_001))])
    assert [event.type for event in extractor.extract(long).events] == ["attack"]
    assert extractor.extract(Document("empty", " ", (), (), (Event("attack", None),))).text == " "


def test_a_document_with_an_unknown_type_is_refused(extractor):
    with pytest.raises(EventuneError, match="did you mean 'attack'"):
        extractor.extract(parse_marked_text("Rebels [[shelled|atack]] Homs."))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("margins", {"first": 0.0, "last": 0.0}),
        ("margins", {"first": "0", "further": 0.0}),
        ("margins", [0.0, 0.0]),
        ("max_length", "128"),
        ("max_span_length", None),
        ("method", 1),
        ("ontology_bytes", "all"),
    ],
)
def test_settings_of_a_wrong_kind_are_one_error_that_names_file_and_field(field, value, tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    settings = json.loads((run / "extractor.json").read_text(encoding="utf-8"))
    (run / "extractor.json").write_text(json.dumps({**settings, field: value}), encoding="utf-8")
    with pytest.raises(EventuneError, match=rf"extractor\.json: {field}(\.\w+)?: expected .*, found "):
        Extractor.load(run)


@pytest.fixture
def copied_run(generous_run, tmp_path):
    return shutil.copytree(generous_run, tmp_path / "copy")


@pytest.mark.parametrize(
    "name", ["extractor.json", "base.json", "ontology.yaml", "adapter_config.json", "adapter_model.safetensors"]
)
def test_a_run_that_lacks_a_file_is_refused_by_its_name(name, copied_run):
    (copied_run / name).unlink()
    with pytest.raises(EventuneError, match=f"the run lacks its {name}"):
        Extractor.load(copied_run)


# Half an ontology is an ontology: YAML has no end.
@pytest.mark.parametrize(
    ("name", "share"),
    [
        *itertools.product(["extractor.json", "base.json", "adapter_config.json", "tokenizer.json"], [0.0, 0.5]),
        *itertools.product(["adapter_model.safetensors"], [0.0, 0.5, 0.999]),
        ("ontology.yaml", 0.0),
    ],
)
def test_a_run_with_a_file_that_is_cut_off_is_refused_by_its_name(name, share, copied_run):
    content = (copied_run / name).read_bytes()
    (copied_run / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(EventuneError, match=name if name != "tokenizer.json" else "tokenizer"):
        Extractor.load(copied_run)


def test_a_run_whose_base_was_replaced_is_refused(copied_run, tiny_encoder, tmp_path):
    other = shutil.copytree(tiny_encoder, tmp_path / "other")
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    with pytest.raises(EventuneError, match=r"its weights are not those that the run .* was trained on") as raised:
        Extractor.load(copied_run, model_name_or_path=str(other))
    assert str(tiny_encoder) in raised.value.hint


def test_a_run_finds_its_base_elsewhere_when_told(copied_run, tiny_encoder, extractor, corpus, tmp_path):
    moved = shutil.copytree(tiny_encoder, tmp_path / "moved")
    assert Extractor.load(copied_run, model_name_or_path=str(moved)).extract(corpus[0]) == extractor.extract(corpus[0])
