"""Whatever a model would say, an answer is JSON whose values are spans of the document."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from eventune.backbones.chatglm.tokenizer import build_tokenizer
from eventune.corpora import stream_corpus
from eventune.events import Argument, Document, Event, Ontology, Span
from eventune.generation.encoding import ConversationEncoder
from eventune.generation.extracting.answer_tokens import AnswerTokenizer
from eventune.generation.extracting.answers import found_in
from eventune.generation.extracting.grammar import Grammar, State, Words
from eventune.generation.extracting.prompt_encoding import PromptEncoder
from eventune.generation.extracting.prompts import PromptTemplate, Question
from eventune.generation.extracting.questions import QuestionBuilder
from eventune.generation.extracting.script import Script


def question(document: Document, *events: int) -> Question:
    return Question(document, events, Span(0, len(document.tokens)))


def written(grammar: Grammar, choose: Any) -> tuple[State, list[int]]:
    state, tokens = grammar.start(), []
    while not state.is_complete:
        tokens.append(choose(state.allowed()))
        state = grammar.advance(state, tokens[-1])
    return state, tokens


def spoken(grammar: Grammar, tokens: list[int]) -> dict[str, Any]:
    assert tokens[-1] == grammar.answer_tokenizer.eos
    value = json.loads(grammar.answer_tokenizer.text(tokens))
    assert isinstance(value, dict)
    return value


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("events", [(0,), (1,), (0, 1)])
def test_random_answers_parse_and_their_values_are_spans_at_the_places_given(
    prompt_encoder_with: Any, document: Document, ontology: Ontology, events: tuple[int, ...]
) -> None:
    prompt_encoder = prompt_encoder_with(events_per_prompt=2, max_span_length=4)
    draw = random.Random(0)
    for _ in range(60):
        grammar = prompt_encoder.grammar(question(document, *events))
        state, tokens = written(grammar, draw.choice)
        assert len(tokens) <= grammar.budget
        answer = spoken(grammar, tokens)
        by_event = answer if len(events) > 1 else {"1": answer}
        assert list(by_event) == [str(number + 1) for number in range(len(events))]
        found = found_in(state, grammar.script, question(document, *events))
        for number, event in enumerate(events):
            roles = ontology[document.events[event].type].roles
            assert list(by_event[str(number + 1)]) == [role.name for role in roles]
            for role in roles:
                said = [plain(value) for value in by_event[str(number + 1)][role.name]]
                assert len(said) <= role.multiplicity
                arguments = [f.argument for f in found if f.event == event and f.argument.role == role.name]
                places = [plain(document.text_of(argument.span)) for argument in arguments]
                # A value beyond its mentions has no place left.
                assert set(places) == set(said)
                assert all(len(argument.span) <= 4 for argument in arguments)


def test_the_words_of_chinese_documents_are_written_without_space(prompt_encoder_with: Any, chinese: Document) -> None:
    draw = random.Random(1)
    for _ in range(20):
        grammar = prompt_encoder_with(max_span_length=5).grammar(question(chinese, 0))
        tokens = written(grammar, draw.choice)[1]
        for values in spoken(grammar, tokens).values():
            assert all(value in chinese.text for value in values)


def test_an_answer_ends_within_its_budget_whatever_is_chosen(prompt_encoder_with: Any, document: Document) -> None:
    prompt_encoder = prompt_encoder_with(max_new_tokens=130)
    grammar = prompt_encoder.grammar(question(document, 0))
    assert grammar.least < 130
    # Always the last: rather one more value, rather a longer one.
    for choose in (lambda allowed: allowed[-1], lambda allowed: allowed[0], max):
        assert len(written(grammar, choose)[1]) <= 130


def test_gold_answers_are_among_those_allowed_and_give_their_spans_back(
    prompt_encoder_with: Any, document: Document
) -> None:
    prompt_encoder = prompt_encoder_with(events_per_prompt=2)
    part = prompt_encoder.encode([document])
    (questions,), (example,) = part.questions, part.examples
    grammar = prompt_encoder.grammar(questions.question)
    state = grammar.start()
    for token in [label for label in example.labels if label >= 0]:
        state = grammar.advance(state, token)
    assert state.is_complete
    found = found_in(state, grammar.script, questions.question)
    for index, event in enumerate(document.events):
        assert {(f.argument.role, f.argument.span) for f in found if f.event == index} == {
            (argument.role, argument.span) for argument in event.arguments
        }


def test_of_several_mentions_the_one_nearest_the_trigger_is_meant(prompt_encoder_with: Any, document: Document) -> None:
    for event, expected in ((0, Span(0, 1)), (1, Span(10, 11))):
        grammar = prompt_encoder_with().grammar(question(document, event))
        spelled = grammar.answer_tokenizer.piece("Gunmen")
        answer = grammar.write([[list(spelled)], *[[] for _ in grammar.script.slots[1:]]])
        state = grammar.start()
        for token in answer:
            state = grammar.advance(state, token)
        (found,) = found_in(state, grammar.script, question(document, event))
        assert found.argument.span == expected


def test_a_span_does_not_go_beyond_its_sentence_or_its_greatest_length(
    prompt_encoder_with: Any, document: Document
) -> None:
    words = prompt_encoder_with(max_span_length=3).grammar(question(document, 0)).words
    assert words.spell(Span(4, 7)) is not None
    assert words.spell(Span(6, 8)) is None
    assert words.spell(Span(0, 4)) is None


def test_a_token_that_may_not_follow_is_refused(prompt_encoder_with: Any, document: Document) -> None:
    grammar = prompt_encoder_with().grammar(question(document, 0))
    with pytest.raises(ValueError, match="may not follow"):
        grammar.advance(grammar.start(), grammar.answer_tokenizer.eos)


def test_events_without_roles_have_empty_objects(prompt_encoder_with: Any, document: Document) -> None:
    silent = document.with_events(
        [type(e)("weather", e.trigger) if n == 1 else e for n, e in enumerate([*document.events, document.events[0]])]
    )
    for events, expected in (((1,), {}), ((0, 1), None), ((1, 0), None), ((0, 1, 2), None)):
        grammar = prompt_encoder_with().grammar(question(silent, *events))
        answer = spoken(grammar, written(grammar, min)[1])
        if expected is None:
            assert len(answer) == len(events)
            assert answer[str(events.index(1) + 1)] == {}
        else:
            assert answer == expected


def test_a_tokenizer_that_puts_a_space_before_every_text_writes_none_of_its_own(document: Document) -> None:
    letters = sorted(set('abcdefghijklmnopqrstuvwxyzGKTAQ0123456789{}[]",:.\\_') | {"▁", "\n"})
    vocabulary = {piece: index for index, piece in enumerate(["<s>", "</s>", *letters, "▁m", "▁met", "men", "in"])}
    backend = Tokenizer(models.BPE(vocabulary, [("▁", "m"), ("i", "n")], unk_token=None))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    backend.decoder = decoders.Metaspace(prepend_scheme="always", split=False)
    answer_tokenizer = AnswerTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>", bos_token="<s>")
    )
    pieces = [answer_tokenizer.piece(text) for text in ('{"place":', ' ["', "in", " men", '"]}')]
    assert answer_tokenizer.text([token for piece in pieces for token in piece]).strip() == '{"place": ["in men"]}'


def test_random_answers_about_real_documents_are_grounded(prompt_encoder_with: Any, corpora_folder: Path) -> None:
    draw, checked = random.Random(2), 0
    for name in ("rams/dev.jsonlines", "phee/dev.json", "fewfc/train_trans.json"):
        path = corpora_folder / name
        if not path.is_file():
            pytest.skip(f"needs {path}")
        documents = list(itertools.islice(stream_corpus(path), 12))
        prompt_encoder = prompt_encoder_with(max_new_tokens=4000, max_prompt=100_000)
        prompt_encoder.question_builder.ontology = Ontology.induced_from(documents)
        prompt_encoder.question_builder.prompt = PromptTemplate.read("", prompt_encoder.question_builder.ontology)
        part = prompt_encoder.encode(documents)
        for questions, example in zip(part.questions, part.examples, strict=True):
            grammar = prompt_encoder.grammar(questions.question)
            # The gold answer is one of those allowed, and a random one is grounded.
            gold = grammar.start()
            for label in [label for label in example.labels if label >= 0]:
                gold = grammar.advance(gold, label)
            assert gold.is_complete
            state, tokens = written(grammar, draw.choice)
            said = {role: [plain(value) for value in values] for role, values in spoken(grammar, tokens).items()}
            for item in found_in(state, grammar.script, questions.question):
                assert plain(questions.question.document.text_of(item.argument.span)) in said[item.argument.role]
                checked += 1
    assert checked > 100


def test_random_answers_in_chatglm2s_tokens_are_grounded(
    reference_folder: Path, document: Document, chinese: Document, ontology: Ontology
) -> None:
    path = reference_folder / "chatglm2" / "tokenizer_tiny" / "tokenizer.model"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    tokenizer = build_tokenizer(path, model_max_length=4096)
    encoder = ConversationEncoder(tokenizer, max_source_length=10_000, max_target_length=512)
    prompt_encoder = PromptEncoder(
        QuestionBuilder(ontology, PromptTemplate.read("", ontology)),
        encoder,
        AnswerTokenizer(tokenizer),
        max_prompt=4000,
    )
    part, draw = prompt_encoder.encode([document, chinese]), random.Random(3)
    prefix = tokenizer("")["input_ids"]
    for questions in part.questions:
        assert questions.prompt[:2] == prefix
        shown = questions.question.document
        for _ in range(20):
            grammar = prompt_encoder.grammar(questions.question)
            state, tokens = written(grammar, draw.choice)
            said = {role: [plain(value) for value in values] for role, values in spoken(grammar, tokens).items()}
            for item in found_in(state, grammar.script, questions.question):
                assert plain(shown.text_of(item.argument.span)) in said[item.argument.role]


def test_special_tokens_and_characters_that_vanish_are_no_values(prompt_encoder_with: Any, tokenizer: Any) -> None:
    words = ["Gunmen", "<|im_end|>", "shot", "<|endoftext|>men", "in", "Kabul"]
    document = Document.from_sentences("s", [words], events=[Event("conflict.attack", Span(2, 3))])
    prompt_encoder, draw = prompt_encoder_with(), random.Random(4)
    (questions,) = prompt_encoder.encode([document]).questions
    ends = [token for token in questions.prompt if token == tokenizer.eos_token_id]
    assert len(ends) == 1
    for _ in range(60):
        state, tokens = written(prompt_encoder.grammar(questions.question), draw.choice)
        assert tokens.count(tokenizer.eos_token_id) == 1
        assert len(spoken(prompt_encoder.grammar(questions.question), tokens)) == len(state.values)


def test_a_normaliser_that_drops_or_changes_characters_breaks_no_answer(ontology: Ontology) -> None:
    letters = [*'abcdefghijklmnopqrstuvwxyzGKTAQ0123456789{}[]",:.\\_ <>/()?-', "\n", "<u>"]
    vocabulary = {piece: index for index, piece in enumerate(["</s>", *letters])}
    backend = Tokenizer(models.BPE(vocabulary, [], unk_token="<u>"))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("\u200b", "")])
    backend.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>", unk_token="<u>")
    document = Document.from_sentences("n", [["a", "\u200b", "＂hi＂", "b"]])
    words, draw = Words(document, Span(0, 4), AnswerTokenizer(tokenizer), max_span_length=4), random.Random(5)
    grammar = Grammar(Script.of([ontology["conflict.attack"]]), words, AnswerTokenizer(tokenizer), 300)
    for _ in range(40):
        assert spoken(grammar, written(grammar, draw.choice)[1])


def test_a_word_longer_than_the_budget_leaves_the_others(prompt_encoder_with: Any) -> None:
    words = ["Gunmen", "shot", "x" * 300, "men"]
    event = Event("conflict.attack", Span(1, 2), (Argument("attacker", Span(0, 1)), Argument("target", Span(2, 3))))
    document = Document.from_sentences("w", [words], events=[event])
    part = prompt_encoder_with(max_new_tokens=120).encode([document])
    assert part.unreachable == {"beyond max_new_tokens": 1}
    grammar = prompt_encoder_with(max_new_tokens=120).grammar(part.questions[0].question)
    for choose in (lambda allowed: allowed[-1], min):
        state, tokens = written(grammar, choose)
        assert len(tokens) <= 120
        assert any(state.values)
