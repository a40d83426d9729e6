"""The source `sample`: rendered images inside the package, each one held to the manifest that came with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from udacisense import files
from udacisense.data.folder import Listing, list_folder
from udacisense.data.images import decode_image
from udacisense.data.pool import LabelledImage, Pool, image_md5
from udacisense.errors import DataError, ImageError, StoreError
from udacisense.foreign import in_brief
from udacisense.labels import CLASSES
from udacisense.types import SplitName

SAMPLE = Path(__file__).parent / "sample"
"""The pack: `<split>/<class>/*.webp`, manifest.json, and LICENSE, the CC0-1.0 text that dedicates it to the public domain."""
MANIFEST = "manifest.json"
SCHEMA = 1
_WAY_OUT = "Install the package again, or set UDACISENSE_DATA_DIR to use other images."


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the manifest says of a file."""

    label: int
    split: SplitName
    sha256: str


def read_sample(split: SplitName | None = None, root: Path = SAMPLE) -> Pool:
    """The pack's images, of one part or of both; decoded once per process and state of the files.

    Names are compared for the whole pack, contents for the files that are opened.

    Raises:
        DataError: no manifest, or one that cannot be read; a file that is missing, not listed, or not the one that is listed.
    """
    return _read(list_folder(root), manifest_state(root), split)


def manifest_state(root: Path = SAMPLE) -> tuple[int, int]:
    """Size in bytes and time of change of the manifest, in ns: they differ after it was written again.

    Raises:
        DataError: there is none.
    """
    try:
        stat = (root / MANIFEST).stat()
    except OSError as exc:
        raise DataError(f"The sample pack in {root} has no readable {MANIFEST}: {in_brief(exc)}. {_WAY_OUT}") from exc
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=4)
def _read(listing: Listing, state: tuple[int, int], split: SplitName | None) -> Pool:  # noqa: ARG001 - part of the cache key
    root = Path(listing.root)
    entries = _entries(root)
    found = {file.path for file in listing.files} | {skipped.path for skipped in listing.skipped if skipped.split}
    _same_names(root, set(entries), found | set(listing.wrong_classes))
    wanted = {name: entry for name, entry in entries.items() if split in (None, entry.split)}
    return Pool(tuple(_images(root, wanted)))


def _entries(root: Path) -> dict[str, _Entry]:
    try:
        content = files.parse_json(files.read_text(root / MANIFEST))
        if content["schema"] != SCHEMA:
            raise ValueError(f"its schema is {content['schema']!r}, this version reads {SCHEMA}")
        return {row["file"]: _entry(row) for row in content["images"]}
    except (StoreError, ValueError, KeyError, TypeError, AttributeError) as exc:
        why = f"it lacks {exc.args[0]!r}" if isinstance(exc, KeyError) else in_brief(exc)
        raise DataError(f"The manifest of the sample pack in {root} cannot be used: {why}. {_WAY_OUT}") from exc


def _entry(row: Mapping[str, Any]) -> _Entry:
    split = row["split"]
    if split not in get_args(SplitName) or not row["file"].startswith(f"{split}/{row['class']}/"):
        raise ValueError(f"{row['file']} does not lie in the folder of its split and class")
    return _Entry(CLASSES.index(row["class"]), split, row["sha256"])


def _same_names(root: Path, listed: set[str], found: set[str]) -> None:
    for names, what in ((listed - found, "lacks"), (found - listed, f"holds what its {MANIFEST} does not list:")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise DataError(f"The sample pack in {root} {what} {min(names)}{more}. {_WAY_OUT}")


def _images(root: Path, entries: Mapping[str, _Entry]) -> Iterator[LabelledImage]:
    for name, entry in entries.items():
        path = root / name
        try:
            raw = files.read_bytes(path)
            if hashlib.sha256(raw).hexdigest() != entry.sha256:
                raise ImageError(f"{name} is not the file that the manifest tells of")
            pixels = decode_image(raw, name)
        except (StoreError, ImageError) as exc:
            raise DataError(f"The sample pack in {root} is damaged: {in_brief(exc)}. {_WAY_OUT}") from exc
        yield LabelledImage(pixels, entry.label, image_md5(pixels), entry.split, str(path))
