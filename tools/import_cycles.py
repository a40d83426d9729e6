"""Modules that import one another in a circle, also where an import hides in a function; imports for types only do not count.

python tools/import_cycles.py            of udacisense, ui and server; code 1 where there is a circle
python tools/import_cycles.py PACKAGE    of a package in this folder
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("udacisense", "ui", "server")

Arrows = Mapping[str, frozenset[str]]


def modules(folder: Path, package: str) -> dict[str, Path]:
    """The name of each module of a package and its file; a package goes by its own name."""
    files = sorted((folder / package).rglob("*.py"))
    return {".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def arrows(known: Mapping[str, Path]) -> Arrows:
    """What each module imports of the others."""
    return {name: frozenset(_imports(name, path, known)) - {name} for name, path in known.items()}


def _imports(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield from (found for found in [inner if inner in known else base] if found in known)


def _base(node: ast.ImportFrom, package: str) -> str:
    """The module that names are imported from, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *filter(None, [node.module])])


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs; what stands under `if TYPE_CHECKING:` does not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from (other, *_nodes(other))
        else:
            yield from (node, *_nodes(node))


def cycles(found: Arrows) -> list[list[str]]:
    """One shortest circle of each knot of modules, first module first."""
    circles: list[list[str]] = []
    for start in sorted(found):
        if any(start in circle for circle in circles):
            continue
        way = _way_back(start, found)
        if way is not None and not any(set(way) & set(circle) for circle in circles):
            circles.append(way)
    return circles


def _way_back(start: str, found: Arrows) -> list[str] | None:
    """The shortest way from a module to itself, breadth first; None where there is none."""
    queue, seen = [[start]], {start}
    while queue:
        way = queue.pop(0)
        for after in sorted(found[way[-1]]):
            if after == start:
                return way
            if after not in seen:
                seen.add(after)
                queue.append([*way, after])
    return None


def main(folder: Path, packages: tuple[str, ...]) -> int:
    """Print the circles of each package; 1 if there is one."""
    circles = [circle for package in packages for circle in cycles(offered_lazily(arrows(modules(folder, package))))]
    for circle in circles:
        print(f"Import circle: {' -> '.join([*circle, circle[0]])}. Move what both need into a third module.")
    return 1 if circles else 0


def offered_lazily(found: Arrows) -> Arrows:
    """The arrows without those of a root package: it offers what lies in it when it is asked."""
    return {name: (frozenset() if "." not in name else others) for name, others in found.items()}


if __name__ == "__main__":
    sys.exit(main(PROJECT, tuple(sys.argv[1:]) or PACKAGES))
