"""Multilingual E5 in the form E5S1, weights in 4 bits and vocabulary in one file, unpacked once."""
