"""Labels by a table: a CSV file with the name of an image and its class in each row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from udacisense.data.dataset import Skipped
from udacisense.data.layout import THIRD, Group, Layout, Part, is_image, part_of, read_parts
from udacisense.data.tree import Node, Tree
from udacisense.errors import DataError
from udacisense.foreign import in_brief

ENDINGS = (".csv", ".tsv")
MAX_BYTES = 64 * 1024**2
FILE_COLUMNS = (
    "filename",
    "file_name",
    "file",
    "image",
    "image_name",
    "image_path",
    "img",
    "path",
    "filepath",
    "id",
    "image_id",
)
LABEL_COLUMNS = ("label", "class", "class_name", "classname", "category", "target", "labels")
SPLIT_COLUMNS = ("split", "set", "part", "subset")
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Table:
    """A file of labels: its name, and what it says."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """An image, its class, and the part that it belongs to."""

    line: int
    file: str
    label: str
    part: Part | None


def is_table(path: str) -> bool:
    """Whether a file is called as a table."""
    return path.lower().endswith(ENDINGS)


def read_table(raw: bytes, name: str) -> Table:
    """The rows of a table.

    Args:
        raw: the whole file.
        name: its path, whose last part may name the part of all its images: train.csv.

    Raises:
        DataError: it is no text, or lacks a column of images or one of classes.
    """
    lines = _text(raw, name).splitlines()
    columns = {d: _columns(next(csv.reader(lines[:1], delimiter=d), [])) for d in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda d: (_fit(columns[d]), len(columns[d])))
    found = columns[delimiter]
    if _fit(found) < len(_NEEDED):
        raise DataError(
            f"{name} has the columns {', '.join(found)[:200] or '(none)'}. It needs one for the image (filename, image, path) "
            "and one for its class (label, class, category). Rename them in its first line."
        )
    try:
        return Table(name, tuple(_rows(csv.reader(lines, delimiter=delimiter), found, name)))
    except csv.Error as exc:
        raise DataError(f"{name} cannot be read as a table: {in_brief(exc)}. Save it as CSV in UTF-8 again.") from exc


_NEEDED = (FILE_COLUMNS, LABEL_COLUMNS)


def _columns(names: Sequence[str]) -> list[str]:
    return [name.strip().lower().replace(" ", "_") for name in names]


def _fit(columns: Sequence[str]) -> int:
    return sum(any(name in columns for name in wanted) for wanted in _NEEDED)


def _place(columns: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((columns.index(name) for name in wanted if name in columns), None)


def _text(raw: bytes, name: str) -> str:
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as exc:
        raise DataError(f"{name} is no text in UTF-8 ({exc.reason} at byte {exc.start}). Save it as CSV in UTF-8.") from exc


def _rows(table: Iterator[list[str]], columns: Sequence[str], name: str) -> Iterator[Row]:
    file, label, split = (_place(columns, wanted) for wanted in (*_NEEDED, SPLIT_COLUMNS))
    own = part_of(name.rpartition("/")[2].rpartition(".")[0])
    next(table)
    for line, cells in enumerate(table, 2):
        if not any(cell.strip() for cell in cells):
            continue
        told = [cells[i].strip() if i is not None and i < len(cells) else "" for i in (file, label, split)]
        yield Row(line, told[0], told[1], part_of(told[2]) or own)


def labelled(tree: Tree, tables: Sequence[Table]) -> Layout:
    """The images of a tree in groups by the class that tables give them; what has none, or two, is told."""
    finder = _Finder(tree)
    skipped: list[Skipped] = []
    told: dict[str, tuple[Node, set[str], Part | None]] = {}
    for table in tables:
        for row in table.rows:
            node = finder.find(row.file, table.name)
            if node is None:
                skipped.append(
                    Skipped(row.file, f"{table.name} names it in line {row.line}, and it is not there.", "not there")
                )
            else:
                _, labels, _ = told.setdefault(node.path, (node, set(), row.part or _part_of_path(node.path)))
                labels.add(row.label)
    return _layout(tree, tables, told, skipped)


def _layout(
    tree: Tree, tables: Sequence[Table], told: dict[str, tuple[Node, set[str], Part | None]], skipped: list[Skipped]
) -> Layout:
    read_as = read_parts({part for _, _, part in told.values() if part})
    groups: dict[tuple[str, Part | None], list[Node]] = {}
    for node, labels, part in told.values():
        if part and read_as[part] is None:
            skipped.append(Skipped(node.path, THIRD, "of a third part"))
        elif len(labels) > 1 or not all(labels):
            skipped.append(Skipped(node.path, _why_none(labels), "without a label"))
        else:
            groups.setdefault((next(iter(labels)), part), []).append(node)
    names = {table.name for table in tables}
    for file in tree.files:
        if is_image(file.path) and file.path not in told:
            skipped.append(Skipped(file.path, f"{' and '.join(sorted(names))} does not name it.", "without a label"))
        elif not is_image(file.path) and file.path not in names:
            skipped.append(Skipped(file.path, "It is neither an image nor the table of labels.", "another file"))
    notes = [f"The classes are those that {' and '.join(sorted(names))} gives."]
    if read_as["val"] and any(part == "val" for _, part in groups):
        notes.append("There is no part called test, so the validation images are read as the test images.")
    found = (Group(n, n, read_as[p] if p else None, tuple(sorted(f, key=lambda x: x.path))) for (n, p), f in groups.items())
    return Layout("", tuple(sorted(found, key=lambda g: (g.name, g.split or ""))), tuple(skipped), tuple(notes))


def _why_none(labels: set[str]) -> str:
    if len(labels) > 1:
        return f"It has {len(labels)} different labels: {', '.join(sorted(labels))}. Keep one."
    return "Its label is empty. Write one."


def _part_of_path(path: str) -> Part | None:
    return next(filter(None, map(part_of, path.split("/")[:-1])), None)


class _Finder:
    """Images by what tables call them: a path from the table's folder or the tree's, or a name that only one image has."""

    def __init__(self, tree: Tree) -> None:
        images = [f for f in tree.files if is_image(f.path)]
        self._by_path = {f.path: f for f in images}
        self._by_name = _unique(images, lambda f: f.path.rpartition("/")[2])
        self._by_stem = _unique(images, lambda f: f.path.rpartition("/")[2].rpartition(".")[0])

    def find(self, told: str, table: str) -> Node | None:
        path = told.replace("\\", "/").removeprefix("./")
        name = path.rpartition("/")[2]
        beside = f"{table.rpartition('/')[0]}/{path}".lstrip("/")
        return (
            self._by_path.get(beside) or self._by_path.get(path) or self._by_name.get(name) or self._by_stem.get(name) or None
        )


def _unique(images: Sequence[Node], key: Callable[[Node], str]) -> dict[str, Node | None]:
    found: dict[str, Node | None] = {}
    for image in images:
        name = key(image)
        found[name] = None if name in found else image
    return found
