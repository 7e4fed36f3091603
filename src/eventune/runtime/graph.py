"""A model's graph, computed by onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eventune.errors import EventuneError, first_line, require_library

THREADS = "OMP_NUM_THREADS"
"""Says how many threads torch takes, and here as well; by default as many as there are cores."""
_ERRORS_ALONE = 3


class Graph:
    """A graph with the outputs `spans` and `null`."""

    def __init__(self, path: Path) -> None:
        """Load a graph.

        Args:
            path: Its file.

        Raises:
            EventuneError: If the file is damaged, or onnxruntime is not installed.
        """
        onnxruntime = require_library(
            "onnxruntime", f"{path}: an export needs onnxruntime, which is not installed", "pip install onnxruntime"
        )
        options = onnxruntime.SessionOptions()
        threads = os.environ.get(THREADS, "")
        options.intra_op_num_threads = int(threads) if threads.isdigit() else 0
        options.log_severity_level = _ERRORS_ALONE
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own have no common class that it names
            raise EventuneError(f"{path}: cannot be read: {first_line(error)}", "export the run again") from error

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of a batch, as `SpanScores` has them."""
        spans, null = self._session.run(["spans", "null"], dict(inputs))
        return spans, null
