"""Runs behind HTTP: a batcher, its API, a page to label on, and a client."""
