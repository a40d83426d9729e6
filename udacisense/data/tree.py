"""Every file below a folder, by name, size and time: unopened, in a fixed order, links heeded and loops ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from udacisense import files
from udacisense.data.dataset import Kind, Skipped
from udacisense.errors import DataError, StoreError
from udacisense.foreign import in_brief

MAX_FILES = 200_000
"""More is no folder of images that a person chose, but a disk."""
MAX_FILE_BYTES = 256 * 1024**2

_LEFTOVERS = {
    *(".ds_store", "__macosx", ".appledouble", ".trashes", ".spotlight-v100", ".fseventsd", ".temporaryitems", "icon\r"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
}
"""What macOS and Windows leave in folders; lower case."""

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """A file, as the directory tells it; equal as long as nobody changes it."""

    path: str  # relative to the tree, with /
    size_bytes: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Tree:
    """All that lies below a folder, or in an archive."""

    root: str
    files: tuple[Node, ...]
    folders: tuple[str, ...]  # relative, with those that hold nothing
    skipped: tuple[Skipped, ...] = ()


def is_leftover(name: str) -> bool:
    """Whether a system leaves files and folders of this name behind: `._x` holds a Mac's notes on x."""
    return name.startswith("._") or name.lower() in _LEFTOVERS


def walk(root: Path) -> Tree:
    """Files and folders below `root`. Links are followed within it, or where the setting follow_links says so.

    Raises:
        DataError: it cannot be read, or holds far more than images.
    """
    try:
        with os.scandir(root):
            found = _Walk(root)
            found.run()
    except OSError as exc:
        raise DataError(f"The folder {root} cannot be read: {in_brief(exc)}. Allow reading, or choose another.") from exc
    return Tree(
        str(root),
        tuple(sorted(found.files, key=lambda f: f.path)),
        tuple(sorted(found.folders)),
        tuple(sorted(found.skipped, key=lambda s: s.path)),
    )


class _Walk:
    """One walk over a folder; the chain of folders above each one ends loops of links."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files: list[Node] = []
        self.folders: list[str] = []
        self.skipped: list[Skipped] = []
        self._open: list[tuple[str, tuple[Identity, ...]]] = [("", (_identity(root),))]

    def run(self) -> None:
        while self._open:
            folder, chain = self._open.pop()
            for entry in self._entries(folder):
                self._take(entry, f"{folder}/{entry.name}".lstrip("/"), chain)
            if len(self.files) + len(self.skipped) + len(self.folders) > MAX_FILES:
                raise DataError(f"{self._root} holds more than {MAX_FILES:,} files. Name the folder of the images itself.")

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / folder) as entries:
                yield from [entry for entry in entries if not is_leftover(entry.name)]
        except OSError as exc:
            self._skip(folder, f"The folder cannot be read: {in_brief(exc)}. Allow reading.", "unreadable")

    def _take(self, entry: os.DirEntry[str], path: str, chain: tuple[Identity, ...]) -> None:
        kind: Kind = "a link" if entry.is_symlink() else "unreadable"
        try:
            if entry.name.startswith("."):
                self._skip(path, "Its name begins with a dot, which hides it. Rename it if it is an image.", "hidden")
                return
            if entry.is_symlink():
                files.check_place(Path(entry.path), self._root)
            if not _is_text(path):
                raise StoreError("Its name is no text in UTF-8. Rename it.")
            if entry.is_dir():
                self._enter(entry, path, chain)
                return
            found = entry.stat() if entry.is_file() else files.check_regular(Path(entry.path))
            self.files.append(Node(path, found.st_size, found.st_mtime_ns))
        except (StoreError, OSError) as exc:
            self._skip(path, str(exc) if isinstance(exc, StoreError) else f"It cannot be read: {in_brief(exc)}.", kind)

    def _enter(self, entry: os.DirEntry[str], path: str, chain: tuple[Identity, ...]) -> None:
        own = _identity(Path(entry.path))
        if own in chain:
            self._skip(path, "It is a link to a folder that it lies in. Remove it.", "a link")
            return
        self.folders.append(path)
        self._open.append((path, (*chain, own)))

    def _skip(self, path: str, reason: str, kind: Kind) -> None:
        self.skipped.append(Skipped(path if _is_text(path) else os.fsencode(path).decode("utf-8", "replace"), reason, kind))


def _identity(folder: Path) -> Identity:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
