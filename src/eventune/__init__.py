"""Fine-tune models that extract events' arguments from text, and compare the runs honestly."""

__version__ = "0.1.0"
