"""What holds of every format, over random documents and over broken records."""

import json
import random
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventune.corpora import Losses, format_names, read_corpus, stream_corpus, write_corpus
from eventune.corpora.jsonl import read_document, write_document
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import format_named
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span
from eventune.events.segmentation import segment, segment_characters

# Combining marks, emoji with joiners and beyond the basic plane, ideographs, right-to-left, line ends of all kinds.
ALPHABET = "ab Z9.,-'\"<&\\\t\n\r\x85\u2028\u0301\u0308\u200d\ufeff病例。😀👩🏽אش\U00020000"
TEXTS = st.one_of(
    st.text(st.sampled_from(ALPHABET), min_size=1, max_size=60),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40),
)
NAMES = st.text("abcXYZ._-病", min_size=1, max_size=8)
FORMATS = format_names()
COMMON = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@st.composite
def documents(draw):
    text = draw(TEXTS)
    tokens, sentences = draw(st.sampled_from((segment, segment_characters)))(text)
    offsets = Offsets(text, tokens)

    def pieces(most):
        found = []
        for _ in range(draw(st.integers(1, most))):
            token = draw(st.integers(0, len(tokens) - 1))
            start = draw(st.integers(0, tokens[token].start))
            end = draw(st.integers(tokens[token].end, len(text)))
            found.append((start, end))
        return found

    if not tokens:
        return Document(draw(NAMES), text, tokens, sentences)
    events = []
    for number in range(draw(st.integers(0, 3))):
        arguments = [
            offsets.argument(
                draw(NAMES),
                pieces(2),
                "x",
                filler=draw(st.sampled_from(("", "T1"))),
                score=draw(st.sampled_from((None, 0.25))),
                attributes=draw(st.sampled_from(({}, {"value": "high"}))),
            )
            for _ in range(draw(st.integers(0, 3)))
        ]
        mentions = tuple(offsets.mention(pieces(2), "x") for _ in range(draw(st.integers(0, 2))))
        trigger = mentions[0].span if mentions else draw(st.sampled_from((None, Span(0, 1))))
        events.append(
            Event(draw(NAMES), trigger, tuple(arguments), draw(st.sampled_from(("", f"E{number}"))), mentions)
        )
    entities = [
        Entity(tuple(offsets.mention(pieces(1), "x", id=f"m{number}.{n}") for n in range(draw(st.integers(1, 2)))))
        for number in range(draw(st.integers(0, 2)))
    ]
    return Document(draw(NAMES), text, tokens, sentences, tuple(events), {"source": "x"}, tuple(entities))


@settings(COMMON, max_examples=150)
@given(documents())
def test_own_format_loses_nothing(document):
    (record,) = write_document(document)
    assert read_document(json.loads(json.dumps(record))) == document


@settings(COMMON, max_examples=150)
@given(documents())
def test_exact_characters_come_back_from_tokens(document):
    offsets = Offsets(document.text, document.tokens)
    for event in document.events:
        for argument in event.arguments:
            pieces = [(piece.start, piece.end) for piece in document.pieces_of(argument)]
            again = offsets.argument(argument.role, pieces, "x")
            assert (again.span, again.fragments, again.characters) == (
                argument.span,
                argument.fragments,
                argument.characters,
            )


@pytest.mark.parametrize("name", FORMATS)
@COMMON
@given(document=documents())
def test_what_a_format_writes_it_reads(name, document):
    chosen = format_named(name)
    values = list(chosen.write(document))
    json.dumps(values, ensure_ascii=False, allow_nan=False).encode("utf-8")
    again = [chosen.read(json.loads(json.dumps(value))) for value in values]
    losses = Losses()
    losses.add(document, again)
    # What is written of it once has found its place: a second time nothing more is lost.
    for kept in again:
        twice = [chosen.read(value) for value in chosen.write(kept)]
        second = Losses()
        second.add(kept, twice)
        assert not second, str(second)


