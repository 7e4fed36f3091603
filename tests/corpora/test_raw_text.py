"""Raw text from wherever it comes, with the offsets of the text as it came."""

import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventune.corpora import read_corpus, write_corpus
from eventune.corpora.raw_text import document_of, open_event_free, open_texts, parse_marked_text
from eventune.corpora.related_spans import number_of
from eventune.errors import EventuneError
from eventune.events import Argument, Event, Mention, Span

# Combining marks, emoji with joiners, ideographs, right-to-left with its controls, line ends of all kinds, brackets.
ALPHABET = (
    "ab Z9.,-'\"[]|<&\\\t\n\r\x85\u2028\u2029\u3000\u0301\u200d\u200f\u202e\ufeff病例。！？“”😀👩🏽אش؟क्\U00020000"
)
TEXTS = st.one_of(
    st.text(st.sampled_from(ALPHABET), max_size=60),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
)
LANGUAGES = st.sampled_from(("auto", "en", "zh", "ar", "hi", "th", "xx"))
COMMON = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def unmarked(text):
    """A text that no brackets turn into marks."""
    return text.replace("[", "(").replace("]", ")")


def texts(documents):
    return {document.id: document.text for document in documents}


@settings(COMMON, max_examples=400)
@given(TEXTS.map(unmarked), LANGUAGES)
def test_every_character_that_is_no_space_is_in_exactly_one_token_where_it_stands(text, language):
    document = document_of(text, language=language)
    assert document.text == text
    covered = [index for token in document.tokens for index in range(token.start, token.end)]
    assert covered == sorted(set(covered))
    assert "".join(document.words) == "".join(text[index] for index in covered)
    assert not any(not text[index].isspace() for index in set(range(len(text))) - set(covered))


@settings(COMMON, max_examples=200)
@given(TEXTS.map(unmarked), st.text("abc病é😀", min_size=1, max_size=5), TEXTS.map(unmarked))
def test_a_mark_is_taken_out_and_its_trigger_found_behind_it(before, trigger, after):
    document = parse_marked_text(f"{before} [[{trigger}|attack]] {after}")
    assert document.text == f"{before} {trigger} {after}"
    [event] = document.events
    assert document.text_of(event.trigger) == trigger
    assert document.characters_of(event.trigger).start == len(before) + 1


@st.composite
def extractions(draw):
    """A text with events at tokens of it, as an extraction leaves it."""
    document = document_of(draw(TEXTS.map(unmarked)), id="7")
    if not document.tokens:
        return document

    def span():
        start = draw(st.integers(0, len(document.tokens) - 1))
        return Span(start, draw(st.integers(start + 1, min(start + 3, len(document.tokens)))))

    arguments = st.integers(0, 3).map(lambda number: [Argument(f"role{n}_", span(), 0.5) for n in range(number)])
    events = [Event("attack", span(), tuple(draw(arguments))) for _ in range(draw(st.integers(0, 2)))]
    return document.with_events(events)


def places(document):
    """What was found, by characters."""
    return sorted(
        (
            event.type,
            document.pieces_of(event.mentions[0] if event.mentions else Mention(event.trigger)),
            sorted((argument.role, document.pieces_of(argument)) for argument in event.arguments),
        )
        for event in document.events
    )


@pytest.mark.parametrize("format", ["jsonl", "brat", "label_studio"])
@settings(COMMON)
@given(extractions())
def test_what_was_found_comes_back_at_its_characters(format, tmp_path_factory, document):
    target = tmp_path_factory.mktemp("found") / "out"
    write_corpus([document], target, format)
    [again] = read_corpus(target, format)
    assert again.text == document.text
    assert places(again) == places(document)


@settings(COMMON)
@given(extractions())
def test_a_written_line_says_in_characters_what_the_text_has_there(document):
    from eventune.corpora.jsonl import write_document

    [record] = write_document(document)
    for event in record["events"]:
        for place in [event, *event["arguments"]]:
            assert document.text[place["start"] : place["end"]] == place["text"]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_stay_as_they_came(ends, tmp_path):
    text = f"One.{ends}{ends}Rebels [[shelled|attack]] Homs.{ends}"
    (tmp_path / "a.txt").write_bytes(text.encode())
    [document] = open_texts(tmp_path / "a.txt")
    assert document.text == text.replace("[[", "").replace("|attack]]", "")
    assert document.text_of(document.events[0].trigger) == "shelled"
    assert len(document.sentences) == 2


