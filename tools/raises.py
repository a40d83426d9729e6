"""Public functions whose docstring leaves out an error that their own body raises, or names one that does not exist.

python tools/raises.py            of udacisense; code 1 where one is left out or made up
python tools/raises.py PACKAGE    of a package in this folder
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
BUILT_IN = {name for name, found in vars(builtins).items() if isinstance(found, type) and issubclass(found, BaseException)}
NAMED = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Bases = Mapping[str, set[str]]


def problems(folder: Path, package: str) -> list[str]:
    """A sentence for each function whose section on errors is not what its body does."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((folder / package).rglob("*.py"))}
    bases = _bases(trees.values())
    return [
        f"{path.relative_to(folder)}:{function.lineno}: {function.name} {fault}"
        for path, tree in trees.items()
        for function in _public(tree)
        for fault in _faults(function, bases)
    ]


def _bases(trees: Iterable[ast.Module]) -> Bases:
    """Every class of the package with the names of its bases."""
    classes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {node.name: {_name(base) for base in node.bases} for node in classes}


def _public(node: ast.AST) -> Iterator[Function]:
    """Functions and methods that anybody may call; not those inside of a function."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, Function) and not inner.name.startswith("_"):
            yield inner
        elif isinstance(inner, ast.ClassDef) and not inner.name.startswith("_"):
            yield from _public(inner)


def _faults(function: Function, bases: Bases) -> Iterator[str]:
    told = "".join(re.split(r"\bRaises?\b", ast.get_docstring(function) or "", maxsplit=1)[1:])
    raised = set(_raised(function.body, (), bases))
    for name in sorted(raised - set(NAMED.findall(told))):
        yield f"raises {name}, which its docstring leaves out: add it below Raises."
    for name in sorted({found for found in NAMED.findall(told) if found not in bases and found not in BUILT_IN} - raised):
        yield f"names {name}, which does not exist: correct it below Raises."


def _raised(nodes: list[ast.stmt], caught: tuple[str, ...], bases: Bases) -> Iterator[str]:
    """The error classes that statements raise by name and that no `try` around them catches."""
    for node in nodes:
        if isinstance(node, Function | ast.ClassDef):
            continue
        if isinstance(node, ast.Raise):
            name = _name(node.exc)
            if _is_error(name, bases) and not _ancestors(name, bases) & set(caught):
                yield name
        elif isinstance(node, ast.Try):
            yield from _raised(
                node.body, (*caught, *(name for handler in node.handlers for name in _names(handler.type))), bases
            )
            yield from _raised([*node.orelse, *node.finalbody, *(s for h in node.handlers for s in h.body)], caught, bases)
        else:
            yield from _raised(list(_inner(node)), caught, bases)


def _inner(node: ast.AST) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.match_case):
            yield from child.body


def _names(caught: ast.expr | None) -> list[str]:
    if caught is None:
        return ["BaseException"]
    return [_name(one) for one in (caught.elts if isinstance(caught, ast.Tuple) else [caught])]


def _name(node: ast.expr | None) -> str:
    """The class in `X`, `X(...)` or `module.X(...)`."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_error(name: str, bases: Bases) -> bool:
    return name in BUILT_IN or NAMED.fullmatch(name) is not None or bool(_ancestors(name, bases) & BUILT_IN)


def _ancestors(name: str, bases: Bases) -> set[str]:
    """The class and all that it is a kind of."""
    if name in BUILT_IN:
        return {found.__name__ for found in getattr(builtins, name).__mro__}
    above = bases.get(name, set())
    return {name, *(found for base in above for found in _ancestors(base, bases))}


def main(folder: Path, package: str) -> int:
    """Print every problem; 1 if there is one."""
    found = problems(folder, package)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(PROJECT, sys.argv[1] if len(sys.argv) > 1 else "udacisense"))
