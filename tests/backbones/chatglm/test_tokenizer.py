import json

import pytest
from transformers import AutoTokenizer

from eventune.backbones.chatglm.tokenizer import build_tokenizer, is_tiktoken
from eventune.errors import EventuneError


@pytest.fixture(scope="module")
def cases(chatglm2_reference):
    return json.loads((chatglm2_reference / "tokenizer_tiny" / "cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=["built", "loaded"])
def tokenizer(request, chatglm2_reference, tmp_path_factory):
    """The tokenizer, as it is built and as transformers loads what it saved."""
    built = build_tokenizer(chatglm2_reference / "tokenizer_tiny" / "tokenizer.model")
    if request.param == "built":
        return built
    folder = tmp_path_factory.mktemp("tokenizer")
    built.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def positions(encoded):
    """Positions as the published tokenizer gives them; transformers' generation makes them of the mask."""
    return [[max(0, sum(mask[: at + 1]) - 1) for at in range(len(mask))] for mask in encoded["attention_mask"]]


def test_ids_and_texts_are_those_of_the_published_tokenizer(tokenizer, cases) -> None:
    for row in cases["rows"]:
        ids = tokenizer(row["text"])["input_ids"]
        plain = tokenizer(row["text"], add_special_tokens=False)["input_ids"]
        assert (ids, plain) == (row["ids"], row["plain"])
        assert tokenizer.decode(ids, skip_special_tokens=True) == row["decode_full"]
        assert tokenizer.decode(plain, skip_special_tokens=True) == row["decode_plain"]


def texts_of(tokenizer, encoded):
    """The texts that a batch was made of, told from its ids without the padding."""
    pairs = zip(encoded["input_ids"], encoded["attention_mask"], strict=True)
    rows = [[index for index, is_read in zip(*pair, strict=True) if is_read] for pair in pairs]
    return [tokenizer.decode(ids, skip_special_tokens=True) for ids in rows]


def test_pairs_and_truncation_are_those_of_the_published_tokenizer(tokenizer, cases) -> None:
    pair, cut = cases["pair"]["input_ids"], cases["trunc"]["input_ids"]
    second = next(at for at in range(3, len(pair)) if pair[at] == pair[2])
    first_text, second_text = tokenizer.decode(pair[2:second]), tokenizer.decode(pair[second:-1])
    long = tokenizer.decode(cut, skip_special_tokens=True) + " and so on"

    assert tokenizer(first_text, second_text)["input_ids"] == pair
    assert tokenizer(long, truncation=True, max_length=len(cut))["input_ids"] == cut


@pytest.mark.parametrize(("name", "multiple"), [("batch", None), ("pad8", 8)])
def test_batches_are_padded_on_the_left(tokenizer, cases, name, multiple) -> None:
    expected = cases[name]
    encoded = tokenizer(texts_of(tokenizer, expected), padding=True, pad_to_multiple_of=multiple)

    assert encoded["input_ids"] == expected["input_ids"]
    assert encoded["attention_mask"] == expected["attention_mask"]
    assert positions(encoded) == expected["position_ids"]


def test_special_tokens_are_those_of_the_published_tokenizer(tokenizer, cases) -> None:
    named = {name: index for name, index in cases["specials"].items() if not name.startswith("<")}

    assert tokenizer.convert_tokens_to_ids(list(named)) == list(named.values())
    assert len(tokenizer) == cases["len"]
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (cases["pad_token_id"], cases["eos_token_id"])
    assert tokenizer.pad_token == cases["pad"]


def test_the_chat_template_is_the_published_prompt(tokenizer, cases) -> None:
    def render(*turns, ask=True):
        roles = ["user", "assistant"] * len(turns)
        messages = [{"role": role, "content": turn} for role, turn in zip(roles, turns, strict=False)]
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask)

    assert render("Q") == cases["build_prompt0"]
    assert render("Q1", "A1", "Q2", "A2", "Q3") == cases["build_prompt2"]
    assert render("Q1", "A1", "Q2", ask=False) == "[Round 1]\n\n问：Q1\n\n答：A1\n\n[Round 2]\n\n问：Q2\n\n"


def test_a_system_message_stands_before_the_rounds(tmp_path, sentencepiece_model) -> None:
    (tmp_path / "tokenizer.model").write_bytes(sentencepiece_model(["▁"]))
    tokenizer = build_tokenizer(tmp_path / "tokenizer.model")
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    assert text == "S\n\n[Round 1]\n\n问：Q\n\n答："


def test_chatglm3s_roles_follow_and_bring_no_template(tmp_path, sentencepiece_model) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(sentencepiece_model(["▁"]))
    tokenizer = build_tokenizer(path, roles=True)

    assert tokenizer.convert_tokens_to_ids(["eop", "<|system|>", "<|observation|>"]) == [264, 265, 268]
    assert tokenizer.chat_template is None
    assert tokenizer("a")["input_ids"][:2] == tokenizer.convert_tokens_to_ids(["[gMASK]", "sop"])


def test_files_of_other_tokenizers_are_refused(tmp_path, sentencepiece_model) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(sentencepiece_model(["▁"]).replace(b"<0x00>", b"<0x99>"))
    with pytest.raises(EventuneError, match="expected the piece <0x00> at 3, found '<0x99>'"):
        build_tokenizer(path)
    assert not is_tiktoken(path)
    path.write_text("IQ== 0\nIg== 1\n", encoding="utf-8")
    assert is_tiktoken(path)
