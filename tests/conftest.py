"""Fixtures that all tests share."""

import gc
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

from .forks import Forked

# Read when huggingface_hub is imported: a test that asked the hub would wait for it in vain.
os.environ["HF_HUB_OFFLINE"] = "1"


def pytest_collection_finish():
    """Keep all that was imported out of collections of garbage: each training ends in one, and forks copy it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def one_environment():
    """The same `os.environ` for all: datasets puts a copy in its place, and rich goes on looking at the first."""
    environment = os.environ
    yield
    os.environ = environment  # noqa: B003


@pytest.fixture(scope="session")
def fixtures():
    """Files that tests read and that no code of today could make."""
    return Path(__file__).resolve().parent / "fixtures"


@pytest.fixture(scope="session")
def killed_before():
    """Does some work in a process that is killed just before its n-th change to files, and tells whether it was."""
    changes = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate"}

    def killed_before(number, work):
        child = os.fork()
        if child == 0:
            left = iter(range(number - 1))

            def watch(event, arguments):
                writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
                if (writes or event in changes) and next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(watch)
            try:
                work()
            finally:
                os._exit(0)
        return os.waitpid(child, 0)[1] == signal.SIGKILL

    return killed_before


@pytest.fixture(scope="session")
def forked():
    """Does some work in a process of its own: `forked(work)`, or the command `forked.command(*words)`."""
    return Forked


@pytest.fixture(scope="session")
def forking():
    """Lets a module start commands of eventune as forks while a block lasts, without loading torch for each."""

    @contextmanager
    def forking(module):
        names = {name: getattr(subprocess, name) for name in ("DEVNULL", "TimeoutExpired")}
        with mock.patch.object(module, "subprocess", SimpleNamespace(Popen=Forked.popen, **names)):
            yield

    return forking


@pytest.fixture(scope="session")
def corpora_folder():
    """Published corpora, which are no part of the repository."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    return Path(os.environ.get("EVENTUNE_CORPORA", beside))


@pytest.fixture(scope="session")
def rams_folder(corpora_folder):
    folder = corpora_folder / "rams"
    if not (folder / "dev.jsonlines").is_file():
        pytest.skip(f"needs RAMS 1.0 in {folder}; set EVENTUNE_CORPORA to the folder that holds rams/dev.jsonlines")
    return folder


@pytest.fixture(scope="session")
def rams_dev(rams_folder):
    from eventune.corpora import read_corpus

    return read_corpus(rams_folder / "dev.jsonlines")


@pytest.fixture(scope="session")
def reference_folder():
    """Outputs of the published scorers, which are no part of the repository."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    folder = Path(os.environ.get("EVENTUNE_REFERENCE", beside))
    if not (folder / "scorers").is_dir():
        pytest.skip(f"needs the official scorers' outputs in {folder}/scorers; set EVENTUNE_REFERENCE to the folder")
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory):
    """Folder of a random BERT, 2 layers × 32, whose vocabulary is the built-in sample's words and all its letters."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    from eventune.corpora.sample import sample_file

    split = pre_tokenizers.BertPreTokenizer()
    texts = [sample_file(part).read_text(encoding="utf-8").lower() for part in ("train", "dev", "test", "ontology")]
    words = sorted({word for text in texts for word, _ in split.pre_tokenize_str(text) if not word.isdigit()})
    letters = sorted(set("".join(words)) | set("0123456789"))
    subwords = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {subword: index for index, subword in enumerate(dict.fromkeys(subwords))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = split
    ends = ("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"])
    tokenizer.post_processor = processors.BertProcessing(*ends)
    folder = tmp_path_factory.mktemp("tiny") / "encoder"
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=256,
            initializer_range=0.2,
        )
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory):
    """Folder with the first documents of the built-in sample: train.jsonl, dev.jsonl, and the ontology."""
    from eventune.corpora.sample import sample_file

    folder = tmp_path_factory.mktemp("corpus")
    for part, count in (("train", 40), ("dev", 12)):
        lines = sample_file(part).read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / f"{part}.jsonl").write_text("".join(lines[:count]), encoding="utf-8")
    (folder / "ontology.yaml").write_bytes(sample_file("ontology").read_bytes())
    return folder


