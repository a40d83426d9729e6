"""Arithmetic on logits, shares and times; no files, no records."""
