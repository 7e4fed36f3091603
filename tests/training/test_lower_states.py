"""States that are kept stand for what they were computed from."""

import pytest
import torch
from transformers import BertConfig, BertModel, DebertaV2Config, DebertaV2Model

from eventune.errors import EventuneError
from eventune.training import lower_states
from eventune.training.lower_states import LowerStates

LENGTHS = [5, 9, 1, 7]
TRAINED = 2


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=4, num_attention_heads=2)
    return BertModel(config, add_pooling_layer=False).eval()


def batch(chosen):
    width = max(LENGTHS[index] for index in chosen)
    ids, mask = torch.zeros(len(chosen), width, dtype=torch.long), torch.zeros(len(chosen), width, dtype=torch.long)
    for row, index in enumerate(chosen):
        ids[row, : LENGTHS[index]] = torch.arange(LENGTHS[index]) + 7 * index + 1
        mask[row, : LENGTHS[index]] = 1
    return {"input_ids": ids, "attention_mask": mask}


def kept(encoder, folder):
    states = LowerStates(encoder.encoder.layer, TRAINED, folder=folder)
    assert not states.computed
    states.compute(LENGTHS, lambda chosen: encoder(**batch(chosen)))
    assert states.computed
    return states


@pytest.mark.parametrize("in_memory", [True, False], ids=["in memory", "in a file"])
def test_a_model_on_kept_states_gives_what_the_whole_model_gives(encoder, tmp_path, monkeypatch, in_memory):
    if not in_memory:
        monkeypatch.setattr(lower_states, "IN_MEMORY", 0)
    states = kept(encoder, tmp_path)
    assert len(list(tmp_path.iterdir())) == (0 if in_memory else 1)

    for chosen in ([0, 1], [3, 2, 0], [1]):
        inputs = batch(chosen)
        expected = encoder(**inputs).last_hidden_state.detach()
        with states.in_place(chosen, inputs["input_ids"].shape[1]):
            found = encoder(**inputs).last_hidden_state
        real = inputs["attention_mask"].bool()
        torch.testing.assert_close(found[real], expected[real], atol=5e-3, rtol=0)
        torch.testing.assert_close(encoder(**inputs).last_hidden_state, expected)


def test_blocks_that_are_computed_again_get_the_gradients_of_those_that_are_not(encoder, tmp_path):
    states, inputs = kept(encoder, tmp_path), batch([0, 1])
    encoder.config.hidden_dropout_prob = 0.0
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    gradients = []
    for is_recomputed in (False, True):
        if is_recomputed:
            encoder.gradient_checkpointing_enable({"use_reentrant": False})
            encoder.enable_input_require_grads()
        encoder.train().zero_grad(set_to_none=True)
        with states.in_place([0, 1], inputs["input_ids"].shape[1]):
            loss = encoder(**inputs).last_hidden_state.square().sum()
        loss.backward()
        lowest = encoder.encoder.layer[-TRAINED]
        gradients.append([parameter.grad.clone() for parameter in lowest.parameters()])
    assert all(layer.gradient_checkpointing for layer in encoder.encoder.layer)
    for own, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, own)


def test_blocks_that_return_more_than_their_states_are_stood_for_as_well(tmp_path):
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 4}
    encoder = DebertaV2Model(DebertaV2Config(**sizes, num_attention_heads=2)).eval()
    states, inputs = kept(encoder, tmp_path), batch([0, 1])
    expected = encoder(**inputs).last_hidden_state.detach()

    with states.in_place([0, 1], inputs["input_ids"].shape[1]):
        found = encoder(**inputs).last_hidden_state

    real = inputs["attention_mask"].bool()
    torch.testing.assert_close(found[real], expected[real], atol=5e-3, rtol=0)


def test_what_lies_below_is_neither_run_nor_trained(encoder, tmp_path):
    states = kept(encoder, tmp_path)
    below, above = encoder.encoder.layer[:-TRAINED], encoder.encoder.layer[-TRAINED:]
    for block in below:
        block.attention.register_forward_hook(lambda *_: pytest.fail("a block below the trained ones was run"))

    with states.in_place([0, 3], 7):
        encoder(**batch([0, 3])).last_hidden_state.sum().backward()

    assert all(parameter.grad is None for parameter in below.parameters())
    assert all(parameter.grad is not None for parameter in above.parameters())


def test_a_failure_while_states_are_in_place_leaves_the_model_whole(encoder, tmp_path):
    states = kept(encoder, tmp_path)
    expected = encoder(**batch([0])).last_hidden_state
    with pytest.raises(ZeroDivisionError), states.in_place([0], 5):
        1 / 0  # noqa: B018
    torch.testing.assert_close(encoder(**batch([0])).last_hidden_state, expected)


def test_states_beyond_half_precision_are_refused(encoder, tmp_path):
    encoder.encoder.layer[1].output.LayerNorm.bias.data[3] = 1e5
    with pytest.raises(EventuneError, match="trained_layers: expected states within the range of half precision"):
        kept(encoder, tmp_path)


def test_a_base_that_computes_in_bfloat16_keeps_its_states_in_it(encoder, tmp_path):
    encoder = encoder.to(torch.bfloat16)
    encoder.encoder.layer[1].output.LayerNorm.bias.data[3] = 1e5
    states, inputs = kept(encoder, tmp_path), batch([2, 3])
    expected = encoder(**inputs).last_hidden_state
    with states.in_place([2, 3], inputs["input_ids"].shape[1]):
        found = encoder(**inputs).last_hidden_state
    real = inputs["attention_mask"].bool()
    assert torch.equal(found[real], expected[real])