def test_a_folder_is_read_with_all_its_texts(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_text("Two.")
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfOne.")
    (tmp_path / "notes.md").write_text("no text")
    (tmp_path / "empty.txt").write_text("")
    assert texts(open_texts(tmp_path)) == {"a": "One.", "b/x": "Two.", "empty": ""}


def test_a_folder_with_annotations_is_brat(tmp_path):
    (tmp_path / "a.txt").write_text("Rebels shelled Homs.")
    (tmp_path / "a.ann").write_text("T1\tattack 7 14\tshelled\nE1\tattack:T1\n")
    [document] = open_texts(tmp_path)
    assert document.events[0].type == "attack"


def test_a_folder_without_texts_is_refused(tmp_path):
    with pytest.raises(EventuneError, match=r"expected \.txt files, or brat's \.ann files, in the folder, found none"):
        list(open_texts(tmp_path))


def write(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_any_field_of_json_lines_can_be_the_text(tmp_path):
    source = write(tmp_path / "in.jsonl", {"body": "One.", "n": 3}, {"id": 9, "body": "Two [[blasts|attack]]."})
    first, second = open_texts(source, text_field="body")
    assert (first.id, first.text, first.metadata) == ("1", "One.", {"n": 3})
    assert (second.id, second.events) == ("9", (Event("attack", Span(1, 2)),))


def test_records_with_a_text_alone_are_raw_text(tmp_path):
    source = write(tmp_path / "in.jsonl", {"text": "One.", "url": "u"}, {"text": "Two."})
    assert texts(open_texts(source)) == {"1": "One.", "2": "Two."}


def test_annotated_records_are_read_in_their_format(tmp_path):
    source = write(tmp_path / "in.jsonl", {"id": "d", "text": "a b", "tokens": [[0, 3]]})
    [document] = open_texts(source)
    assert document.words == ("a b",)


def test_all_bad_records_are_named_at_once(tmp_path):
    records = {"text": 3}, {"text": "a [[b|c"}, {"text": "x", "id": 1}, {"text": "y", "id": 1}
    source = write(tmp_path / "in.jsonl", {"text": ""}, *records)
    with pytest.raises(EventuneError) as raised:
        list(open_texts(source))
    message = raised.value.message
    assert "in.jsonl:2: text: expected a string, found 3" in message
    assert "in.jsonl:3: expected a text with [[trigger|event type]] in it" in message
    # The first record, which has no identifier, is number 1.
    assert "in.jsonl:4: id: expected an identifier of its own, found '1' again" in message


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "expected a text, found nothing"), (b"caf\xe9", "encoding: expected UTF-8")]
)
def test_standard_input_without_a_text_is_refused(content, message, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(EventuneError, match=f"standard input: {message}"):
        list(open_texts("-"))


def test_standard_input_can_be_read_twice(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Zwei. Sätze.".encode())))
    source = open_texts("-")
    assert [texts(source), texts(source)] == [{"text": "Zwei. Sätze."}] * 2


@pytest.mark.parametrize("name", ["absent.txt", "absent.jsonl", "absent"])
def test_what_is_not_there_is_said(name, tmp_path):
    with pytest.raises(EventuneError, match="no such file"):
        open_texts(tmp_path / name)


def test_half_a_surrogate_pair_is_no_text():
    with pytest.raises(EventuneError, match=r"text: expected Unicode, found .* at position 3"):
        document_of("ab\ud800")


def test_brackets_are_text_where_nothing_is_marked():
    assert document_of("as in [[1]] and a[[0]]").text == "as in [[1]] and a[[0]]"
    with pytest.raises(EventuneError, match="expected a text with"):
        document_of("as in [[1]] they [[shot|attack]] him")


def test_each_line_of_a_plain_text_without_events_is_a_document(tmp_path):
    content = "\ufeffOne.\r\n\n  \nTwo. Three.".encode()
    (tmp_path / "free.txt").write_bytes(content)
    (tmp_path / "free.txt.gz").write_bytes(gzip.compress(content))
    for name in ("free.txt", "free.txt.gz"):
        assert texts(open_event_free(tmp_path / name)) == {"1": "One.", "4": "Two. Three."}


def test_identifiers_of_numbered_records_are_written_as_numbers(tmp_path):
    [document] = open_texts(write(tmp_path / "in.jsonl", {"text": "One."}))
    assert number_of(document.id) == 1
