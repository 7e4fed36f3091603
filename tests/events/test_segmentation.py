import pytest

from eventune.events import Document
from eventune.events.segmentation import segment, sentences_of


def words(text):
    return [text[token.start : token.end] for token in segment(text)[0]]


def sentences(text):
    tokens, spans = segment(text)
    return [text[tokens[span.start].start : tokens[span.end - 1].end] for span in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Iraq's army didn't fly.", "Iraq|'s|army|did|n't|fly|."),
        ("We’re sure they won’t", "We|’re|sure|they|wo|n’t"),
        ("I CAN'T, she'd", "I|CA|N'T|,|she|'d"),
        ("O'Brien's dogs' food", "O'Brien|'s|dogs|'|food"),
        ("it cost $1,250.50 (10%) at 12:30", "it|cost|$|1,250.50|(|10|%|)|at|12:30"),
        ("the 21st of 2016-06-12", "the|21st|of|2016|-|06|-|12"),
        ("Mr. Smith of the U.S. Army", "Mr.|Smith|of|the|U.S.|Army"),
        ("kick-off -- well...", "kick|-|off|--|well|..."),
        ("see https://a.example/b?c=1.", "see|https://a.example/b?c=1|."),
        ("2016年，中国ABC公司", "2016|年|，|中|国|ABC|公|司"),
        ("日本のニュース", "日|本|の|ニ|ュ|ー|ス"),
        ("“naïve cafe\u0301”", "“|naïve|cafe\u0301|”"),
        ("a\u00a0b\u3000c", "a|b|c"),
        ("👍🏽 ok_then", "👍🏽|ok_then"),
        ("👩🏽‍🚀🇩🇪🇫🇷❤️!", "👩🏽‍🚀|🇩🇪|🇫🇷|❤️|!"),
        ("cafe\u0301s, cafe\u0301's o\u0308l", "cafe\u0301s|,|cafe\u0301|'s|o\u0308l"),
        ("हिन्दी में लिखा है।", "हिन्दी|में|लिखा|है|।"),
        ("می\u200cخواهم شَمْس", "می\u200cخواهم|شَمْس"),
        ("שָׁלוֹם עולם", "שָׁלוֹם|עולם"),
        ("ที่นี่ 12", "ที่|นี่|12"),
        ("か\u3099き", "か\u3099|き"),
    ],
)
def test_words_are_cut_as_in_the_treebank(text, expected):
    assert words(text) == expected.split("|")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left. She stayed!", "He left.|She stayed!"),
        ("Mr. Smith met Dr. No. They spoke.", "Mr. Smith met Dr. No.|They spoke."),
        ("The U.S. Army left the U.K. in May.", "The U.S. Army left the U.K. in May."),
        ("It began at 5 p.m. The end came.", "It began at 5 p.m.|The end came."),
        ("George W. Bush spoke. So did I. He left.", "George W. Bush spoke.|So did I.|He left."),
        ('"Stop!" he said. "Why?"', '"Stop!" he said.|"Why?"'),
        ("(He left.) She stayed.", "(He left.)|She stayed."),
        ("Really?! Yes. Prices rose 3.5 per cent.", "Really?!|Yes.|Prices rose 3.5 per cent."),
        ("Visit example.com. Now.", "Visit example.com.|Now."),
        ("A headline\n\nThe text\nwrapped.", "A headline|The text\nwrapped."),
        ("他说：“很好！”然后离开了。下一句？没有", "他说：“很好！”|然后离开了。|下一句？|没有"),
        ("公司称……股价上涨。", "公司称……股价上涨。"),
        ("no end", "no end"),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, expected):
    assert sentences(text) == expected.split("|")


@pytest.mark.parametrize("text", ["", " \n\t ", "\ufeff"])
def test_text_without_words_makes_a_valid_document(text):
    tokens, spans = segment(text)
    Document("d", text, tokens, spans)


def test_no_character_is_lost():
    text = "It's 5 o'clock—“ｆｕｌｌ” हिन्दी 한국어 ©2024 \u200bz\u0301 a'b'c 'tis ''x'' `y` #tag @me $5k ½"
    assert "".join(words(text)) == "".join(text.split())


def test_sentences_are_found_over_given_tokens():
    document = Document.from_sentences("d", [["Mr.", "Smith", "left", ".", "She", "stayed", "."]])
    assert [len(span) for span in sentences_of(document.text, document.tokens)] == [4, 3]


def test_long_input_takes_linear_time():
    text = "n'" * 50_000 + " " + "a" * 100_000 + " " + ")" * 20_000 + " " + "https://" * 5_000
    assert "".join(words(text)) == text.replace(" ", "")
    assert segment(text)[1]


def test_words_of_rams_are_found_again(rams_dev):
    shared = total = 0
    for document in rams_dev:
        own = set(document.tokens)
        shared += len(own.intersection(segment(document.text)[0]))
        total += len(own)
    assert shared / total > 0.98
