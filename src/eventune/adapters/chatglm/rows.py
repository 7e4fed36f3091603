"""How many rows of the fused layer are queries, keys and values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eventune.errors import EventuneError
from eventune.storage.json_files import read_json

_FIELDS = {
    "chatglm": ("num_attention_heads", "multi_query_group_num", "kv_channels"),
    "glm": ("num_attention_heads", "num_key_value_heads", "head_dim"),
}
"""What a base's configuration calls its heads, its key heads, and the size of one."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the fused layer's output.

    Attributes:
        query: Number of rows that compute queries: heads · size of a head.
        key_value: Number of rows that compute keys, and as many values: key heads · size of a head.
        is_certain: Whether a configuration told them; else they were derived from an adapter's shapes.
    """

    query: int
    key_value: int
    is_certain: bool = True

    @property
    def all(self) -> int:
        """Number of rows of queries, keys and values together."""
        return self.query + 2 * self.key_value

    @property
    def sizes(self) -> list[int]:
        """Rows of queries, of keys, of values."""
        return [self.query, self.key_value, self.key_value]

    def split(self, tensor: Tensor, name: str) -> list[Tensor]:
        """Split a tensor's rows.

        Args:
            tensor: Any tensor with a row for each output of the fused layer.
            name: What an error calls it.

        Raises:
            EventuneError: If it has another number of rows.
        """
        if tensor.shape[0] != self.all:
            raise EventuneError(
                f"{name}: expected {self.query} + 2 · {self.key_value} rows, found {tensor.shape[0]}",
                "give --base with the folder of the base that the adapter was trained on",
            )
        return [part.contiguous() for part in torch.split(tensor, self.sizes)]


def rows_of_base(folder: Path) -> Rows:
    """Read the rows off a base's `config.json`, published or converted; no code of the folder is run.

    Args:
        folder: The base's folder.

    Returns:
        The rows.

    Raises:
        EventuneError: If it is another model's, or lacks a size.
    """
    config: dict[str, Any] = read_json(folder / "config.json")
    model_type = str(config.get("model_type"))
    if model_type not in _FIELDS:
        raise EventuneError(
            f"{folder}: expected a ChatGLM2 or a converted one (model_type chatglm or glm), found {model_type!r}",
            "give --base with the folder of the base that the adapter was trained on",
        )
    missing = [name for name in _FIELDS[model_type] if not isinstance(config.get(name), int)]
    if missing:
        raise EventuneError(f"{folder / 'config.json'}: expected {missing[0]}, an integer, found none")
    heads, key_heads, size = (int(config[name]) for name in _FIELDS[model_type])
    return Rows(heads * size, key_heads * size)


def rows_of_adapter(outputs: int, inputs: int) -> Rows:
    """Derive the rows from an adapter on the fused layer: there are as many queries as inputs in all published models.

    Args:
        outputs: Rows of B.
        inputs: Columns of A.

    Raises:
        EventuneError: If that cannot be.
    """
    key_value, rest = divmod(outputs - inputs, 2)
    if rest or key_value < 1 or inputs % key_value:
        raise EventuneError(
            f"the adapter's {outputs} rows and {inputs} columns do not tell which rows are queries, keys and values",
            "give --base with the folder of the base that the adapter was trained on",
        )
    return Rows(inputs, key_value, is_certain=False)
