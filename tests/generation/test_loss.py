"""The loss against a computation with all logits, row by row."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from eventune.generation.collating import RowCollator, pack
from eventune.generation.encoding import IGNORED, EncodedRow
from eventune.generation.loss import labels_of, perplexity, response_loss

PAD = EOS = 2


def _example(prompt, response):
    """A row whose response ends with eos, which is pad here as well."""
    ids = [*prompt, *response, EOS]
    return EncodedRow(ids, [IGNORED] * len(prompt) + ids[len(prompt) :])


@pytest.fixture
def model(tiny_llm):
    return AutoModelForCausalLM.from_pretrained(tiny_llm).eval()


@pytest.fixture
def examples():
    generator = torch.Generator().manual_seed(0)

    def tokens(count):
        return torch.randint(3, 250, (count,), generator=generator).tolist()

    rows = [_example(tokens(n), tokens(m)) for n, m in ((5, 9), (17, 3), (2, 30), (1, 1), (8, 8), (40, 2))]
    # Two turns: the first answer is trained too.
    first, second = _example(tokens(4), tokens(6)), _example(tokens(3), tokens(5))
    return [*rows, EncodedRow(first.input_ids + second.input_ids, first.labels + second.labels)]


def reference_loss(model, examples):
    """Each row by itself, with all logits, by hand."""
    total, count = 0.0, 0
    for row in examples:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([row.input_ids])).logits[0].double()
        for at, label in enumerate(row.labels[1:]):
            if label != IGNORED:
                total -= float(logits[at].log_softmax(-1)[label])
                count += 1
    return total / count


@pytest.mark.parametrize("side", ["right", "left"])
def test_loss_is_that_of_each_row_by_itself_with_pad_equal_to_eos(model, examples, side):
    batch = RowCollator(PAD, padding_side=side)(examples)

    assert response_loss(model, batch).item() == pytest.approx(reference_loss(model, examples), abs=1e-5)


@pytest.mark.parametrize("capacity", [48, 500])
def test_packed_rows_do_not_see_one_another(model, examples, capacity):
    packs = pack(examples, capacity)
    batch = RowCollator(PAD)(packs)

    assert len(packs) < len(examples)
    assert sorted(len(row.input_ids) for one in packs for row in one.examples) == sorted(
        len(row.input_ids) for row in examples
    )
    assert response_loss(model, batch).item() == pytest.approx(reference_loss(model, examples), abs=1e-5)


def test_padding_to_a_maximum_changes_nothing(model, examples):
    batch = RowCollator(PAD, length=200)(examples)

    assert batch["input_ids"].shape == (len(examples), 200)
    assert response_loss(model, batch).item() == pytest.approx(reference_loss(model, examples), abs=1e-5)


def test_gradients_are_those_of_the_models_own_loss(model, examples):
    batch = RowCollator(PAD)(examples)
    response_loss(model, batch).backward()
    ours = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]).loss.backward()

    for name, parameter in model.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, atol=1e-6, rtol=1e-4)


def test_a_batch_without_labels_has_no_loss(model):
    batch = RowCollator(PAD)([EncodedRow([5, 6, 7], [IGNORED] * 3)])

    assert int(labels_of(batch)) == 0
    assert response_loss(model, batch).item() == 0.0


def test_perplexity_weighs_labels_and_not_batches(model, examples):
    batches = [RowCollator(PAD)(examples[:2]), RowCollator(PAD)(examples[2:])]

    loss, value = perplexity(model, iter(batches))

    assert loss == pytest.approx(reference_loss(model, examples), abs=1e-5)
    assert value == pytest.approx(torch.tensor(loss).exp().item(), rel=1e-5)


def test_the_hook_is_taken_away_again(model, examples):
    batch = RowCollator(PAD)(examples)
    response_loss(model, batch)

    assert model(input_ids=batch["input_ids"]).logits.shape[:2] == batch["input_ids"].shape
