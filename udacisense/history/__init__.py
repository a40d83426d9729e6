"""Runs in the order they were made: runs.py finds one, against.py holds one against another."""
