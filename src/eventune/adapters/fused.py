"""LoRA layers that train with one large matrix product forward and one backward.

PEFT computes `W x + s B (A x)`: two products and two passes over the output more than the layer alone, each with a
temporary as large as the output. In float32 and without dropout the same function is `(W + s B A) x`; its gradients are

    ∂x = g (W + s B A),    ∂A = s (g B)ᵀ x,    ∂B = s gᵀ (x Aᵀ),

so neither the product with ∂W that full fine-tuning needs nor any large temporary is computed. What it gives is in
docs/performance.md. Evaluation stays on PEFT's own path, so that a run loaded by plain PEFT gives the same bits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from eventune.adapters.peft_library import LoraLinear


class _MergedLinear(torch.autograd.Function):
    """A linear layer with its adapter merged in, differentiable in its input and the adapter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float) -> Tensor:
        merged = torch.addmm(weight, b, a, alpha=scale)
        # Not the merged weight: of all layers together that would be a second copy of the base.
        ctx.save_for_backward(x, weight, a, b)
        ctx.scale = scale
        return nn.functional.linear(x, merged, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, a, b = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, weight.shape[0])
        rows = x.reshape(-1, weight.shape[1])
        in_x = None
        if ctx.needs_input_grad[0]:
            in_x = (gradient @ torch.addmm(weight, b, a, alpha=ctx.scale)).view_as(x)
        in_a = ((gradient @ b) * ctx.scale).T @ rows
        # Transposed, the product with the few columns is a third faster than as it is written above.
        in_b = (((rows @ a.T) * ctx.scale).T @ gradient).T
        return in_x, None, None, in_a, in_b, None


class MergedInTraining(LoraLinear):  # type: ignore[misc]
    """A LoRA layer that takes the merged path while it is trained, and PEFT's own otherwise."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Compute the layer with its adapter; *shape* (…, inputs) → (…, outputs)."""
        apart = self.merged or self.disable_adapters or torch.is_autocast_enabled(x.device.type)
        if apart or not self.training or args or kwargs or len(self.lora_A) != 1:
            return super().forward(x, *args, **kwargs)
        (name,) = self.lora_A.keys()
        base = self.get_base_layer()
        a, b = self.lora_A[name].weight, self.lora_B[name].weight
        return _MergedLinear.apply(x, base.weight, base.bias, a, b, self.scaling[name])  # type: ignore[no-untyped-call]


def fuse_training(model: nn.Module) -> int:
    """Let every plain LoRA layer of a model take the merged path while it is trained.

    Args:
        model: A model with LoRA layers from PEFT; those with dropout, a bias or a variant (DoRA) stay as they are.

    Returns:
        The number of layers that were changed.
    """
    layers = [module for module in model.modules() if type(module) is LoraLinear and _is_plain(module)]
    for layer in layers:
        # The class and not the instance's forward: replicas of DataParallel share the latter with the original.
        layer.__class__ = MergedInTraining
    return len(layers)


def _is_plain(layer: Any) -> bool:
    (name, *others) = layer.lora_A.keys()
    return (
        not others
        and not layer.lora_variant
        and isinstance(layer.lora_dropout[name], nn.Identity)
        and layer.lora_B[name].bias is None
        and not layer.fan_in_fan_out
        and isinstance(layer.get_base_layer(), nn.Linear)
    )
