"""Readiness: written rules, what each measures, and the verdict."""
