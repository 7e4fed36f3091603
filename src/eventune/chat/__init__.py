"""Conversations with a causal LM and the runs on it."""
