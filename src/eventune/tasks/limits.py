"""Bounds of what settings files of any task may hold."""

MOST_LENGTH = 2**24
"""Tokens of the longest prompt or answer that any model has."""
