"""Inspection of a converted file: its graph and operators, read back from its bytes and never from the recipe."""
