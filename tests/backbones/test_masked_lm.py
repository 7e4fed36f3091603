import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

from eventune.adapters import AdapterArguments, attach
from eventune.backbones.load import load_encoder, load_tokenizer
from eventune.backbones.masked_lm import TEXT, MaskedLanguageModel
from eventune.backbones.resolve import resolve


@pytest.fixture
def with_head(tiny_encoder, tmp_path):
    """A checkpoint with a head for masked tokens."""
    torch.manual_seed(0)
    config = BertConfig.from_pretrained(tiny_encoder)
    BertForMaskedLM(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_encoder).save_pretrained(tmp_path)
    return resolve(str(tmp_path))


def test_the_loss_is_that_of_the_checkpoint_s_own_model(with_head):
    backbone = load_encoder(with_head)
    found = MaskedLanguageModel(with_head, backbone.tokenizer).loss(backbone.model)

    model = BertForMaskedLM.from_pretrained(with_head.folder).eval()
    batch = backbone.tokenizer(list(TEXT), return_tensors="pt", padding=True)
    ids, mask = batch["input_ids"], batch["attention_mask"].bool()
    chosen = mask & (torch.arange(ids.shape[1]) % 6 == 3)
    labels = ids.masked_fill(~chosen, -100)
    with torch.no_grad():
        masked = ids.masked_fill(chosen, backbone.tokenizer.mask_token_id)
        expected = model(input_ids=masked, attention_mask=batch["attention_mask"], labels=labels).loss
    assert found == pytest.approx(expected.item(), rel=1e-5)


def test_an_adapter_that_changes_the_encoder_changes_the_loss(with_head):
    backbone = load_encoder(with_head)
    measure = MaskedLanguageModel(with_head, backbone.tokenizer)
    before = measure.loss(backbone.model)
    ready = attach(backbone.model, AdapterArguments(lora_r=2))
    assert measure.loss(backbone.model) == pytest.approx(before)
    with torch.no_grad():
        for name, parameter in ready.named_parameters():
            if "lora_B" in name:
                parameter.normal_()

    assert abs(measure.loss(backbone.model) - before) > 1e-3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_base_in_half_precision_is_measured_too_with_adapters_in_float32_on_it(with_head, dtype):
    tokenizer = load_tokenizer(with_head.folder)
    measure = MaskedLanguageModel(with_head, tokenizer)
    whole = measure.loss(load_encoder(with_head).model)
    half = load_encoder(with_head, dtype=dtype).model

    assert measure.loss(half) == pytest.approx(whole, rel=0.03)
    attach(half, AdapterArguments(lora_r=2))
    assert measure.loss(half) == pytest.approx(whole, rel=0.03)


def test_a_checkpoint_without_a_head_cannot_tell(tiny_encoder):
    base = resolve(str(tiny_encoder))

    assert MaskedLanguageModel(base, load_tokenizer(base.folder)).loss(load_encoder(base).model) is None


def test_a_run_on_a_base_with_a_head_says_what_it_forgot(with_head, tiny_recipe, tmp_path):
    from eventune.recipe import Recipe
    from eventune.runs.training import train

    settings = {**tiny_recipe, "model_name_or_path": str(with_head.folder), "num_train_epochs": 1}
    resources = train(Recipe.of({**settings, "output_dir": str(tmp_path / "run")})).to_dict()["resources"]

    change = resources["masked_lm_loss_after"] - resources["masked_lm_loss_before"]
    assert resources["forgetting"] == pytest.approx(change)
    assert change != 0
