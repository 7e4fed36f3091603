"""From documents to tensors, and what is out of reach."""

import contextlib
import itertools

import pytest

from eventune.corpora import read_corpus, read_ontology
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.extraction.marks import MAX_SENTENCE_DISTANCE, Mark
from eventune.extraction.subwords import MAX_SUBWORDS_A_WORD

SENTENCES = [["Rebels", "from", "Homs", "rested", "."], ["They", "shelled", "the", "old-town", "."], ["Silence", "."]]


TRIGGER = Span(6, 7)


def document(*arguments, sentences=SENTENCES, trigger=TRIGGER, type="conflict.attack"):
    event = Event(type, trigger, tuple(Argument(role, Span(*span)) for role, span in arguments))
    return Document.from_sentences("d", sentences, events=[event])


def encode(builder, *documents):
    return builder.encode(documents)


def subwords_of(tokenizer, example, first, last):
    return tokenizer.convert_ids_to_tokens(example.input_ids[first : last + 1])


def joined(subwords):
    return "".join(subword.removeprefix("##") for subword in subwords)


def test_first_and_last_tokens_of_each_word_decode_to_the_word(builder, tokenizer):
    ontology = read_ontology(sample_file("ontology"))
    documents = read_corpus(sample_file("dev"))[:20]
    examples, _ = builder(ontology=ontology).encode(documents)
    assert examples
    for example in examples:
        words = documents[example.document].words[example.first_word :]
        for word, first, last in zip(words, example.word_starts, example.word_ends, strict=False):
            assert joined(subwords_of(tokenizer, example, first, last)) == word.lower()
        # Together the words are the text between the two separators: nothing lost, nothing twice.
        assert example.word_starts[1:] == [last + 1 for last in example.word_ends[:-1]]
        assert example.input_ids[example.word_starts[0] - 1] == tokenizer.sep_token_id
        assert example.word_ends[-1] == len(example.input_ids) - 2
        assert example.input_ids[-1] == tokenizer.sep_token_id


def test_prompt_names_type_trigger_and_roles(builder, tokenizer):
    [example], _ = encode(builder(), document())
    prompt = tokenizer.convert_ids_to_tokens(example.input_ids[: example.word_starts[0]])
    assert prompt[0] == "[CLS]"
    assert prompt[-1] == "[SEP]"
    assert joined(prompt[1:-1]) == "conflictattackshelled:attackerplaceofbirthtarget"


def test_role_tokens_are_the_words_of_the_role(builder, tokenizer):
    [example], _ = encode(builder(), document())
    names = [joined(subwords_of(tokenizer, example, *ends)) for ends in example.role_tokens]
    assert names == ["attacker", "placeofbirth", "target"]


def test_every_token_is_marked_by_what_it_is(builder):
    [example], _ = encode(builder(), document())
    assert len(example.marks) == len(example.input_ids)
    for first, last in example.role_tokens:
        assert set(example.marks[first : last + 1]) == {Mark.ROLE}
    before_roles = example.marks[: example.role_tokens[0][0]]
    assert [mark for mark, _ in itertools.groupby(before_roles)] == [
        Mark.NONE,
        Mark.TYPE,
        Mark.PROMPT_TRIGGER,
        Mark.NONE,
    ]
    words = [set(example.marks[f : e + 1]) for f, e in zip(example.word_starts, example.word_ends, strict=True)]
    same_sentence = Mark.TEXT + MAX_SENTENCE_DISTANCE
    expected = [same_sentence - 1] * 5 + [same_sentence, Mark.TRIGGER, *[same_sentence] * 3] + [same_sentence + 1] * 2
    assert words == [{mark} for mark in expected]
    assert example.marks[-1] == Mark.NONE


