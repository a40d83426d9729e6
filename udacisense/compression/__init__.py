"""Techniques that make a checkpoint smaller or faster, one file each, and pipelines of them."""
