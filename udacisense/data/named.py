"""Sources of a person's own: folders of images by a name, kept in a file, with the class names that the person confirmed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from udacisense import files
from udacisense.data.folder import folder_classes, folder_names, list_folder
from udacisense.errors import DataError, StoreError
from udacisense.records.store import write_text
from udacisense.settings import settings
from udacisense.types import SOURCE_NAME, SOURCES, SourceName


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A folder that a person named."""

    path: str  # absolute
    same: Mapping[str, str] = field(default_factory=dict)  # name in the folder -> class that it means, as the person confirmed


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds."""

    sources: Mapping[SourceName, NamedSource] = field(default_factory=dict)
    default: SourceName | None = None  # the one that is used where none is named


def kept_file() -> Path:
    """The file of named sources, in the home; it is read anew each time, so that a change needs no restart."""
    return settings().home / ".udacisense" / "sources.json"


def kept_sources() -> Kept:
    """The sources that people named here.

    Raises:
        StoreError: their file is damaged.
    """
    path = kept_file()
    if not os.path.lexists(path):
        return Kept()
    plain = files.read_json(path)
    try:
        found = {name: NamedSource(_text(one["path"]), _texts(one["same"])) for name, one in plain["sources"].items()}
        default = plain["default"]
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise StoreError(f"{path} is not a file of named sources. Remove it, and name the folders again.") from exc
    return Kept(found, default if default in found else None)


def unreadable_sources() -> tuple[str, ...]:
    """A sentence where the file of named sources cannot be read: the other sources are then all that there are."""
    try:
        kept_sources()
    except StoreError as exc:
        return (str(exc),)
    return ()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _texts(plain: Mapping[object, object]) -> dict[str, str]:
    return {_text(name): _text(meant) for name, meant in plain.items()}


def keep_source(
    path: Path, name: str | None = None, same: Mapping[str, str] | None = None, default: bool = False
) -> SourceName:
    """Keep a folder by a name, or change what is kept; returns the name.

    Args:
        path: the folder, or a zip of one.
        name: None = the folder's own.
        same: names in the folder and the classes that they mean; an empty one takes back what was confirmed before.
        default: use it from now on where no source is named.

    Raises:
        DataError: no such folder, none of the classes in it, no such name in it, or a name that cannot be or is another's.
        StoreError: the file of sources is damaged, or the disk refuses.
    """
    whole = Path(os.path.abspath(path.expanduser()))
    known = kept_sources()
    called = _name(name or slug(whole), whole, known)
    before = known.sources.get(called)
    found = {**(before.same if before and before.path == str(whole) else {}), **(same or {})}
    found = {folder: meant for folder, meant in found.items() if meant}
    _check(whole, found)
    wanted = Kept({**known.sources, called: NamedSource(str(whole), found)}, called if default else known.default)
    _write(wanted)
    return called


def forget_source(name: str) -> None:
    """Forget a name; the folder stays.

    Raises:
        DataError: there is no such name. StoreError: the file of sources is damaged, or the disk refuses.
    """
    known = kept_sources()
    if name not in known.sources:
        raise DataError(f"No source is named {name!r}. Named are: {', '.join(known.sources) or 'none'}.")
    rest = {other: source for other, source in known.sources.items() if other != name}
    _write(replace(known, sources=rest, default=None if known.default == name else known.default))


def slug(path: Path) -> str:
    """A name for a folder, made of its own."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40] or "images"


def _name(name: str, path: Path, known: Kept) -> SourceName:
    data_dir = settings().data_dir
    own = name == "folder" and data_dir is not None and path == data_dir.absolute()
    if not own and (name in SOURCES or not re.fullmatch(SOURCE_NAME, name)):
        raise DataError(
            f"{name!r} cannot name a source. Use small letters, digits, - and _, at most 40, and none of {', '.join(SOURCES)}."
        )
    before = known.sources.get(name)
    if before is not None and before.path != str(path) and not own:
        raise DataError(f"{name} names {before.path} already. Choose another name, or forget that one first.")
    return name


def _check(path: Path, same: Mapping[str, str]) -> None:
    names = folder_names(path)
    for name in same:
        if name not in names:
            raise DataError(f"{path} has no class {name!r}. It has: {', '.join(names[:20]) or 'none'}.")
    list_folder(path, folder_classes(path, same), same)


def _write(kept: Kept) -> None:
    plain = {name: {"path": source.path, "same": dict(source.same)} for name, source in sorted(kept.sources.items())}
    text = json.dumps({"default": kept.default, "sources": plain}, indent=1, ensure_ascii=False)
    kept_file().parent.mkdir(parents=True, exist_ok=True)
    write_text(kept_file(), f"{text}\n")
