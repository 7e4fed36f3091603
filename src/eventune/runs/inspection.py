"""From a model's name to what of it to adapt and what that costs."""

from __future__ import annotations

from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.inspection import Inspection
from eventune.adapters.inspection import inspect_model as inspect_module
from eventune.backbones.skeleton import load_skeleton


def inspect_model(name: str, *, task: str = "", revision: str = "") -> Inspection:
    """Inspect a model by its name; its weights are neither needed nor loaded.

    Args:
        name: A folder, a `config.json`, a packaged alias, a hub id, or `module:Class` of the user's own.
        task: What it is for, such as `token-classification`, which decides the heads; by default what its config names.
        revision: Revision on the hub.

    Returns:
        What it is made of, with suggestions and their costs.

    Raises:
        EventuneError: If it cannot be built, or no adapter fits on it.
    """
    skeleton = load_skeleton(name, task=task, revision=revision)
    return inspect_module(skeleton.model, anatomy=anatomy_of(skeleton.model, new_modules=skeleton.new_modules))
