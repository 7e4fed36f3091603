"""The generator of the built-in sample corpus; `scripts/make_sample.py` runs it."""
