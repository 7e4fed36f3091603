"""Runs as graphs that need no torch."""
