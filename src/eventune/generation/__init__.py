"""Causal LLMs: rows of prompt and response, their encoding, training, generation and chat."""
