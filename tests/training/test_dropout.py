import torch
from torch import nn

from eventune.training.dropout import CheapDropout, cheapen_dropout


def test_the_share_dropped_and_the_mean_are_right():
    torch.manual_seed(0)
    output = CheapDropout(0.1)(torch.ones(1000, 999))
    assert abs((output == 0).float().mean().item() - 0.1) < 0.002
    assert abs(output.mean().item() - 1.0) < 0.002
    assert torch.equal(output.unique(), torch.tensor([0.0, 1 / 0.9]))


def test_gradients_pass_where_values_passed():
    x = torch.randn(7, 13, requires_grad=True)
    output = CheapDropout(0.5)(x)
    output.sum().backward()
    assert torch.equal(x.grad, torch.where(output == 0, 0.0, 2.0))


def test_neighbouring_elements_are_dropped_independently():
    torch.manual_seed(0)
    dropped = (CheapDropout(0.3)(torch.ones(400_000)) == 0).float()
    for distance in (1, 2, 3, 4):
        both = (dropped[distance:] * dropped[:-distance]).mean().item()
        assert abs(both - 0.09) < 0.003


def test_one_seed_gives_one_mask():
    x = torch.ones(101)
    torch.manual_seed(5)
    first = CheapDropout(0.4)(x)
    torch.manual_seed(5)
    assert torch.equal(CheapDropout(0.4)(x), first)


def test_evaluation_and_zero_leave_values_alone():
    x = torch.randn(5)
    assert CheapDropout(0.5).eval()(x) is x
    assert torch.equal(CheapDropout(0.0)(x), x)


def test_only_plain_dropout_is_replaced():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.2), nn.Dropout1d(0.2)), nn.Dropout(0.3))
    assert cheapen_dropout(model) == 2
    assert [type(module) for module in model[1]] == [CheapDropout, nn.Dropout1d]
    assert model[2].p == 0.3
