"""Folders that verbs write to, so that a page can say before a click what would fail after it."""

from __future__ import annotations

from pathlib import Path

from udacisense.settings import settings
from udacisense.writable import why_not

MODELS = ("convert", "compress", "train", "run")
"""Verbs that write weights or phone files."""


def cannot_start(verb: str | None = None) -> str | None:
    """Why the work of a verb (of any verb, where none is named) could not be kept here, and the way out; None where it can."""
    return next(filter(None, map(why_not, _places(verb))), None)


def _places(verb: str | None) -> tuple[Path, ...]:
    here = settings()
    if verb == "data":
        return here.jobs_dir, here.cache_dir
    if verb is None or verb in MODELS:
        return here.jobs_dir, here.results_dir, here.models_dir
    return here.jobs_dir, here.results_dir