@pytest.mark.parametrize("name", FORMATS)
def test_files_come_back_from_every_layout(name, tmp_path):
    text = "Rebels shelled Homs 😀.\r\nIt fell."
    tokens, sentences = segment(text)
    event = Event("attack", Span(1, 2), (Argument("place", Span(2, 3)),), "E1", (Mention(Span(1, 2), "T1"),))
    source = [Document(f"d{n}", text, tokens, sentences, (event,)) for n in range(3)]
    target = tmp_path / "target"
    assert write_corpus(source, target, name, losses=Losses()) == 3
    found = read_corpus(target, name)
    assert len(found) == 3
    assert tuple(stream_corpus(target, name)) == found.documents
    assert read_corpus(target).format == name
    write_corpus(found, tmp_path / "again", name, losses=Losses())
    assert read_corpus(tmp_path / "again", name).documents == found.documents


@contextmanager
def suppress_into(errors, kind):
    try:
        yield
    except kind as error:
        errors.append(error)


WRONG = (None, True, -1, 3, 1e9, "", "text", "\x00", [], [[]], [5, 2], [0, 10**9], {}, {"a": None}, [None])


def mutated(value, draw):
    """Put something wrong in a random place of a JSON value."""
    if isinstance(value, dict) and value and draw.random() < 0.8:
        name = draw.choice(sorted(value))
        kind = draw.random()
        if kind < 0.15:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: mutated(value[name], draw)}
    if isinstance(value, list) and value and draw.random() < 0.8:
        place = draw.randrange(len(value))
        if draw.random() < 0.1:
            return value[:place] + value[place + 1 :]
        return [*value[:place], mutated(value[place], draw), *value[place + 1 :]]
    return draw.choice(WRONG)


@pytest.mark.parametrize("name", FORMATS)
def test_a_broken_record_is_read_or_refused_by_its_field(name):
    chosen = format_named(name)
    text = "Rebels shelled Homs, again. 病例"
    tokens, sentences = segment(text)
    arguments = (
        Argument("place", Span(2, 3), filler="m1"),
        Argument("place", Span(0, 3), fragments=(Span(0, 1), Span(2, 3))),
    )
    events = (Event("attack", Span(1, 2), arguments, "e1"), Event("fall", None, arguments))
    entity = Entity((Mention(Span(2, 3), "m1", "place"), Mention(Span(0, 1), "m2")), "c1")
    document = Document("d", text, tokens, sentences, events, {}, (entity,))
    draw = random.Random(0)
    records = list(chosen.write(document))
    errors = []
    for _ in range(400):
        value = mutated(draw.choice(records), draw)
        chosen.recognises(value)
        with suppress_into(errors, InvalidValueError):
            chosen.read(value)
    assert len(errors) > 20
    assert all(error.field and error.expected for error in errors)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("value", WRONG)
def test_a_record_of_another_kind_is_refused(name, value):
    chosen = format_named(name)
    assert chosen.recognises(value) in (True, False)
    errors = []
    with suppress_into(errors, InvalidValueError):
        chosen.read(value)
    assert all(error.field for error in errors)


def damaged(content, draw):
    """Damage the bytes of a file as disks, editors and exports do."""
    place = draw.randrange(len(content))
    kind = draw.randrange(6)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + b"\x00" + content[place:]
    if kind == 2:
        return content[:place] + b"\xff\xfe" + content[place:]
    if kind == 3:
        return content.decode().encode("utf-16")
    if kind == 4:
        return content[:place] + b"[" * 5000 + content[place:]
    return content[:place] + content[place + draw.randrange(40) :]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "brat"])
def test_a_damaged_file_never_gives_a_traceback(name, tmp_path):
    text = "Rebels shelled Homs."
    tokens, sentences = segment(text)
    event = Event("attack", Span(1, 2), (Argument("place", Span(2, 3)),))
    path = tmp_path / "file"
    write_corpus([Document(f"d{n}", text, tokens, sentences, (event,)) for n in range(3)], path, name, losses=Losses())
    content = path.read_bytes()
    draw = random.Random(1)
    errors = []
    for _ in range(60):
        path.write_bytes(damaged(content, draw))
        for chosen in (name, "auto"):
            with suppress_into(errors, EventuneError):
                read_corpus(path, chosen)
    assert errors
    assert all(str(path) in error.message for error in errors)


def test_a_line_of_ten_megabytes_is_read(tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"id": "d", "text": f"{'w' * 49} " * 200_000}), encoding="utf-8")
    assert len(read_corpus(path)[0].tokens) == 200_000
