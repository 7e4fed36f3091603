"""Event arguments written by a causal LM as JSON, in values that are spans of the document."""
