"""Span extractors on an encoder: one pass an event, all roles at once."""
