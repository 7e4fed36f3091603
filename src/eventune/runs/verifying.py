"""A run that does not give the trained model back is no run."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from eventune.errors import EventuneError


def require_same_outputs(
    models: tuple[nn.Module, ...], reloaded: Callable[[], nn.Module], outputs: Callable[[nn.Module], Tensor]
) -> None:
    """Load what was saved anew, and compare what it gives with what the trained model gives.

    A second base beside the first may be more than the device holds, so what is not needed any more leaves it.

    Args:
        models: The trained model, and others that may leave the device with it.
        reloaded: Loads what was saved.
        outputs: Gives a model's outputs for some examples.

    Raises:
        EventuneError: If one bit differs.
    """
    device = next(models[0].parameters()).device
    with torch.inference_mode():
        expected = outputs(models[0].eval())
        for model in models:
            model.to("cpu")
        found = outputs(reloaded().to(device).eval())
    if not torch.equal(expected, found):
        raise EventuneError(
            "the saved run does not give the trained model's outputs when it is loaded again",
            "please report this with the settings: it is a defect of eventune",
        )
