"""What is trained of a model, what guards it, and what is saved of it.

from eventune.adapters import AdapterArguments, attach, examine, load_into, save_trained

model = attach(model, AdapterArguments(lora_r=8))
examine(model).require()
…
save_trained(model, folder)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventune.adapters.anatomy import Anatomy, anatomy_of
    from eventune.adapters.arguments import AdapterArguments
    from eventune.adapters.attaching import attach, enable_gradient_checkpointing
    from eventune.adapters.bank import AdapterBank
    from eventune.adapters.guard import examine, require_gradients
    from eventune.adapters.inspection import inspect_model
    from eventune.adapters.merged import merge
    from eventune.adapters.store import load_into, load_trained, save_trained

_HOMES = {
    "AdapterArguments": "arguments",
    "AdapterBank": "bank",
    "Anatomy": "anatomy",
    "anatomy_of": "anatomy",
    "attach": "attaching",
    "enable_gradient_checkpointing": "attaching",
    "examine": "guard",
    "inspect_model": "inspection",
    "load_into": "store",
    "load_trained": "store",
    "merge": "merged",
    "require_gradients": "guard",
    "save_trained": "store",
}

__all__ = [
    "AdapterArguments",
    "AdapterBank",
    "Anatomy",
    "anatomy_of",
    "attach",
    "enable_gradient_checkpointing",
    "examine",
    "inspect_model",
    "load_into",
    "load_trained",
    "merge",
    "require_gradients",
    "save_trained",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    # Imported when used: the arguments alone are shown by --help, which loads no model library.
    if name in _HOMES:
        return getattr(importlib.import_module(f"eventune.adapters.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'eventune.adapters' has no attribute {name!r}")
