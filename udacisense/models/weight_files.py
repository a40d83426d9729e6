"""Weight files of a folder; those that claim the same id are told apart."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from udacisense import files
from udacisense.errors import StoreError
from udacisense.models.card import CARD
from udacisense.settings import settings
from udacisense.types import Checkpoint


@dataclasses.dataclass(slots=True)
class Walk:
    """Findings of a walk through a folder."""

    found: list[Path] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)


def walk(root: Path, endings: tuple[str, ...], but: Path) -> Walk:
    """Walk over everything below `root` whose name has one of the endings; folders behind links only if allowed."""
    seen, waiting, told = {root.resolve()}, [root], Walk()
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as exc:
            told.problems.append(f"The folder {folder} cannot be read: {exc.strerror}. Allow reading, or move it away.")
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.name.endswith(endings):
                told.found.append(path)
            elif _is_folder(entry) and path != but and _may_enter(entry, root, seen, told):
                waiting.append(path)
    told.found.sort()
    return told


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _may_enter(entry: os.DirEntry[str], root: Path, seen: set[Path], told: Walk) -> bool:
    """Every folder is entered once; one behind a link is listed where it lies, or not at all."""
    if not entry.is_symlink():
        return True
    path = Path(entry.path)
    try:
        files.check_place(path, root)
    except StoreError as exc:
        told.problems.append(str(exc))
        return False
    target = path.resolve()
    new = settings().follow_links and not target.is_relative_to(root.resolve()) and target not in seen
    seen.add(target)
    return new


def weights_of(card: Path, endings: tuple[str, ...]) -> tuple[Path, ...]:
    """The weight files beside a card that it may be of, whatever they are."""
    places = (card.with_name(card.name.removesuffix(CARD) + ending) for ending in endings)
    return tuple(place for place in places if os.path.lexists(place))


def told_apart(found: Sequence[Checkpoint]) -> tuple[list[Checkpoint], list[str]]:
    """The same bytes under one id once; other bytes under one id all get a longer id, so that none is taken for another.

    The same bytes under two ids are both kept: a pipeline's last step and its final file are.
    """
    kept: dict[tuple[str, str], Checkpoint] = {}
    problems: list[str] = []
    for checkpoint in found:
        first = kept.setdefault((checkpoint.id, checkpoint.sha256), checkpoint)
        if first is not checkpoint:
            problems.append(f"{checkpoint.path} is a copy of {first.path}. Remove one of the two.")
    ids = Counter(c.id for c in kept.values())
    for shared in (i for i, times in ids.items() if times > 1):
        paths = " and ".join(str(c.path) for c in kept.values() if c.id == shared)
        problems.append(f"{paths} are different files with the id {shared}, so each has a longer one. Remove the false one.")
    return [
        dataclasses.replace(c, id=c.id.removesuffix(c.sha256[:8]) + c.sha256) if ids[c.id] > 1 else c for c in kept.values()
    ], problems
