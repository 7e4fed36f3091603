"""A tiny encoder in the form E5S1, packed and unpacked by code that shares nothing with the package's."""

import hashlib
import struct
from types import SimpleNamespace

import pytest
import torch

SIZES = {"hidden": 32, "layers": 2, "heads": 2, "intermediate": 64, "vocabulary": 40, "positions": 24, "types": 2}
PIECES = ["<s>", "<pad>", "</s>", "<unk>", ",", ".", "▁", "a", "b", "▁a", "▁ab", "中", "国", "中国", "▁中国", "<mask>"]
CHANGES = {"\x01": "", "\t": " ", "\u200d": " ", "▁": " ", "Ａ": "A", "①": "1", "½": "1⁄2", "，": ","}
SQUARES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value"}


def matrices():
    """Key, name in BERT and shape of each tensor that is packed."""
    width, wide = SIZES["hidden"], SIZES["intermediate"]
    yield "emb.word", "embeddings.word_embeddings.weight", (SIZES["vocabulary"], width)
    for layer in range(SIZES["layers"]):
        place = f"encoder.layer.{layer}"
        for key, name in {**SQUARES, "ao": "attention.output.dense"}.items():
            yield f"l{layer}.{key}.w", f"{place}.{name}.weight", (width, width)
        yield f"l{layer}.fi.w", f"{place}.intermediate.dense.weight", (wide, width)
        yield f"l{layer}.fo.w", f"{place}.output.dense.weight", (width, wide)


def vectors():
    """The same of each tensor in float32."""
    width, wide = SIZES["hidden"], SIZES["intermediate"]
    yield "emb.pos", "embeddings.position_embeddings.weight", (SIZES["positions"], width)
    yield "emb.type", "embeddings.token_type_embeddings.weight", (SIZES["types"], width)
    names = {"emb.ln": ("embeddings.LayerNorm", width)}
    for layer in range(SIZES["layers"]):
        place = f"encoder.layer.{layer}"
        for key, name in {**SQUARES, "ao": "attention.output.dense", "aln": "attention.output.LayerNorm"}.items():
            names[f"l{layer}.{key}"] = (f"{place}.{name}", width)
        names[f"l{layer}.fi"] = (f"{place}.intermediate.dense", wide)
        names[f"l{layer}.fo"] = (f"{place}.output.dense", width)
        names[f"l{layer}.oln"] = (f"{place}.output.LayerNorm", width)
    for key, (name, size) in names.items():
        yield f"{key}.b", f"{name}.bias", (size,)
        if "Norm" in name:
            yield f"{key}.w", f"{name}.weight", (size,)


def packed_matrix(shape):
    """Random blocks, and the numbers they stand for, one by one."""
    content, numbers = b"", []
    for _ in range(shape[0] * shape[1] // 32):
        scale = float(torch.rand(()).half())
        codes = torch.randint(16, (32,)).tolist()
        content += struct.pack("<e", scale) + bytes(codes[at] + 16 * codes[at + 16] for at in range(16))
        numbers += [scale * (code - 8) for code in codes]
    return content, torch.tensor(numbers).view(shape)


def write_packed(path, *, magic=b"E5S1", version=1, block=32, without=()):
    """Write a random encoder; return its file, hash and weights by BERT's names."""
    tensors, weights = {}, {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for key, name, shape in matrices():
            content, weights[name] = packed_matrix(shape)
            tensors[key] = 1, weights[name].numel(), content
        for key, name, shape in vectors():
            weights[name] = torch.randn(shape)
            tensors[key] = 0, weights[name].numel(), weights[name].numpy().tobytes()
    text = [piece.encode() for piece in PIECES]
    ends = [sum(map(len, text[:count])) for count in range(len(text) + 1)]
    changes = b"".join(
        struct.pack(f"<IB{len(new)}I", ord(old), len(new), *map(ord, new)) for old, new in CHANGES.items()
    )
    head = magic + struct.pack("<I7ifi", version, *SIZES.values(), 1e-12, block)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, ends[-1])
    head += struct.pack(f"<{len(ends)}I{len(PIECES)}f", *ends, *(-float(index) for index in range(len(PIECES))))
    head += b"".join(text) + struct.pack("<iI", len(CHANGES), len(changes)) + changes
    tensors = {key: found for key, found in tensors.items() if key not in without}
    directory_size = 4 + sum(23 + len(key) for key in tensors)
    at, directory, body = len(head) + directory_size, struct.pack("<i", len(tensors)), b""
    for key, (kind, count, content) in tensors.items():
        directory += struct.pack("<H", len(key)) + key.encode()
        directory += struct.pack("<BIQQ", kind, count, at + len(body), len(content))
        body += content
    path.write_bytes(head + directory + body)
    return SimpleNamespace(file=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), weights=weights)


@pytest.fixture
def write(tmp_path):
    return lambda **changes: write_packed(tmp_path / "tiny.bin", **changes)


@pytest.fixture
def packed(write):
    return write()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("EVENTUNE_CACHE", str(folder))
    return folder
