"""Drawing tokens where it runs."""

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from eventune.generation.choosing import Drawing


class Made(TorchDispatchMode):
    """Notes the device and type of each tensor that is made."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        tensor = function(*args, **(kwargs or {}))
        if isinstance(tensor, torch.Tensor):
            self.found.add((tensor.device.type, tensor.dtype))
        return tensor


def test_nothing_is_drawn_in_float64_on_a_device_that_has_none():
    drawing = Drawing([0, 1], prompt_length=3, max_new_tokens=4, seed=0, temperature=0.7, top_k=0, top_p=1.0)
    # Tensors without values: no such device is needed.
    with FakeTensorMode(allow_non_fake_inputs=True), Made() as made:
        scores = torch.zeros(2, 10, device="mps")
        drawn = drawing(torch.zeros(2, 4, dtype=torch.int64, device="mps"), scores)

    assert drawn.device.type == "mps"
    assert ("mps", torch.float64) not in made.found
    assert ("cpu", torch.float64) in made.found
