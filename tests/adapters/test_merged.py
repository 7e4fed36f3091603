import pytest
import torch
from torch import nn

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.merged import merge
from eventune.adapters.methods import METHODS
from eventune.adapters.quantisation import dequantise, quantise
from eventune.adapters.store import load_into, save_trained
from eventune.errors import EventuneError

from .test_methods import EXACT, Tagger, learn, outputs_of

MERGEABLE = {n: s for n, s in EXACT.items() if METHODS[s.get("method", "lora")].merges and "bits" not in n}


@pytest.mark.parametrize("settings", MERGEABLE.values(), ids=MERGEABLE.keys())
def test_a_merged_model_is_plain_and_answers_as_base_and_adapter_do(settings):
    ready = attach(Tagger(), AdapterArguments(lora_r=4, **settings))
    learn(ready)
    expected = outputs_of(ready)

    merged = merge(ready, outputs_of)

    assert type(merged.model) is Tagger
    assert merged.model.state_dict().keys() == Tagger().state_dict().keys()
    torch.testing.assert_close(outputs_of(merged.model), expected, rtol=1e-4, atol=1e-4)
    assert merged.difference < 1e-4
    # The model that was merged is left as it was.
    assert torch.equal(outputs_of(ready), expected)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.merges])
def test_heads_of_any_kind_are_put_back(method):
    class Headed(Tagger):
        def __init__(self):
            super().__init__()
            self.tags = nn.Sequential(nn.Dropout(0.1), nn.Linear(32, 3))

    ready = attach(Headed(), AdapterArguments(method=method))
    learn(ready)
    expected = outputs_of(ready)

    merged = merge(ready, outputs_of)

    assert merged.model.state_dict().keys() == Headed().state_dict().keys()
    torch.testing.assert_close(outputs_of(merged.model), expected, rtol=1e-4, atol=1e-4)


def test_a_half_precision_base_is_merged_in_float32_and_cast_last():
    ready = attach(Tagger(dtype=torch.bfloat16), AdapterArguments(lora_r=4))
    learn(ready)

    in_full = merge(ready, outputs_of)
    cast = merge(ready, outputs_of, dtype=torch.bfloat16)

    assert in_full.difference_after_cast == in_full.difference < 1e-4
    assert cast.difference < 1e-4 < cast.difference_after_cast
    assert {p.dtype for p in cast.model.parameters()} == {torch.bfloat16}
    for name, weight in in_full.model.state_dict().items():
        assert torch.equal(cast.model.state_dict()[name], weight.to(torch.bfloat16)), name


@pytest.mark.parametrize("bits", [4, 8])
def test_a_quantised_base_is_not_merged_but_its_dequantised_self_is(bits, tmp_path):
    ready = attach(Tagger(), AdapterArguments(lora_r=4, quantization_bit=bits))
    learn(ready)
    save_trained(ready, tmp_path)
    with pytest.raises(EventuneError, match="the base is quantised"):
        merge(ready, outputs_of)

    plain = Tagger()
    assert quantise(plain.encoder, bits) == dequantise(plain.encoder) == 12
    merged = merge(load_into(plain, tmp_path, quantization_bit=0), outputs_of, keep=False)

    # int8 layers round their inputs as well, so that their outputs are only near.
    tolerance = 1e-4 if bits == 4 else 0.1
    torch.testing.assert_close(outputs_of(merged.model), outputs_of(ready), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("method", ["prefix", "full"])
def test_what_has_no_adapter_is_not_merged(method):
    ready = attach(Tagger(), AdapterArguments(method=method))

    with pytest.raises(EventuneError, match=r"expected a model with an adapter that can be merged .*, found Tagger"):
        merge(ready, outputs_of)


def test_a_merge_that_changes_the_outputs_is_refused():
    ready = attach(Tagger(), AdapterArguments(lora_r=4))
    learn(ready)
    count = iter(range(10))

    with pytest.raises(EventuneError, match="the merged model's outputs differ"):
        merge(ready, lambda model: outputs_of(model) + next(count))