def test_marks_of_far_sentences_stay_inside_their_table(builder):
    sentences = [[f"w{n}", "."] for n in range(20)]
    [example], _ = encode(builder(), document(sentences=sentences, trigger=Span(20, 21)))
    of_words = [example.marks[first] for first in example.word_starts]
    assert of_words[0] == Mark.TEXT
    assert of_words[-1] == Mark.count() - 1
    assert max(example.marks) < Mark.count()
    # The distances in between are all told apart, in order.
    assert sorted(set(of_words) - {Mark.TRIGGER}) == list(range(Mark.TEXT, Mark.count()))
    assert [mark for mark in of_words if mark != Mark.TRIGGER] == sorted(m for m in of_words if m != Mark.TRIGGER)


def test_event_without_trigger_is_read_without_marks_on_the_text(builder, tokenizer):
    [example], _ = encode(builder(), document(("target", (7, 9)), trigger=None))
    assert {example.marks[first] for first in example.word_starts} == {Mark.NONE}
    assert Mark.PROMPT_TRIGGER not in example.marks
    assert example.gold == [(2, 7, 1)]


def test_a_very_long_word_is_read_by_its_ends(builder, tokenizer):
    word = "x" * 40 + "y" * 40 + "z"
    [example], _ = encode(builder(), document(sentences=[["A", word, "shelled", "Homs"]], trigger=Span(2, 3)))
    subwords = subwords_of(tokenizer, example, example.word_starts[1], example.word_ends[1])
    assert len(subwords) <= MAX_SUBWORDS_A_WORD
    assert len(example.word_starts) == 4
    if len(subwords) > 1:
        assert (subwords[0][0], subwords[-1][-1]) == ("x", "z")


@pytest.mark.parametrize("dropped", ["\u200b", "\u200d\u200c", "\x07", "\u0301", "\ufffd", "𓀀"])
def test_words_that_the_tokenizer_drops_are_unknown_but_not_lost(dropped, builder, tokenizer):
    sentences = [["A", dropped, "shelled", "Homs"]]
    [example], _ = encode(builder(), document(("target", (3, 4)), sentences=sentences, trigger=Span(2, 3)))
    assert subwords_of(tokenizer, example, example.word_starts[1], example.word_ends[1]) == ["[UNK]"]
    assert joined(subwords_of(tokenizer, example, example.word_starts[3], example.word_ends[3])) == "homs"
    assert example.gold == [(2, 3, 0)]


@pytest.mark.parametrize("place", [0, 700, 1993])
def test_an_argument_far_from_its_trigger_is_in_exactly_the_windows_that_hold_it(place, builder):
    words = [f"word{n}" if n % 3 else "town" for n in range(2000)]
    sentences = [words[n : n + 20] for n in range(0, 2000, 20)]
    far = document(("target", (place, place + 4)), sentences=sentences, trigger=Span(1501, 1502))

    examples, coverage = encode(builder(), far)

    assert len(examples) > 10
    assert coverage.gold == 1
    assert not coverage.unreachable
    holding = 0
    for example in examples:
        window = Span(example.first_word, example.first_word + len(example.word_starts))
        if window.contains(Span(place, place + 4)):
            assert example.gold == [(2, place - window.start, 3)]
            holding += 1
        else:
            assert example.gold == []
    assert 1 <= holding < len(examples)
    assert all(len(example.input_ids) <= 256 for example in examples)


def test_the_prompt_names_the_trigger_in_windows_far_from_it(builder):
    sentences = [["town"] * 20 for _ in range(50)]
    examples, _ = encode(builder(), document(sentences=sentences, trigger=Span(3, 4)))
    assert len(examples) > 2
    assert all(Mark.PROMPT_TRIGGER in example.marks for example in examples)
    assert [Mark.TRIGGER in example.marks for example in examples] == [True] + [False] * (len(examples) - 1)


