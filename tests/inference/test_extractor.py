"""A trained run in use."""

import itertools
import json
import shutil
from dataclasses import replace

import pytest

from eventune.corpora import read_corpus, write_corpus
from eventune.errors import EventuneError
from eventune.events import Document, Entity, Event, EventType, Mention, Ontology, Role, Span, parse_marked_text
from eventune.inference import files as extracted_files
from eventune.inference import partial_files
from eventune.inference.extractor import Extractor, find_type
from eventune.inference.files import extract_file
from eventune.storage.locks import LockedError

NAMES = ("conflict.attack", "conflict.demonstrate", "life.die", "Movement:TransportPerson", "组织关系-裁员")


@pytest.fixture(scope="module")
def generous_run(tiny_run, tmp_path_factory):
    """The tiny run with margins that let almost every candidate pass, so that there are arguments to look at."""
    folder = shutil.copytree(tiny_run, tmp_path_factory.mktemp("generous") / "run")
    settings = json.loads((folder / "extractor.json").read_text(encoding="utf-8"))
    settings["margins"] = {"first": -8.0, "further": -4.0}
    (folder / "extractor.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def extractor(generous_run):
    return Extractor.load(generous_run)


@pytest.fixture(scope="module")
def corpus(small_corpus):
    return read_corpus(small_corpus / "dev.jsonl")


@pytest.fixture
def source(small_corpus):
    return small_corpus / "dev.jsonl"


@pytest.fixture
def small_pools(monkeypatch):
    """Pools of five documents, and two groups in each of the first two."""
    monkeypatch.setattr(extracted_files, "POOL_DOCUMENTS", 5)
    monkeypatch.setattr(partial_files, "GROUP_EVENTS", 3)


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


def test_a_file_of_extracted_arguments_has_all_else_that_the_corpus_says(extractor, rich_documents, tmp_path):
    write_corpus(rich_documents, tmp_path / "in.jsonl")
    extract(extractor, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    found = read_corpus(tmp_path / "out.jsonl").documents
    assert [without_arguments(document) for document in found] == [without_arguments(d) for d in rich_documents]


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


def partial_of(extractor, target):
    return target.with_name(f"{target.name}.{extractor.fingerprint}.partial")


def extract(extractor, source, target, **options):
    counts = extract_file(extractor, source, target, **options)
    assert sorted(target.parent.glob(f"{target.name}*")) == [target]
    return counts


def test_a_file_gets_the_arguments_of_all_documents(extractor, corpus, source, tmp_path):
    target = tmp_path / "out.jsonl"
    done = []

    counts = extract(extractor, source, target, on_documents=done.append)

    found = read_corpus(target).documents
    assert list(found) == extractor.extract_all(corpus.documents)
    assert counts == {
        "documents": len(corpus),
        "events": sum(len(document.events) for document in corpus),
        "arguments": sum(len(arguments_of(document)) for document in found),
        "resumed": 0,
        "without_events": 0,
        "unknown_types": 0,
    }
    assert sum(done) == len(corpus)


@pytest.mark.parametrize("output_format", ["jsonl", "rams"])
@pytest.mark.parametrize("cut", [0.0, 0.3, 0.55, 0.999, 1.0])
def test_an_interrupted_extraction_goes_on_and_ends_as_if_nothing_had_been(
    cut, output_format, extractor, source, tmp_path, small_pools
):
    whole, target = tmp_path / "whole", tmp_path / "target"
    expected = extract(extractor, source, whole, output_format=output_format)
    content = whole.read_bytes()
    partial_of(extractor, tmp_path / "target").write_bytes(content[: int(cut * len(content))])

    counts = extract(extractor, source, target, output_format=output_format)

    assert target.read_bytes() == content
    assert counts == {**expected, "resumed": {0.0: 0, 0.3: 0, 0.55: 5, 0.999: 10, 1.0: 12}[cut]}


def test_documents_that_are_done_are_not_extracted_again(extractor, source, tmp_path, small_pools, monkeypatch):
    whole, target = tmp_path / "whole", tmp_path / "target"
    extract(extractor, source, whole)
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    partial_of(extractor, tmp_path / "target").write_text("".join(lines[:10]) + lines[10][:30], encoding="utf-8")
    extracted = []
    of_class = extractor.extract_all

    def listen(documents, **options):
        extracted.append({document.id for document in documents})
        return of_class(documents, **options)

    monkeypatch.setattr(extractor, "extract_all", listen)

    extract(extractor, source, target)

    assert extracted == [{"dev-010", "dev-011"}]
    assert target.read_bytes() == whole.read_bytes()


def break_off(extractor, source, target, monkeypatch, *, call, **options):
    """Extract, and break off in a call of the model."""
    of_class, calls = extractor.extract_all, []

    def breaks_off(documents, **options):
        calls.append(documents)
        if len(calls) == call:
            raise KeyboardInterrupt
        return of_class(documents, **options)

    with monkeypatch.context() as patch:
        patch.setattr(extractor, "extract_all", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            extract_file(extractor, source, target, **options)
    assert not target.exists()


@pytest.mark.parametrize("output_format", ["jsonl", "rams"])
@pytest.mark.parametrize(("call", "resumed"), [(1, 0), (2, 2), (3, 5), (4, 7), (5, 9), (6, 10)])
def test_what_was_done_is_kept_when_an_extraction_breaks_off(
    call, resumed, output_format, extractor, source, tmp_path, small_pools, monkeypatch
):
    whole, target, options = tmp_path / "whole", tmp_path / "target", {"output_format": output_format}
    extract(extractor, source, whole, **options)
    break_off(extractor, source, target, monkeypatch, call=call, **options)

    assert extract(extractor, source, target, **options)["resumed"] == resumed
    assert target.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_a_group_that_is_half_written_is_extracted_again(cut, extractor, source, tmp_path, small_pools, monkeypatch):
    whole, target = tmp_path / "whole", tmp_path / "target"
    extract(extractor, source, whole)
    break_off(extractor, source, target, monkeypatch, call=4)
    current = partial_of(extractor, target).with_suffix(".pool")
    content = current.read_bytes()
    current.write_bytes(content[: int(cut * len(content))])

    assert extract(extractor, source, target)["resumed"] == 5
    assert target.read_bytes() == whole.read_bytes()


def test_a_pool_that_was_written_just_before_a_kill_is_not_taken_for_the_next_one(
    extractor, source, tmp_path, small_pools
):
    whole, target = tmp_path / "whole", tmp_path / "target"
    extract(extractor, source, whole)
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    partial_of(extractor, target).write_text("".join(lines[:5]), encoding="utf-8")
    partial_of(extractor, target).with_suffix(".pool").write_text("".join(lines[:5]), encoding="utf-8")

    assert extract(extractor, source, target)["resumed"] == 5
    assert target.read_bytes() == whole.read_bytes()


def test_something_is_written_long_before_a_pool_is_done(extractor, source, tmp_path, monkeypatch):
    monkeypatch.setattr(partial_files, "GROUP_EVENTS", 3)
    heard = []
    extract_file(extractor, source, tmp_path / "target", on_documents=heard.append)
    assert len(heard) > 3
    assert sum(heard) == 12


@pytest.mark.parametrize("content", ["not JSON\n", '{"id": "dev-000"}\n', "[]\n", "\n", "\xff\n"])
def test_a_begun_file_of_another_kind_is_refused_and_left(content, extractor, source, tmp_path):
    partial = partial_of(extractor, tmp_path / "target")
    partial.write_text(content, encoding="latin-1")
    with pytest.raises(EventuneError, match=r"\.partial: expected what an interrupted extraction .* 'dev-000'"):
        extract_file(extractor, source, tmp_path / "target")
    assert partial.read_text(encoding="latin-1") == content


def test_a_begun_extraction_from_another_corpus_is_refused(extractor, source, small_corpus, tmp_path):
    shutil.copy(small_corpus / "train.jsonl", partial_of(extractor, tmp_path / "target"))
    with pytest.raises(EventuneError, match="from the same corpus") as raised:
        extract_file(extractor, source, tmp_path / "target")
    assert "remove it" in raised.value.hint


@pytest.mark.parametrize("output_format", ["jsonl", "rams"])
def test_a_begun_extraction_of_other_events_is_refused(output_format, extractor, corpus, source, tmp_path):
    first = corpus.documents[0]
    changed = first.with_events([replace(event, type="life.die") for event in first.events])
    assert changed != first
    write_corpus([changed], partial_of(extractor, tmp_path / "target"), output_format)
    with pytest.raises(EventuneError, match="from the same corpus"):
        extract_file(extractor, source, tmp_path / "target", output_format=output_format)


def test_what_another_run_began_is_not_gone_on_with(extractor, source, tiny_run, tmp_path):
    other = Extractor.load(tiny_run)
    begun = partial_of(other, tmp_path / "target")
    begun.write_text("of another run\n")

    assert extract_file(extractor, source, tmp_path / "target")["resumed"] == 0
    assert begun.read_text() == "of another run\n"


def test_an_extraction_that_fails_at_once_leaves_no_empty_file(extractor, source, tmp_path, monkeypatch):
    def fail(documents, **_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(extractor, "extract_all", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        extract_file(extractor, source, tmp_path / "target")
    assert not list(tmp_path.iterdir())


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


def test_a_file_that_exists_is_not_overwritten(extractor, source, tmp_path):
    target = tmp_path / "out.jsonl"
    target.write_text("precious")
    with pytest.raises(EventuneError, match="exists already"):
        extract_file(extractor, source, target)
    assert target.read_text() == "precious"


def test_two_extractions_into_one_file_do_not_mix(extractor, source, tmp_path, small_pools):
    target, refused = tmp_path / "out.jsonl", []

    def begin_another(_):
        with pytest.raises(LockedError, match="another eventune process"):
            extract_file(extractor, source, target)
        refused.append(target)

    extract(extractor, source, target, on_documents=begin_another)

    assert len(refused) > 1
    assert [document.id for document in read_corpus(target)] == [document.id for document in read_corpus(source)]


def test_a_folder_that_is_removed_on_the_way_ends_the_extraction(extractor, source, tmp_path, small_pools):
    folder, heard = tmp_path / "results", []
    folder.mkdir()

    def remove(_):
        heard.append(folder)
        shutil.rmtree(folder)

    message = r"out\.jsonl: cannot be written: No such file or directory\nits folder .* was removed on the way"
    with pytest.raises(EventuneError, match=message):
        extract_file(extractor, source, folder / "out.jsonl", on_documents=remove)
    assert len(heard) == 1, "it went on without a place to write to"
    assert list(tmp_path.iterdir()) == []


def test_a_bad_corpus_is_refused_before_anything_is_written(extractor, source, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text(source.read_text(encoding="utf-8") + '{"id": "x"\n', encoding="utf-8")
    with pytest.raises(EventuneError, match=r"bad\.jsonl:13: .*broken JSON"):
        extract_file(extractor, bad, tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]


def test_a_folder_that_does_not_exist_is_named(extractor, source, tmp_path):
    with pytest.raises(EventuneError, match=r"absent/out\.jsonl: cannot be written: No such file or directory"):
        extract_file(extractor, source, tmp_path / "absent" / "out.jsonl")


def test_rams_output_has_one_line_an_event_and_is_read_back(extractor, corpus, source, tmp_path):
    target = tmp_path / "out.jsonlines"
    extract(extractor, source, target, output_format="rams")

    records = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    expected = [(event, document) for document in extractor.extract_all(corpus.documents) for event in document.events]
    assert len(records) == len(expected)
    again = read_corpus(target)
    assert again.format == "rams"
    for read, (event, document) in zip(again, expected, strict=True):
        assert read.words == document.words
        assert read.events[0].type == event.type
        assert [(a.role, a.span) for a in read.events[0].arguments] == [(a.role, a.span) for a in event.arguments]


def test_events_of_unknown_types_are_counted(extractor, corpus, tmp_path):
    write_corpus([corpus[0], corpus[1].with_events([Event("unheard.of", Span(0, 1))])], tmp_path / "in.jsonl")
    assert extract(extractor, tmp_path / "in.jsonl", tmp_path / "out.jsonl")["unknown_types"] == 1


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
