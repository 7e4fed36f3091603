"""Extraction from files into files: once each, in order, whatever happens on the way."""

import gzip
import json
import shutil
from dataclasses import replace
from functools import partial

import pytest

from eventune.corpora import read_corpus, write_corpus
from eventune.corpora.inputs import open_inputs
from eventune.errors import EventuneError
from eventune.events import Event, Span
from eventune.inference.cluster import on_ray
from eventune.inference.extractor import Extractor
from eventune.inference.files import extract_file
from eventune.inference.pools import Options, PoolExtractor
from eventune.inference.workers import processes
from eventune.storage.locks import LockedError


@pytest.fixture
def source(small_corpus):
    return small_corpus / "dev.jsonl"


@pytest.fixture(autouse=True)
def small_pools(monkeypatch):
    """Pools of five documents: three of them."""
    monkeypatch.setattr("eventune.inference.extractor.POOL_DOCUMENTS", 5)


def begin(extractor, source, target, **options):
    """Extract; what is left beside the target stays."""
    names = [str(source)] if not isinstance(source, list) else [str(one) for one in source]
    return extract_file(PoolExtractor(extractor), open_inputs(names), target, **options)[0]


def extract(extractor, source, target, **options):
    counts = begin(extractor, source, target, **options)
    assert sorted(target.parent.glob(f"{target.name}.*")) in ([], [target.with_name(f"{target.name}.unreadable.jsonl")])
    return counts


def journal(target):
    [file] = target.parent.glob(f"{target.name}.*.journal")
    return file


def arguments_of(document):
    return [argument for event in document.events for argument in event.arguments]


def test_a_file_gets_the_arguments_of_all_documents(extractor, corpus, source, tmp_path):
    done = []

    counts = extract(extractor, source, tmp_path / "out.jsonl", on_documents=lambda *told: done.append(told))

    found = read_corpus(tmp_path / "out.jsonl").documents
    assert [d.words for d in found] == [d.words for d in corpus]
    assert counts == {
        "documents": len(corpus),
        "events": sum(len(document.events) for document in corpus),
        "arguments": sum(len(arguments_of(document)) for document in found),
        "resumed": 0,
        "unreadable": 0,
        "without_events": 0,
        "unknown_types": 0,
    }
    assert [number for number, _ in done] == [0, 5, 10, 12]
    assert done[-1] == (12, 12)