def test_arguments_out_of_reach_are_counted_by_reason(builder):
    _, coverage = encode(
        builder(max_span_length=2),
        document(("attacker", (0, 1)), ("target", (7, 10)), ("target", (4, 6)), ("victim", (0, 1))),
        document(("attacker", (0, 1)), type="unheard.of"),
        document(("place", (2, 3)), type="rest"),
    )
    assert coverage.gold == 6
    assert coverage.unreachable == {
        "longer than max_span_length 2": 1,
        "crosses a sentence boundary": 1,
        "role not in the ontology": 2,
        "event type not in the ontology": 1,
    }


def test_fillers_beyond_what_a_role_may_have_are_out_of_reach(builder):
    examples, coverage = encode(
        builder(), document(*[("target", (n, n + 1)) for n in (0, 2, 7, 8)], ("attacker", (5, 6)))
    )
    assert coverage.unreachable == {"more fillers than the ontology allows": 2}
    assert len(examples[0].gold) == 5


def test_arguments_out_of_reach_are_no_targets(builder):
    [example], _ = encode(
        builder(max_span_length=2),
        document(("attacker", (0, 1)), ("target", (7, 10)), ("target", (4, 6)), ("victim", (0, 1))),
    )
    assert example.gold == [(0, 0, 0)]


def test_an_argument_that_stands_twice_is_one_target(builder):
    [example], coverage = encode(builder(), document(("attacker", (0, 1)), ("attacker", (0, 1))))
    assert example.gold == [(0, 0, 0)]
    assert coverage.gold == 2
    assert coverage.unreachable == {"overlaps another filler of its role": 1}


def test_a_filler_inside_another_is_out_of_reach_unless_its_role_differs(builder):
    _, coverage = encode(builder(), document(("attacker", (0, 3)), ("attacker", (2, 3)), ("target", (2, 3))))
    assert coverage.unreachable == {"overlaps another filler of its role": 1}


def test_events_without_roles_or_of_unknown_type_give_no_example(builder):
    examples, coverage = encode(builder(), document(type="rest"), document(type="unheard.of"))
    assert examples == []
    assert (coverage.gold, coverage.unreachable.total()) == (0, 0)


def test_examples_know_document_and_event(builder):
    both = document().with_events([Event("meet", Span(0, 1)), Event("rest", Span(0, 1)), Event("meet", Span(6, 7))])
    examples, _ = encode(builder(), document(type="rest"), both)
    assert [(example.document, example.event) for example in examples] == [(1, 0), (1, 2)]


def test_prompt_that_leaves_no_room_for_the_text_is_refused(builder):
    roles = tuple(Role(f"role-number-{n}") for n in range(40))
    with pytest.raises(EventuneError, match=r"event type 'meet': its prompt takes \d+ of 64 subword tokens") as raised:
        encode(builder(max_length=64, ontology=Ontology.of([EventType("meet", roles)])), document(type="meet"))
    assert "shorter names" in raised.value.hint


def test_whatever_prompt_is_taken_leaves_room_for_the_longest_word(builder):
    """The shortest allowed window with prompts of all lengths: no word may be too long for it."""
    taken = []
    for trigger_words in range(1, 60):
        sentences = [["They", "q" * 100, *["q"] * trigger_words, "0" * 99]]
        text = document(sentences=sentences, trigger=Span(2, 2 + trigger_words))
        with contextlib.suppress(EventuneError):
            examples, _ = encode(builder(max_length=64), text)
            words = {example.first_word + n for example in examples for n in range(len(example.word_starts))}
            assert words == set(range(trigger_words + 3))
            taken.append(trigger_words)
    # What is refused is refused for its prompt, and only from some length on.
    assert taken == list(range(1, len(taken) + 1))
    assert 20 < len(taken) < 59
    next_longer = document(sentences=[["q"] * 90], trigger=Span(0, len(taken) + 1))
    with pytest.raises(EventuneError, match="too little room"):
        encode(builder(max_length=64), next_longer)


