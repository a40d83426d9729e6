"""The one rule for every TorchScript file: what it calls is read from the archive and held to the list of allowed operators."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from pathlib import Path

from udacisense import archives
from udacisense.archives import ArchiveError
from udacisense.torchscript.code import raise_refused, refused
from udacisense.torchscript.operators import CLASSES, allowed

_CLASS = re.compile(r"(?:__torch__\.)?torch\.classes\.[\w.]*")


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive: a zip with a code folder or bytecode, where plain weights have neither."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name or name.endswith("bytecode.pkl") for name in archive.namelist())
    except Exception:  # zipfile has many names for a damaged archive; which one it is, the loader tells
        return False


def is_lite(path: Path) -> bool:
    """Whether a TorchScript archive is one of the lite interpreter."""
    with archives.opened(path) as archive:
        return any(name.endswith("bytecode.pkl") for name in archive.namelist())


def check(path: Path, operators: Collection[str]) -> None:
    """Nothing, if the archive calls what a classifier may call. It is read, not run.

    Args:
        path: the file.
        operators: the names of all operators that this torch has, without namespace.

    Raises:
        ArchiveError: it is damaged, larger inside than it seems, or calls something else. The message is a reason only.
    """
    with archives.opened(path) as archive:
        names = archive.namelist()
        found = set(refused({name: _text(archive, name) for name in names if name.endswith(".py")}, operators))
        for name in names:
            if name.endswith(".pkl"):
                found |= _refused_in_pickle(archives.read_text(archive, name))
        if not any(name.endswith("data.pkl") for name in names):
            raise ArchiveError("it holds no TorchScript module")
    if found:
        raise_refused(found)


def _text(archive: zipfile.ZipFile, name: str) -> str:
    return archives.read_text(archive, name).decode("latin-1")  # what is not ASCII is refused where it is parsed


def _refused_in_pickle(raw: bytes) -> set[str]:
    """The lite interpreter's operators are texts in a pickle, and so are the names of classes."""
    found = set()
    for text in archives.strings_of(raw):
        if re.fullmatch(r"\w+::[\w.]+", text) and not allowed(text):
            found.add(text)
        for name in _CLASS.findall(text.replace(" ", ".")):  # a pickle names a class in two words
            if not any(known.endswith(name) for known in CLASSES):
                found.add(f"class {name.partition('torch.classes.')[2]}")
    return found