def test_all_else_that_a_corpus_says_is_kept(extractor, corpus, tmp_path):
    said = [replace(document, metadata={"url": document.id}) for document in corpus]
    write_corpus(said, tmp_path / "in.jsonl")
    extract(extractor, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert [document.metadata for document in read_corpus(tmp_path / "out.jsonl")] == [d.metadata for d in said]


class StoppedError(Exception):
    """Stands in for whatever ends a process."""


def break_off(extractor, source, target, *, after):
    """Extract, and stop when so many documents are done."""

    def hear(done, _):
        if done >= after:
            raise StoppedError

    with pytest.raises(StoppedError):
        begin(extractor, source, target, on_documents=hear)
    assert not target.exists()


@pytest.mark.parametrize("output_format", ["jsonl", "rams", "brat", "parquet"])
@pytest.mark.parametrize("after", [5, 10, 12])
def test_what_was_done_is_kept_when_an_extraction_breaks_off(after, output_format, extractor, source, tmp_path):
    whole, target = tmp_path / "whole", tmp_path / "target"
    expected = extract(extractor, source, whole, output_format=output_format)
    break_off(extractor, source, target, after=after)
    asked = []
    fresh = PoolExtractor(extractor)
    fresh.extract = lambda pool, of_class=fresh.extract: asked.append(len(pool.items)) or of_class(pool)

    counts = extract_file(fresh, open_inputs([str(source)]), target, output_format=output_format)[0]

    assert counts == {**expected, "resumed": after}
    assert sum(asked) == 12 - after
    assert contents(target) == contents(whole)


def contents(path):
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return [file.read_bytes() for file in files]


@pytest.mark.parametrize("cut", [1, 40, 400])
@pytest.mark.parametrize("kind", ["partial", "journal"])
def test_what_was_half_written_is_written_again(kind, cut, extractor, source, tmp_path):
    whole, target = tmp_path / "whole", tmp_path / "target"
    extract(extractor, source, whole)
    break_off(extractor, source, target, after=10)
    file = journal(target).with_suffix(f".{kind}")
    file.write_bytes(file.read_bytes()[:-cut])

    assert extract(extractor, source, target)["resumed"] < 10
    assert target.read_bytes() == whole.read_bytes()


def test_what_stands_behind_the_journal_is_not_doubled(extractor, source, tmp_path):
    whole, target = tmp_path / "whole", tmp_path / "target"
    extract(extractor, source, whole)
    break_off(extractor, source, target, after=5)
    with journal(target).with_suffix(".partial").open("ab") as file:
        file.write(whole.read_bytes().splitlines(keepends=True)[5])

    assert extract(extractor, source, target)["resumed"] == 5
    assert target.read_bytes() == whole.read_bytes()


def test_what_is_cut_off_of_one_file_is_not_counted_on_afterwards(extractor, source, tmp_path):
    target = tmp_path / "target"
    break_off(extractor, source, target, after=5)
    with journal(target).with_suffix(".unread").open("ab") as file:
        file.write(b'{"place": "half a li')
    break_off(extractor, source, target, after=10)

    assert extract(extractor, source, target)["resumed"] == 10


def test_documents_that_changed_since_are_refused_and_what_was_done_is_left(extractor, source, tmp_path):
    copy = shutil.copy(source, tmp_path / "in.jsonl")
    break_off(extractor, copy, tmp_path / "target", after=5)
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    copy.write_text("".join([lines[1], lines[0], *lines[2:]]), encoding="utf-8")

    with pytest.raises(EventuneError, match="from the same documents wrote, found one from others") as raised:
        begin(extractor, copy, tmp_path / "target")
    assert "remove it" in raised.value.hint
    assert len(read_corpus(journal(tmp_path / "target").with_suffix(".partial"), "jsonl")) == 5


def test_what_another_run_began_is_not_gone_on_with(extractor, source, tiny_run, tmp_path):
    break_off(Extractor.load(tiny_run), source, tmp_path / "target", after=5)
    assert begin(extractor, source, tmp_path / "target")["resumed"] == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"text_field": "id"}, {"text_field": "text"}),
        ({"text_field": "text", "language": "en"}, {"text_field": "text", "language": "de"}),
        ({}, {"text_field": "text"}),
        ({}, {"format": "jsonl"}),
    ],
)
def test_what_was_begun_by_reading_in_another_way_is_not_gone_on_with(before, after, idle, source, tmp_path):
    crew = PoolExtractor(idle, Options(types=("attack",)))

    def stop(done, _):
        if done >= 5:
            raise StoppedError

    with pytest.raises(StoppedError):
        extract_file(crew, open_inputs([str(source)], **before), tmp_path / "out.jsonl", on_documents=stop)
    counts, _ = extract_file(crew, open_inputs([str(source)], **after), tmp_path / "out.jsonl")
    extract_file(crew, open_inputs([str(source)], **after), tmp_path / "whole.jsonl")

    assert counts["resumed"] == 0
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_documents_that_are_gone_since_they_were_put_in_place_are_extracted_again(idle, source, tmp_path, monkeypatch):
    target = tmp_path / "out.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr("eventune.inference.files.Kept.discard", raises(StoppedError))
        with pytest.raises(StoppedError):
            begin(idle, source, target)
    target.unlink()

    assert extract(idle, source, target)["resumed"] == 0
    assert len(read_corpus(target)) == 12


def raises(error):
    def stop(*_):
        raise error

    return stop


