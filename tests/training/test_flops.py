import torch
from torch.utils.flop_counter import FlopCounterMode

from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.training.flops import forward_flops, gemm_flops_per_second


def test_operations_are_those_that_torch_counts(tiny_encoder):
    encoder = load_encoder(resolve(str(tiny_encoder))).model.eval()
    encoder.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder(torch.randint(5, 60, (1, 24)))

    assert forward_flops(encoder, [24]) == counter.get_total_flops()
    assert forward_flops(encoder, [24, 24]) == 2 * counter.get_total_flops()


def test_the_peak_is_measured_once(monkeypatch):
    gemm_flops_per_second.cache_clear()
    first = gemm_flops_per_second()

    assert first > 1e8
    assert gemm_flops_per_second() == first
