"""A folder of images, or a zip of one: `<split>/<class>/*.png`, `<class>/*.png`, or images with a table of their labels."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from udacisense import files
from udacisense.data import bounds
from udacisense.data.dataset import LOST, Skipped
from udacisense.data.images import decode_image
from udacisense.data.label_file import MAX_BYTES as MAX_TABLE_BYTES
from udacisense.data.label_file import Table, is_table, labelled, read_table
from udacisense.data.layout import FORM, Group, Layout, arrange, holders, unknown
from udacisense.data.pool import LabelledImage, Pool, image_md5
from udacisense.data.preprocess import before_crop
from udacisense.data.same_names import how_to_confirm, suggestions
from udacisense.data.splits import household_v1_test
from udacisense.data.tree import MAX_FILE_BYTES, Node, Tree
from udacisense.data.zipped import Read, is_zip, reader, tree_of
from udacisense.errors import DataError, ImageError, StoreError
from udacisense.types import HOUSEHOLD, MAX_CLASSES, ModelSpec, Pixels, Preprocessing, SplitName

_MD5_PREFIX = re.compile(r"[0-9a-f]{16}")
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class File:
    """An image file of a class, as the directory tells it."""

    node: Node
    label: int
    split: SplitName | None

    @property
    def path(self) -> str:
        """Its path in the folder."""
        return self.node.path


@dataclass(frozen=True, slots=True)
class Listing:
    """Listing of the folder, before an image is opened; equal as long as nobody changes a file."""

    root: str
    files: tuple[File, ...]
    wrong_classes: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    inside: str = ""
    maybe: tuple[tuple[str, str], ...] = ()
    same: tuple[tuple[str, str], ...] = ()


def read_folder(root: Path, spec: ModelSpec = HOUSEHOLD, same: Mapping[str, str] = _NOTHING) -> Pool:
    """Every readable image below `root`; the others are skipped with a reason. Decoded once per process and state.

    Args:
        same: names of folders or labels that a person said to mean a class.

    Raises:
        DataError: no such folder, none of the classes in it, or not one readable image.
    """
    listing = list_folder(root, spec.classes, same)
    pool = _decode(listing, spec.preprocessing)
    if pool.images:
        return pool
    lost = [skipped for skipped in pool.skipped if skipped.kind in LOST]
    found = f"{len(lost)} files could not be used ({lost[0].reason})" if lost else "the folders are empty"
    raise DataError(f"{root} has no readable image: {found}. Put images into {FORM}.")


def read_named_by_hash(
    root: Path, split: SplitName, spec: ModelSpec = HOUSEHOLD, same: Mapping[str, str] = _NOTHING
) -> Pool | None:
    """One part of a folder whose file names say, by the md5 they begin with, that its split is household-v1.

    Only this part is opened, and its names are checked against its images. None = not such a folder, or a name is false.

    Raises:
        DataError: no such folder, or none of the classes in it.
    """
    listing = list_folder(root, spec.classes, same)
    if not _says_household_v1(listing):
        return None
    pool = _decode(replace(listing, files=tuple(f for f in listing.files if f.split == split)), spec.preprocessing)
    true = bool(pool.images) and all(_stem(p.place) == p.md5[:16] for p in pool.images)
    return pool if true else None


def _says_household_v1(listing: Listing) -> bool:
    named = [(f, _stem(f.path)) for f in listing.files]
    if not named or not all(_MD5_PREFIX.fullmatch(name) for _, name in named):
        return False
    test = household_v1_test((f.label, name) for f, name in named)
    return all(f.split == ("test" if (f.label, name) in test else "train") for f, name in named)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


# --- listing -----------------------------------------------------------------------------------------------------------------


def list_folder(root: Path, classes: Sequence[str] = HOUSEHOLD.classes, same: Mapping[str, str] = _NOTHING) -> Listing:
    """The image files of the classes, in a fixed order, with sizes and times but unopened; and what else is there.

    Raises:
        DataError: no such folder, not readable, or none of the classes in it.
    """
    tree = _tree(root)
    found = _found(root, tree, classes, same)
    named = [(group, _label(group, classes, same)) for group in found.groups]
    wrong = [group for group, label in named if label is None]
    if len(wrong) == len(named):
        raise DataError(f"{root} holds none of the classes ({', '.join(classes)}). {_where(tree, found, classes)}")
    maybe = suggestions((group.name for group in wrong if not group.stray), classes)
    names = {group.name for group in found.groups}
    return Listing(
        str(root),
        tuple(File(node, label, group.split) for group, label in named if label is not None for node in group.files),
        tuple(sorted(group.folder for group in wrong)),
        tuple(sorted((*tree.skipped, *found.skipped, *unknown(wrong)), key=lambda s: s.path)),
        found.notes,
        found.inside,
        tuple(sorted(maybe.items())),
        tuple(
            sorted((name, meant) for name, meant in same.items() if name in names and meant in classes and name not in classes)
        ),
    )


def folder_names(root: Path) -> tuple[str, ...]:
    """The names of classes in a folder, as its folders or its table of labels give them.

    Raises:
        DataError: it cannot be read.
    """
    return tuple(sorted({group.name for group in _found(root, _tree(root), HOUSEHOLD.classes, {}).groups}))


def folder_classes(root: Path, same: Mapping[str, str] = _NOTHING) -> tuple[str, ...]:
    """The classes that a folder holds images of: the household ones, or its own where it holds none of these.

    Raises:
        DataError: it cannot be read.
    """
    names = sorted({same.get(name, name) for name in folder_names(root)})
    ours = bool(set(names) & set(HOUSEHOLD.classes))
    return HOUSEHOLD.classes if ours or not 2 <= len(names) <= MAX_CLASSES else tuple(names)


def is_source(root: Path) -> bool:
    """Whether there is a folder, or a zip of one."""
    return root.is_dir() or is_zip(root)


def _tree(root: Path) -> Tree:
    if not is_source(root):
        raise DataError(f"The folder {root} does not exist. Correct its path (UDACISENSE_DATA_DIR), or use another source.")
    return tree_of(root)


def _found(root: Path, tree: Tree, classes: Sequence[str], same: Mapping[str, str]) -> Layout:
    """The classes by the names of folders, where one is known so; else by a table of labels, where there is one."""
    known = {*classes, *same}
    by_folder = arrange(tree, known)
    if any(group.name in known and not group.stray for group in by_folder.groups):
        return by_folder
    tables, faults = _tables(root, tree)
    if tables:
        return labelled(tree, tables)
    return replace(by_folder, notes=(*by_folder.notes, *faults))


def _tables(root: Path, tree: Tree) -> tuple[list[Table], list[str]]:
    """The tables of labels in the folder, else beside it; and what is wrong with files that are called so."""
    found, faults = list[Table](), list[str]()
    for name, raw in _texts(root, tree):
        try:
            found.append(read_table(raw, name))
        except DataError as exc:
            faults.append(str(exc))
    return found, faults


def _texts(root: Path, tree: Tree) -> list[tuple[str, bytes]]:
    within = [node for node in tree.files if is_table(node.path) and node.size_bytes <= MAX_TABLE_BYTES]
    if within:
        with reader(tree.root) as read:
            return [(node.path, read(node)) for node in within]
    return [(path.name, files.read_bytes(path, MAX_TABLE_BYTES)) for path in beside(root)]


def beside(root: Path) -> tuple[Path, ...]:
    """Tables of labels that lie beside a folder."""
    whole = root.absolute()
    places = (whole.with_suffix(".csv"), whole.with_suffix(".tsv"), whole.parent / "labels.csv")
    return tuple(path for path in places if path.is_file())


def _label(group: Group, classes: Sequence[str], same: Mapping[str, str]) -> int | None:
    name = group.name if group.name in classes else same.get(group.name, "")
    return classes.index(name) if name in classes and not group.stray else None


def _where(tree: Tree, found: Layout, classes: Sequence[str]) -> str:
    """What a person can do who named a folder without a class that is known."""
    maybe = suggestions((group.name for group in found.groups), classes)
    if maybe:
        said = ", ".join(f"{name} may mean {meant}" for name, meant in sorted(maybe.items()))
        return f"Of its names, {said}. {how_to_confirm(maybe)}"
    elsewhere = holders(tree, classes)
    if elsewhere:
        return f"They are in {' and in '.join(elsewhere[:3])}: name that folder."
    links = [s for s in tree.skipped if s.kind == "a link"]
    if links:
        return f"{len(links)} links in it are not followed: {links[0].reason}"
    return " ".join((*found.notes, f"It needs {FORM}, or a table of labels (filename,label)."))


# --- images ------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _decode(listing: Listing, preprocessing: Preprocessing) -> Pool:
    with reader(listing.root) as read:
        found = [_image(file, listing.root, read, preprocessing) for file in listing.files]
    images = tuple(one for one in found if isinstance(one, LabelledImage))
    skipped = (*listing.skipped, *(one for one in found if isinstance(one, Skipped)))
    told = (listing.wrong_classes, listing.notes, listing.inside, listing.maybe, listing.same)
    return Pool(images, tuple(sorted(skipped, key=lambda s: s.path)), *told)


def _image(file: File, root: str, read: Read, preprocessing: Preprocessing) -> LabelledImage | Skipped:
    name, raw = os.path.basename(file.path), b""
    if file.node.size_bytes > MAX_FILE_BYTES:
        too_large = f"{name} is larger than {MAX_FILE_BYTES >> 20} MB. Make it smaller."
        return Skipped(file.path, too_large, "too large", file.split)
    try:
        raw = read(file.node)
        pixels = decode_image(raw, name)
    except ImageError as exc:
        return Skipped(file.path, str(exc), bounds.fault(raw), file.split)
    except (DataError, StoreError, OSError) as exc:
        return Skipped(file.path, str(exc), "unreadable", file.split)
    return LabelledImage(_bounded(pixels, preprocessing), file.label, image_md5(pixels), file.split, f"{root}/{file.path}")


def _bounded(pixels: Pixels, preprocessing: Preprocessing) -> Pixels:
    """An image larger than the network's input is kept at that size: preprocessing gives the same, memory stays small."""
    height, width = preprocessing.input_size
    kept = before_crop(pixels, preprocessing) if pixels.shape[0] * pixels.shape[1] > height * width else pixels
    kept.setflags(write=False)
    return kept
