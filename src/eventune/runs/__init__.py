"""Runs: from settings to a run directory, and from there to a model or a merged run."""
