"""Bounds of the process that converts: where memory runs short it is the one that ends, and it writes its own folder only."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from udacisense.artifacts import mobile_dir
from udacisense.data.sources import source_places
from udacisense.models.card import card_path
from udacisense.processes.limits import Bounds
from udacisense.provenance import machine
from udacisense.settings import settings
from udacisense.torchscript.archive import is_torchscript
from udacisense.types import Checkpoint

FILE_BYTES = 64 << 20
"""What a converted file may have, beside four times its checkpoint's size."""


def bounds_for(checkpoint: Checkpoint, out: object, now: Bounds | None) -> Bounds:
    """The bounds for a step on a checkpoint.

    Args:
        out: the file that the step writes; None where it writes none.
        now: the bounds of the process that is running. They are kept where they suffice, so that its imports are.
    """
    if is_torchscript(checkpoint.path):
        return _for_code(checkpoint.path, out, now)
    places = (mobile_dir(), Path(tempfile.gettempdir()), settings().home / ".udacisense")
    wanted = Bounds(memory_bytes=_most(), write=tuple(str(p) for p in places if p.is_dir()))
    return now if now is not None and now.read is None and set(now.write) >= set(wanted.write) else wanted


def _for_code(path: Path, out: object, now: Bounds | None) -> Bounds:
    """A file that carries code: its converter sees the file, the images and its own folder."""
    if out is None and now is not None and now.read and now.read[0] == str(path):
        return now
    read = (card_path(path), path.with_name(f"{path.stem}.trained_on.txt"), *source_places(), mobile_dir())
    bounds = Bounds.for_file(path, read=read, write=() if out is None else (_folder(Path(str(out))),))
    return replace(bounds, file_bytes=FILE_BYTES + 4 * path.stat().st_size)


def _folder(out: Path) -> Path:
    """The folder of the artifact that is being written, which lies below models/mobile; elsewhere the file's own."""
    folders = [folder for folder in out.parents if folder.parent == mobile_dir()]
    return folders[0] if folders else out.parent


def _most() -> int:
    here = machine()
    return min(here.memory_bytes, here.memory_limit_bytes or here.memory_bytes)
