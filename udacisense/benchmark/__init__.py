"""Timing in child processes of their own: protocol.py says how, run.py drives, child.py is timed."""
