import json
import logging
import os

import pytest

from eventune.corpora import (
    AUTO,
    Format,
    format_names,
    read_corpus,
    register_format,
    registry,
    stream_corpus,
    write_corpus,
)
from eventune.corpora.registry import format_named
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, Span


def document(number):
    return Document.from_sentences(f"d{number}", [["Rebels", "shelled", "Homs"]])


@pytest.fixture
def ten(tmp_path):
    path = tmp_path / "ten.jsonl"
    write_corpus(map(document, range(1, 11)), path)
    return path


def replace_line(path, number, text):
    lines = path.read_bytes().split(b"\n")
    lines[number - 1] = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(b"\n".join(lines))


def test_corpus_is_a_sequence_that_knows_where_it_comes_from(ten):
    corpus = read_corpus(ten)
    assert len(corpus) == 10
    assert corpus[0] == document(1)
    assert [part.id for part in corpus[-2:]] == ["d9", "d10"]
    assert (corpus.format, corpus.path, corpus.guessed) == ("jsonl", ten, True)


def test_named_format_is_not_called_guessed(ten):
    assert not read_corpus(ten, "jsonl").guessed


def test_guess_is_logged(ten, caplog):
    with caplog.at_level(logging.INFO, logger="eventune"):
        read_corpus(str(ten))
    assert "format: jsonl (guessed)" in caplog.text


def test_blank_lines_byte_order_mark_and_windows_line_ends_are_accepted(ten):
    lines = ten.read_text().splitlines()
    ten.write_bytes(b"\xef\xbb\xbf\r\n" + "\r\n \r\n".join(lines).encode())
    assert len(read_corpus(ten)) == 10
    ten.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    assert len(read_corpus(ten)) == 10


def test_unusual_line_separators_inside_a_text_do_not_end_a_line(tmp_path):
    odd = Document("d", "a\u2028b\x85c\x0bd", (Span(0, 1),), (Span(0, 1),))
    write_corpus([odd], tmp_path / "odd.jsonl")
    assert read_corpus(tmp_path / "odd.jsonl")[0] == odd


def test_missing_file_is_named(tmp_path):
    with pytest.raises(EventuneError, match=r"nowhere\.jsonl: no such file"):
        read_corpus(tmp_path / "nowhere.jsonl")


def test_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(EventuneError, match="expected a file, found a folder"):
        read_corpus(tmp_path)


def test_pipe_is_refused_because_it_cannot_be_read_twice(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(EventuneError, match="expected a file, found a pipe or a device"):
        read_corpus(tmp_path / "pipe")


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_empty_file_holds_no_document(content, tmp_path):
    (tmp_path / "empty.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(EventuneError, match=r"empty\.jsonl: holds no document"):
        read_corpus(tmp_path / "empty.jsonl")


def test_broken_json_in_line_seven_names_file_line_and_cause(ten):
    replace_line(ten, 7, '{"id": "d7", "text" "a"}')
    with pytest.raises(
        EventuneError, match=r"ten\.jsonl:7: line: expected one JSON object, found broken JSON: Expecting ':' delimiter"
    ):
        read_corpus(ten)


def test_line_cut_off_at_the_end_is_reported(ten):
    ten.write_bytes(ten.read_bytes()[:-20])
    with pytest.raises(EventuneError, match=r"ten\.jsonl:10: line: expected one JSON object"):
        read_corpus(ten)


def test_text_that_is_not_utf8_names_line_and_byte(ten):
    replace_line(ten, 3, json.dumps({"id": "d3", "text": "市场"}, ensure_ascii=False).encode("gb18030"))
    with pytest.raises(EventuneError, match=r"ten\.jsonl:3: encoding: expected UTF-8, found byte 0xca at position 23"):
        read_corpus(ten)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", r"record: expected an object, found \[1\]"),
        ('{"id": "d7"}', "text: expected a string, found no such field"),
        ('{"id": "d7", "text": 5}', "text: expected a string, found 5"),
        ('{"id": "d7", "text": "a", "metadata": {"x": NaN}}', "finite numbers only, found NaN"),
        ('{"id": "d7", "text": "\\ud83d"}', r"expected Unicode text, found half a surrogate pair \(\\ud83d\)"),
        ("[" * 100_000, "nested too deeply"),
        (
            '{"id": "d7", "text": "a", "tokens": [[0, 1]], "events": [{"type": "x", "trigger": [0, 2]}]}',
            r"events\[0\]\.trigger: expected a span .* 1 tokens, found \[0, 2\)",
        ),
    ],
)
def test_bad_record_names_line_and_field(ten, line, message):
    replace_line(ten, 7, line)
    with pytest.raises(EventuneError, match=r"ten\.jsonl:7: .*" + message):
        read_corpus(ten)


