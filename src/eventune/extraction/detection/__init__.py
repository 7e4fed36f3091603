"""Trigger detection on an encoder: one pass a window finds the triggers of all event types."""
