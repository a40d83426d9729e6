"""Answers of a file on a dataset, and what they are worth."""
