"""Parts and classes of a tree of files, by the names of its folders: no file is opened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from udacisense.data.dataset import Kind, Skipped
from udacisense.data.tree import Node, Tree
from udacisense.types import SplitName

ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".mpo", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".gif")
THIRD = "It belongs to a third part, for validation; only train and test are read. Move it to one of them to use it."
FORM = "<class>/*.png, or train/<class>/*.png and test/<class>/*.png"

Part = Literal["train", "val", "test"]

_WORDS: Mapping[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval"), "test"),
}
"""What a folder of a part is called, in lower case."""


@dataclass(frozen=True, slots=True)
class Group:
    """A folder of one class, with all the image files below it."""

    folder: str  # relative to the tree
    name: str  # of the class, as the folder is called
    split: SplitName | None
    files: tuple[Node, ...]
    stray: bool = False  # beside the folders of parts, so that its part is not known


@dataclass(frozen=True, slots=True)
class Layout:
    """Groups of a tree, and what belongs to none."""

    inside: str  # the folder that the groups were found in; empty = the tree itself
    groups: tuple[Group, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def part_of(word: str) -> Part | None:
    """The part that a word stands for."""
    return _WORDS.get(word.lower())


def read_parts(words: Collection[Part]) -> dict[Part, SplitName | None]:
    """What each part is read as; None = as none. Validation images are the test images where there are no others."""
    third: SplitName | None = None if "test" in words else "test"
    return {"train": "train", "test": "test", "val": third}


def is_image(path: str) -> bool:
    """Whether a file is called as an image; what it is shows when it is read."""
    return path.lower().endswith(ENDINGS)


def arrange(tree: Tree, known: Collection[str]) -> Layout:
    """The class folders of a tree, in parts where it has folders of parts.

    Args:
        known: names of classes, which are never taken for a folder around the classes.
    """
    return _Arranger(tree, known).layout()


def holders(tree: Tree, known: Collection[str]) -> tuple[str, ...]:
    """Folders that hold folders with the names of known classes."""
    found = (folder.rpartition("/") for folder in tree.folders)
    return tuple(sorted({above for above, _, name in found if above and name in known}))


class _Arranger:
    def __init__(self, tree: Tree, known: Collection[str]) -> None:
        self._tree, self._known = tree, known
        self._below: dict[str, list[str]] = {"": []}
        for folder in tree.folders:
            self._below.setdefault(folder.rpartition("/")[0], []).append(folder)
        self._with_images = {f.path.rpartition("/")[0] for f in tree.files if is_image(f.path)}

    def layout(self) -> Layout:
        base = self._inside("")
        parts, notes = self._parts(base)
        taken: dict[str, tuple[SplitName | None, bool]] = {}
        for part, split in parts.items():
            if split is not None:
                taken |= dict.fromkeys(self._folders(self._inside(part)), (split, False))
        for folder in self._folders(base):
            if folder not in parts:
                taken[folder] = (None, bool(parts))
        aside = [part for part, split in parts.items() if split is None]
        return self._sorted(base, taken, aside, notes)

    def _sorted(
        self, base: str, taken: Mapping[str, tuple[SplitName | None, bool]], aside: Collection[str], notes: tuple[str, ...]
    ) -> Layout:
        files: dict[str, list[Node]] = {folder: [] for folder in taken}
        skipped = []
        for file in self._tree.files:
            group, part = _above(file.path, taken), _above(file.path, aside)
            split = taken[group][0] if group else None
            if not is_image(file.path):
                skipped.append(Skipped(file.path, _no_image(file.path), "another file", split))
            elif group:
                files[group].append(file)
            else:
                skipped.append(_outside(file.path, part))
        groups = tuple(Group(f, f.rpartition("/")[2], s, tuple(files[f]), stray) for f, (s, stray) in sorted(taken.items()))
        empty = [Skipped(g.folder, "It holds no image.", "an empty folder", g.split) for g in groups if not g.files]
        return Layout(base, groups, (*skipped, *empty), notes)

    def _folders(self, folder: str) -> list[str]:
        return self._below.get(folder, [])

    def _inside(self, folder: str) -> str:
        """The folder within which classes or parts begin: one that holds nothing but another folder was packed once more."""
        while folder not in self._with_images and len(self._folders(folder)) == 1:
            (only,) = self._folders(folder)
            name = only.rpartition("/")[2]
            if name in self._known or part_of(name) or only in self._with_images or not self._folders(only):
                break
            folder = only
        return folder

    def _parts(self, base: str) -> tuple[dict[str, SplitName | None], tuple[str, ...]]:
        """Folders of parts and what each is read as (None = neither). One that holds images itself may be a class."""
        named = {f: word for f in self._folders(base) if (word := part_of(f.rpartition("/")[2]))}
        if not any(self._folders(f) and f not in self._with_images for f in named):
            return {}, ()
        read_as = read_parts(set(named.values()))
        as_test = [f for f, word in named.items() if word == "val" and read_as[word]]
        notes = (f"There is no part called test, so {' and '.join(as_test)} is read as the test images.",) if as_test else ()
        return {f: read_as[word] for f, word in named.items()}, notes


def _above(path: str, folders: Collection[str]) -> str | None:
    while path:
        path = path.rpartition("/")[0]
        if path in folders:
            return path
    return None


def _no_image(path: str) -> str:
    if path.lower().endswith((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")):
        return "It is an archive inside the images, which is not opened. Unpack it."
    return f"Its name does not end in one of {', '.join(ENDINGS)}. Rename it if it is an image."


def _outside(path: str, part: str | None) -> Skipped:
    if part is not None:
        return Skipped(path, THIRD, "of a third part")
    return Skipped(path, "It lies in no folder of a class. Move it to one.", "of no class")


def unknown(groups: Iterable[Group], kind: Kind = "of no class") -> tuple[Skipped, ...]:
    """The images of groups that are none of the classes."""
    return tuple(
        Skipped(file.path, _why_unknown(group), kind, None if group.stray else group.split)
        for group in groups
        for file in group.files
    )


def _why_unknown(group: Group) -> str:
    if group.stray:
        return f"{group.folder} lies beside the folders of the parts, so it is not known to which it belongs. Move it there."
    return f"{group.name} is none of the classes."
