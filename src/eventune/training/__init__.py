"""The one trainer, what it measures, and the directory it leaves."""