def test_whole_emoji_in_escapes_is_text(ten):
    replace_line(ten, 7, '{"id": "d7", "text": "\\ud83d\\ude00"}')
    assert read_corpus(ten)[6].text == "\U0001f600"


def test_second_document_with_one_identifier_names_both_lines(ten):
    replace_line(ten, 7, '{"id": "d2", "text": "a"}')
    with pytest.raises(EventuneError, match=r"ten\.jsonl:7: id: .* found 'd2' again, as in .*:2"):
        read_corpus(ten)


def test_all_bad_lines_are_reported_at_once(ten):
    replace_line(ten, 2, "{")
    replace_line(ten, 9, '{"id": "d9"}')
    with pytest.raises(EventuneError) as caught:
        read_corpus(ten)
    head, first, second = caught.value.message.split("\n")
    assert head.endswith("ten.jsonl: 2 bad lines")
    assert "ten.jsonl:2: line" in first
    assert "ten.jsonl:9: text" in second
    assert "nothing was read" in caught.value.hint


def test_long_list_of_bad_lines_is_cut(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "d", "text": 1}\n' * 57)
    with pytest.raises(EventuneError) as caught:
        read_corpus(path)
    lines = caught.value.message.split("\n")
    assert len(lines) == 22
    assert lines[-1] == "… and 37 more"


def test_misspelt_field_suggests_the_right_one(ten):
    replace_line(ten, 7, '{"id": "d7", "text": "a", "evnts": []}')
    with pytest.raises(EventuneError, match=r"\(did you mean 'events'\?\)"):
        read_corpus(ten)


def test_unknown_format_suggests_the_closest(ten):
    with pytest.raises(EventuneError, match=r"unknown corpus format 'ramz'\ndid you mean 'rams'\?"):
        read_corpus(ten, "ramz")
    with pytest.raises(EventuneError, match=r"unknown corpus format 'xyz'\nknown formats: jsonl, doccano"):
        write_corpus([], ten, "xyz")


def test_record_of_no_known_format_names_its_fields(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"sentence": "a", "labels": []}')
    with pytest.raises(EventuneError, match=r"a\.jsonl:1: .* \(jsonl, .*rams\), found 'sentence', 'labels'"):
        read_corpus(tmp_path / "a.jsonl")


def test_format_is_guessed_from_the_first_line_that_can_be_read(ten):
    replace_line(ten, 1, "{")
    with pytest.raises(EventuneError, match=r"^\S*ten\.jsonl:1: line: [^\n]*\nmend"):
        read_corpus(ten)


def test_written_file_is_complete_or_left_as_it_was(ten):
    before = ten.read_bytes()

    def failing():
        yield document(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_corpus(failing(), ten)
    assert ten.read_bytes() == before
    assert list(ten.parent.iterdir()) == [ten]


def test_file_can_be_rewritten_from_its_own_stream(ten):
    before = ten.read_bytes()
    assert write_corpus(stream_corpus(ten), ten) == 10
    assert ten.read_bytes() == before


def test_two_documents_with_one_identifier_are_not_written(tmp_path):
    with pytest.raises(EventuneError, match="found 'd1' again"):
        write_corpus([document(1), document(1)], tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_of_the_output_is_named(tmp_path):
    with pytest.raises(EventuneError, match=r"cannot be written: No such file or directory\ncreate its folder"):
        write_corpus([document(1)], tmp_path / "no" / "out.jsonl")


def test_score_that_is_no_number_is_not_written(tmp_path):
    event = Event("attack", None, (Argument("place", Span(2, 3), float("nan")),))
    with pytest.raises(EventuneError, match="document 'd1' cannot be written: expected finite numbers"):
        write_corpus([document(1).with_events([event])], tmp_path / "out.jsonl")


def test_listed_format_without_its_module_is_not_passed_over(monkeypatch):
    monkeypatch.setattr(registry, "_FORMATS", {})
    monkeypatch.setattr(registry, "_MODULES", ("jsonl", "wikievent"))
    with pytest.raises(ModuleNotFoundError, match="wikievent"):
        format_names()


def test_format_name_can_be_registered_once():
    jsonl = format_named("jsonl")
    for name in ("jsonl", AUTO):
        with pytest.raises(EventuneError, match=f"a corpus format named '{name}' exists already"):
            register_format(Format(name, "", "id", jsonl.recognises, jsonl.read, jsonl.write))
    assert format_names()[0] == "jsonl"
    assert len(set(format_names())) == len(format_names()) >= 13
