"""Conversion in a process of its own: the worker, its client, the calibration images, the search over recipes."""
