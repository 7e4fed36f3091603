"""Pretrained models by name: a local folder, packaged weights, or the hub."""
