"""Exports in use: graphs, tokenizers and numpy find events and arguments, where no torch is installed."""
