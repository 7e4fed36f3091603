"""Extraction with a finished run, a server, into files of any size."""