@pytest.fixture(scope="session")
def tiny_recipe(tiny_encoder, small_corpus):
    """Settings of a run that takes seconds, all but its `output_dir`."""
    return {
        "model_name_or_path": str(tiny_encoder),
        "train_file": str(small_corpus / "train.jsonl"),
        "dev_file": str(small_corpus / "dev.jsonl"),
        "ontology_file": str(small_corpus / "ontology.yaml"),
        "num_train_epochs": 3,
        "learning_rate": 5e-3,
        "head_learning_rate": 5e-3,
    }


@pytest.fixture(scope="session")
def tiny_run(tiny_recipe, tmp_path_factory):
    """A finished run directory; tests that change files in it take a copy."""
    from eventune.recipe import Recipe
    from eventune.runs.training import train

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    train(Recipe.of({**tiny_recipe, "output_dir": str(folder)}))
    return folder


@pytest.fixture(scope="session")
def tiny_llm(tmp_path_factory):
    """Folder of a random Llama, 2 layers × 32, which reads any text byte by byte and has a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = [*specials, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    folder = tmp_path_factory.mktemp("tiny-llm")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|endoftext|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        chat_template=template,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def chatglm2_reference():
    """A tiny ChatGLM2 and what the published code computes with it; no part of the repository."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    folder = Path(os.environ.get("EVENTUNE_REFERENCE", beside)) / "chatglm2"
    if not (folder / "io.safetensors").is_file():
        pytest.skip(f"needs the published code's outputs in {folder}; set EVENTUNE_REFERENCE to the folder above it")
    return folder


@pytest.fixture(scope="session")
def tiny_glm(tmp_path_factory):
    """Folder of a random Glm, 2 layers × 32, in several files, without a tokenizer."""
    import torch
    from transformers import GlmConfig, GlmForCausalLM

    config = GlmConfig(
        vocab_size=288,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        rms_norm_eps=1e-5,
        max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5},
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.2,
    )
    folder = tmp_path_factory.mktemp("tiny-glm")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GlmForCausalLM(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder, max_shard_size="40KB")
    return folder


@pytest.fixture(scope="session")
def sentencepiece_model():
    """Makes a SentencePiece file in ChatGLM2's layout; the pieces' scores fall."""
    import struct

    def varint(value):
        low, rest = value & 0x7F, value >> 7
        return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])

    def field(number, content):
        if isinstance(content, int):
            return varint(number << 3) + varint(content)
        return varint(number << 3 | 2) + varint(len(content)) + content

    def make(pieces, *, model_type=2, **normalizer):
        controls = [("<unk>", 2), ("<s>", 3), ("</s>", 3), *((f"<0x{number:02X}>", 6) for number in range(256))]
        content = b""
        for number, (text, kind) in enumerate([*controls, *((piece, 1) for piece in pieces)]):
            score = b"\x15" + struct.pack("<f", -float(number))
            content += field(1, field(1, text.encode()) + score + field(3, kind))
        spec = {"character_map": b"", "dummy_prefix": 1, "removes_spaces": 0, "escapes_spaces": 1} | normalizer
        return content + field(2, field(3, model_type)) + field(3, b"".join(map(field, (2, 3, 4, 5), spec.values())))

    return make


@pytest.fixture(scope="session")
def tiny_chatglm2(tiny_glm, sentencepiece_model, tmp_path_factory):
    """Folder of the same model in ChatGLM2's layout, with a tokenizer of few pieces, and code that is never run."""
    import json

    from eventune.backbones.chatglm.conversion import revert

    folder = tmp_path_factory.mktemp("published") / "chatglm2-tiny"
    revert(tiny_glm, folder)
    pieces = ["▁", "a", "b", "▁a", "ab", "▁ab", "1", "问", "答", "："]
    (folder / "tokenizer.model").write_bytes(sentencepiece_model(pieces))
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["auto_map"] = {"AutoConfig": "configuration_chatglm.ChatGLMConfig"}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "configuration_chatglm.py").write_text("raise RuntimeError('code of the folder')\n", encoding="utf-8")
    return folder
