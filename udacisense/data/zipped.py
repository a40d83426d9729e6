"""A zip of a folder of images, read without unpacking it to a disk: only its own small bounds are trusted."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from udacisense import archives, files
from udacisense.archives import IMAGES, ArchiveError
from udacisense.data.dataset import Skipped
from udacisense.data.tree import MAX_FILE_BYTES, Node, Tree, is_leftover, walk
from udacisense.errors import DataError
from udacisense.foreign import in_brief

Read = Callable[[Node], bytes]


def is_zip(path: Path) -> bool:
    """Whether a path names a zip, which is read as the folder in it."""
    return path.suffix.lower() == ".zip" and path.is_file()


def tree_of(root: Path) -> Tree:
    """All that lies below a folder, or in a zip.

    Raises:
        DataError: it cannot be read, holds far more than images, or is a zip whose parts lead out of it.
    """
    return _zip_tree(root) if is_zip(root) else walk(root)


@contextmanager
def reader(root: str) -> Iterator[Read]:
    """Reader of the files of a tree, each as a whole.

    Raises:
        DataError: the zip cannot be opened any more.
    """
    place = Path(root)
    if not is_zip(place):
        yield lambda node: _read_file(place / node.path, place)
        return
    with _opened(place) as archive:
        names = {_path(entry): entry for entry in archive.infolist()}

        def read(node: Node) -> bytes:
            try:
                with archive.open(names[node.path]) as member:
                    return member.read(node.size_bytes + 1)
            except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError) as exc:
                raise DataError(f"{node.path} is damaged in {place.name}: {in_brief(exc)}. Pack it again.") from exc

        yield read


def _read_file(path: Path, root: Path) -> bytes:
    if path.is_symlink():  # it may have become one since the folder was listed
        files.check_place(path, root)
    return files.read_bytes(path, MAX_FILE_BYTES)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with archives.opened(path, IMAGES) as archive:
            yield archive
    except ArchiveError as exc:
        raise DataError(f"The zip {path} cannot be used: {in_brief(exc)}. Pack the folder of images again.") from exc


def _zip_tree(path: Path) -> Tree:
    found: list[Node] = []
    folders: set[str] = set()
    skipped: list[Skipped] = []
    changed = path.stat().st_mtime_ns
    with _opened(path) as archive:
        for entry in archive.infolist():
            name = _path(entry)
            parts = name.split("/")
            _check_name(name, parts, path)
            if any(map(is_leftover, parts)):
                continue
            if stat.S_ISLNK(entry.external_attr >> 16):
                skipped.append(Skipped(name, "It is a link, and links in a zip are not followed.", "a link"))
            elif any(part.startswith(".") for part in parts):
                skipped.append(Skipped(name, "A name in its path begins with a dot, which hides it.", "hidden"))
            else:
                folders.update("/".join(parts[:i]) for i in range(1, len(parts) + entry.is_dir()))
                found += [] if entry.is_dir() else [Node(name, entry.file_size, changed)]
    return Tree(str(path), tuple(sorted(found, key=lambda f: f.path)), tuple(sorted(folders)), tuple(skipped))


def _path(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").rstrip("/")


def _check_name(name: str, parts: list[str], path: Path) -> None:
    if name.startswith("/") or ":" in parts[0] or ".." in parts:
        raise DataError(f"The zip {path} holds {name!r}, which would lie outside of it. Pack the folder of images again.")
