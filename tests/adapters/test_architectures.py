import copy

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import PreTrainedModel

from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.guard import examine, require_gradients
from eventune.adapters.projections import ProjectionKind, find_projections
from eventune.adapters.store import load_into, save_trained
from eventune.adapters.targets import choose

from .architectures import ALL, STACKED_EXPERTS, tiny_model


class WithHead(nn.Module):
    """Any model of transformers with a new layer on its last output, as a user writes one."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        outputs = base.config.vocab_size if base.get_output_embeddings() is not None else base.config.hidden_size
        self.tagger = nn.Linear(outputs, 3)

    def forward(self, **inputs):
        outputs = self.base(**inputs)
        return self.tagger(outputs.logits if hasattr(outputs, "logits") else outputs.last_hidden_state)


def build(architecture):
    torch.manual_seed(0)
    return WithHead(tiny_model(architecture))


def inputs_of(model):
    config = model.base.config
    ids = torch.randint(3, 90, (2, 8), generator=torch.Generator().manual_seed(0))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids.flip(1)
    return inputs


def outputs_of(model, inputs):
    with torch.inference_mode():
        return model.eval()(**inputs)


def one_step(model, inputs):
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-2)
    for _ in range(2):
        optimiser.zero_grad()
        model.train()(**inputs).square().mean().backward()
        optimiser.step()


@pytest.mark.parametrize("architecture", ALL)
def test_lora_is_attached_trained_saved_and_reloaded_exactly(architecture, tmp_path):
    model = build(architecture)
    untouched, inputs = copy.deepcopy(model), inputs_of(model)
    before = outputs_of(model, inputs)

    adapted = attach(model, AdapterArguments(lora_r=2))
    examine(adapted).require()
    require_gradients(adapted, lambda: adapted.train()(**inputs).square().mean(), heads=anatomy_of(untouched).heads)
    torch.testing.assert_close(outputs_of(adapted, inputs), before)
    one_step(adapted, inputs)
    saved = save_trained(adapted, tmp_path)
    assert saved.parameters == sum(p.numel() for p in adapted.parameters() if p.requires_grad)

    # Torch chooses the kernel of some products by whether a weight requires a gradient; the last bits depend on it.
    trained = outputs_of(adapted.requires_grad_(False), inputs)
    assert (trained - before).abs().max() > 1e-3

    reloaded = load_into(untouched, tmp_path)
    assert torch.equal(outputs_of(reloaded, inputs), trained)


@pytest.mark.parametrize("architecture", ["gpt2", "phi3", "t5", "mixtral", "modernbert"])
def test_vera_s_shared_matrices_fit_layers_of_all_shapes(architecture, tmp_path):
    model = build(architecture)
    untouched, inputs = copy.deepcopy(model), inputs_of(model)
    before = outputs_of(model, inputs)
    shapes = {
        (projection.outputs, projection.inputs)
        for projection in choose(find_projections(model.base), "auto", model_type=architecture)
    }

    adapted = attach(model, AdapterArguments(method="vera", vera_r=8))
    examine(adapted).require()
    require_gradients(adapted, lambda: adapted.train()(**inputs).square().mean(), heads=("tagger",))
    assert torch.equal(outputs_of(adapted, inputs), before)
    one_step(adapted, inputs)
    weights = load_file(save_trained(adapted, tmp_path).path)
    trained = outputs_of(adapted.requires_grad_(False), inputs)

    assert len(shapes) > 1
    assert weights["base_model.vera_A"].shape == (8, max(inputs for _, inputs in shapes))
    assert weights["base_model.vera_B"].shape == (max(outputs for outputs, _ in shapes), 8)
    assert torch.equal(outputs_of(load_into(untouched, tmp_path), inputs), trained)
    assert not torch.equal(trained, before)


@pytest.mark.parametrize("architecture", ALL)
def test_what_each_projection_does_is_known(architecture):
    with torch.device("meta"):
        base = tiny_model(architecture).base_model
    assert isinstance(base, PreTrainedModel)

    kinds = {projection.kind for projection in find_projections(base)}

    attends, mixes = kinds & {ProjectionKind.QUERY, ProjectionKind.QKV}, kinds & {ProjectionKind.STATE_SPACE}
    feeds_forward = kinds & {ProjectionKind.UP, ProjectionKind.GATE_UP} and ProjectionKind.DOWN in kinds
    assert attends or mixes or architecture == "fnet"
    assert (
        feeds_forward or ProjectionKind.EXPERTS in kinds or architecture in {"ctrl", "mamba", "mamba2", "falcon_mamba"}
    )
    assert (ProjectionKind.EXPERTS in kinds) == (architecture in STACKED_EXPERTS)
