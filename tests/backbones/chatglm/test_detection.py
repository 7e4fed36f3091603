import os
import shutil

import pytest

from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.chatglm.conversion import convert_into_cache
from eventune.backbones.chatglm.detection import UnconvertedModelError, native_folder
from eventune.backbones.resolve import resolve, resolve_config
from eventune.backbones.skeleton import load_skeleton


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("find", [resolve, resolve_config, load_skeleton], ids=lambda find: find.__name__)
def test_an_unconverted_folder_is_named_with_the_command_that_converts_it(tiny_chatglm2, find) -> None:
    with pytest.raises(UnconvertedModelError, match="found ChatGLM2") as caught:
        find(str(tiny_chatglm2))

    assert caught.value.folder == tiny_chatglm2
    assert f"eventune convert chatglm2 {tiny_chatglm2} {tiny_chatglm2}-glm" in caught.value.hint


def test_a_folder_with_pickled_weights_alone_is_told_the_same(tmp_path, tiny_chatglm2) -> None:
    shutil.copy(tiny_chatglm2 / "config.json", tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UnconvertedModelError):
        resolve(str(tmp_path))


def test_a_conversion_in_the_cache_is_found_under_the_name_that_was_given(tiny_chatglm2, cache) -> None:
    converted = convert_into_cache(tiny_chatglm2)
    base = resolve(str(tiny_chatglm2))
    lm = load_causal_lm(base)

    assert converted.parent == cache
    assert (base.name, base.folder) == (str(tiny_chatglm2), converted)
    assert type(lm.model).__name__ == "GlmForCausalLM"
    assert lm.max_length == 512


def test_a_changed_folder_is_not_taken_for_its_earlier_conversion(tmp_path, tiny_chatglm2) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(tiny_chatglm2, folder)
    convert_into_cache(folder)
    weights = next(folder.glob("*.safetensors"))
    os.utime(weights, ns=(0, weights.stat().st_mtime_ns + 1))

    with pytest.raises(UnconvertedModelError):
        resolve(str(folder))


def test_other_folders_are_left_alone(tmp_path, tiny_llm) -> None:
    assert native_folder(tiny_llm) == tiny_llm
    (tmp_path / "config.json").write_text("no JSON", encoding="utf-8")
    assert native_folder(tmp_path) == tmp_path