def test_an_extraction_that_fails_at_once_leaves_no_empty_file(extractor, source, tmp_path, monkeypatch):
    def fail(documents, **_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(extractor, "extract_all", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        begin(extractor, source, tmp_path / "target")
    assert not list(tmp_path.iterdir())


def test_a_file_that_exists_is_not_overwritten(extractor, source, tmp_path):
    (tmp_path / "out.jsonl").write_text("precious")
    with pytest.raises(EventuneError, match="exists already"):
        begin(extractor, source, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "precious"


def test_two_extractions_into_one_file_do_not_mix(extractor, source, tmp_path):
    target, refused = tmp_path / "out.jsonl", []

    def begin_another(*_):
        with pytest.raises(LockedError, match="another eventune process"):
            begin(extractor, source, target)
        refused.append(target)

    extract(extractor, source, target, on_documents=begin_another)

    assert len(refused) > 1
    assert [document.id for document in read_corpus(target)] == [document.id for document in read_corpus(source)]


def test_a_folder_that_is_removed_on_the_way_ends_the_extraction(extractor, source, tmp_path):
    folder, heard = tmp_path / "results", []
    folder.mkdir()

    def remove(*_):
        heard.append(folder)
        shutil.rmtree(folder)

    message = r"out\.jsonl: cannot be written: No such file or directory\nits folder .* was removed on the way"
    with pytest.raises(EventuneError, match=message):
        begin(extractor, source, folder / "out.jsonl", on_documents=remove)
    assert len(heard) == 1, "it went on without a place to write to"
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_listed_with_the_reason_and_the_others_are_extracted(extractor, source, tmp_path):
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    bad = tmp_path / "bad.jsonl"
    bad.write_text("".join([*lines[:6], '{"id": "x"\n', *lines[6:], lines[0]]), encoding="utf-8")

    counts = extract(extractor, bad, tmp_path / "out.jsonl")

    assert (counts["documents"], counts["unreadable"]) == (12, 2)
    assert [d.id for d in read_corpus(tmp_path / "out.jsonl")] == [d.id for d in read_corpus(source)]
    listed = (tmp_path / "out.jsonl.unreadable.jsonl").read_text(encoding="utf-8").splitlines()
    broken, again = map(json.loads, listed)
    assert (broken["place"], again["place"]) == (f"{bad}:7", f"{bad}:14")
    assert "broken JSON" in broken["reason"]
    assert "expected an identifier of its own, found 'dev-000' again" in again["reason"]


def test_an_identifier_that_was_written_before_the_interruption_is_known_after_it(extractor, source, tmp_path):
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "in.jsonl").write_text("".join([*lines, lines[0]]), encoding="utf-8")
    break_off(extractor, tmp_path / "in.jsonl", tmp_path / "out.jsonl", after=10)
    counts = extract(extractor, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert (counts["documents"], counts["unreadable"]) == (12, 1)


def test_a_file_of_nothing_but_bad_records_is_refused_and_nothing_is_left(extractor, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"id": "x"\n{"id": "y"\n', encoding="utf-8")
    with pytest.raises(EventuneError, match=r"bad\.jsonl: 2 bad lines\n.*bad\.jsonl:1: .*broken JSON"):
        begin(extractor, tmp_path / "bad.jsonl", tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(extractor, source, tmp_path):
    packed = gzip.compress(source.read_bytes())
    (tmp_path / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    counts = extract(extractor, [source, tmp_path / "cut.jsonl.gz"], tmp_path / "out.jsonl")
    listed = (tmp_path / "out.jsonl.unreadable.jsonl").read_text(encoding="utf-8")
    assert counts["documents"] == 12
    assert "expected whole gzip data" in listed


def test_a_folder_that_does_not_exist_is_named(extractor, source, tmp_path):
    with pytest.raises(EventuneError, match=r"absent/out\.jsonl: cannot be written: No such file or directory"):
        begin(extractor, source, tmp_path / "absent" / "out.jsonl")


def test_rams_output_has_one_line_an_event_and_is_read_back(extractor, source, tmp_path):
    extract(extractor, source, tmp_path / "out.jsonl")
    extract(extractor, source, tmp_path / "out.jsonlines", output_format="rams")

    expected = [(e, d) for d in read_corpus(tmp_path / "out.jsonl") for e in d.events]
    again = read_corpus(tmp_path / "out.jsonlines")
    assert again.format == "rams"
    for read, (event, document) in zip(again, expected, strict=True):
        assert read.words == document.words
        assert read.events[0].type == event.type
        assert [(a.role, a.span) for a in read.events[0].arguments] == [(a.role, a.span) for a in event.arguments]


def test_parquet_is_read_back_as_it_was_found(extractor, source, tmp_path):
    extract(extractor, source, tmp_path / "out.jsonl")
    extract(extractor, source, tmp_path / "out.parquet", output_format="parquet")
    assert read_corpus(tmp_path / "out.parquet").documents == read_corpus(tmp_path / "out.jsonl").documents


def test_events_of_unknown_types_are_counted(extractor, corpus, tmp_path):
    write_corpus([corpus[0], corpus[1].with_events([Event("unheard.of", Span(0, 1))])], tmp_path / "in.jsonl")
    assert extract(extractor, tmp_path / "in.jsonl", tmp_path / "out.jsonl")["unknown_types"] == 1


@pytest.mark.slow
def test_processes_write_the_same_bytes_as_one(generous_run, extractor, small_corpus, tmp_path):
    source = small_corpus / "train.jsonl"
    extract(extractor, source, tmp_path / "one.jsonl")
    with processes(partial(Extractor.load, generous_run), Options(), 2) as crew:
        extract_file(crew, open_inputs([str(source)]), tmp_path / "two.jsonl")
    assert (tmp_path / "two.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_cluster_writes_the_same_bytes_as_one_process(generous_run, extractor, small_corpus, tmp_path):
    source = small_corpus / "train.jsonl"
    extract(extractor, source, tmp_path / "one.jsonl")
    with on_ray("local", partial(Extractor.load, generous_run), Options(), 2) as crew:
        extract_file(crew, open_inputs([str(source)]), tmp_path / "two.jsonl")
    assert (tmp_path / "two.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