def test_with_a_trigger_window_each_event_is_read_once_around_its_trigger(builder):
    long = document(("attacker", (0, 3)), ("target", (7, 9)), sentences=[*SENTENCES, *[["word"] * 40] * 20])
    [example], coverage = builder(trigger_window=60).encode([long])

    assert example.first_word <= TRIGGER.start < example.first_word + len(example.word_starts)
    assert len(example.input_ids) - example.word_starts[0] <= 61
    assert coverage.unreachable == {}

    [example], coverage = builder(trigger_window=6, max_span_length=3).encode([long])
    assert dict(coverage.unreachable) == {"in no window that is read": 2}


def test_an_event_without_a_trigger_is_read_in_the_whole_document(builder):
    long = document(sentences=[*SENTENCES, *[["word"] * 40] * 20], trigger=None)
    examples, _ = builder(trigger_window=20).encode([long])
    assert len(examples) > 1


DESCRIBED = Ontology.of(
    [EventType("attack", (Role("attacker", description="who does it"), Role("place")), description="some violence")]
)


def test_descriptions_stand_behind_the_names_that_they_explain(builder, tokenizer):
    event = document(("attacker", (0, 1)), type="attack")
    [plain], _ = builder(ontology=DESCRIBED).encode([event])
    [example], coverage = builder(ontology=DESCRIBED, role_descriptions=True).encode([event])

    prompt = tokenizer.convert_ids_to_tokens(example.input_ids[: example.word_starts[0]])
    # The tests' tokenizer has no brackets.
    text = joined(prompt[1:-1]).replace("[UNK]", "|")
    assert text == "attack|someviolence|shelled:attacker|whodoesit|place"
    names = [joined(subwords_of(tokenizer, example, *place)) for place in example.role_tokens]
    assert names == ["attacker", "place"]
    marked = [mark for mark in example.marks if mark in (Mark.ROLE, Mark.TYPE)]
    assert marked == [mark for mark in plain.marks if mark in (Mark.ROLE, Mark.TYPE)]
    assert example.gold == plain.gold
    assert coverage.unreachable == {}


def test_descriptions_are_left_out_where_they_leave_too_little_to_the_text(builder):
    wordy = Ontology.of([EventType("attack", (Role("attacker", description="who does it " * 20),))])
    plain = builder(ontology=wordy, max_length=64).encode([document(type="attack")])
    assert builder(ontology=wordy, max_length=64, role_descriptions=True).encode([document(type="attack")]) == plain


def test_what_is_near_the_trigger_is_read_once_more(builder):
    long = document(("attacker", (0, 3)), ("target", (7, 9)), sentences=[*SENTENCES, *[["word"] * 40] * 8])
    [whole, near], coverage = builder(near_window=16, max_length=4096).encode([long])

    assert (whole.is_near, near.is_near) == (False, True)
    assert len(near.word_starts) < len(whole.word_starts) == 332
    assert near.first_word <= TRIGGER.start < near.first_word + len(near.word_starts)
    assert near.input_ids[: near.word_starts[0]] == whole.input_ids[: whole.word_starts[0]]
    # What is out of reach is asked of the first reading alone.
    assert (coverage.gold, coverage.unreachable.total()) == (2, 0)
    assert len(whole.gold) == 2


def test_what_is_near_is_not_read_twice_where_it_is_all_there_is(builder):
    assert len(builder(near_window=60).encode([document()])[0]) == 1
    without_trigger = document(sentences=[*SENTENCES, *[["word"] * 40] * 2], trigger=None)
    assert [example.is_near for example in builder(near_window=16, max_length=4096).encode([without_trigger])[0]] == [
        False
    ]


def test_a_second_reading_is_no_longer_than_what_is_read_at_once(builder):
    long = document(sentences=[*SENTENCES, *[["word"] * 40] * 8], trigger=Span(150, 151))
    examples, _ = builder(near_window=5000, max_length=128).encode([long])
    assert examples[-1].is_near
    assert max(len(example.input_ids) for example in examples) <= 128
