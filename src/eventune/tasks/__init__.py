"""The tasks: what a model is trained for, saved and opened as."""
