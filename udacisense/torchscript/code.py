"""Operators in the code of a TorchScript archive, read from its syntax tree: nothing of it is run.

The code is written in a subset of Python's grammar. It may reach an operator as `torch.conv2d(...)`, as `ops.prim.min(...)`,
and also as `x.conv2d(...)` or `getattr(x, "conv2d")`, so every attribute is looked at, whether it is called or not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, NoReturn

from udacisense.archives import ArchiveError
from udacisense.torchscript.operators import ATEN, BUILTINS, CLASSES, NAMESPACES

_PLAIN = re.compile(r"[\n\x20-\x7e]*")
_FORBIDDEN = (
    ast.Import, ast.ImportFrom, ast.Lambda, ast.AsyncFunctionDef, ast.Await, ast.Yield, ast.YieldFrom, ast.JoinedStr,
    ast.Global, ast.Nonlocal, ast.NamedExpr, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Match, ast.Try,
)  # fmt: skip
"""Parts of Python's grammar that torch never writes."""


_SPECIAL = frozenset({"fork", "awaitable", "rpc_async", "rpc_sync", "rpc_remote"})
"""Functions of the language that start work elsewhere, whatever a file calls by the same name."""


class _Own(NamedTuple):
    """What an archive's code itself names."""

    variables: frozenset[str]  # may stand alone
    attributes: frozenset[str]  # may stand after a dot


class RefusedError(ArchiveError):
    """A file calls what a classifier may not call. The message is a reason only."""


def refused(texts: Mapping[str, str], operators: Collection[str]) -> tuple[str, ...]:
    """What the code of an archive calls and a classifier may not, sorted: "torch.save", "fork", "class quantized.Foo".

    Args:
        texts: the code by the names of its files in the archive.
        operators: the names of all operators that this torch has, without namespace: a method of the file may not be called
            as one of them, since the call could mean either.

    Raises:
        ArchiveError: the code is not as torch writes it.
    """
    trees = [_parsed(name, text) for name, text in texts.items()]
    names = frozenset(name for tree in trees for name in _defined(tree))
    own = _Own(names - _SPECIAL, names - (frozenset(operators) - ATEN))
    return tuple(sorted({name for tree in trees for name in _refused_in(tree, own)}))


def _parsed(name: str, text: str) -> ast.Module:
    if not _PLAIN.fullmatch(text):  # another line break or letter, which torch and Python may read differently
        raise ArchiveError(f"{name[:80]!r} in it holds characters that torch never writes")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as exc:
        raise ArchiveError(f"{name[:80]!r} in it is not code as torch writes it") from exc
    found = next((type(node).__name__ for node in ast.walk(tree) if isinstance(node, _FORBIDDEN)), None)
    if found is not None:
        raise ArchiveError(f"{name[:80]!r} in it holds a {found}, which torch never writes")
    return tree


def _defined(tree: ast.Module) -> Iterator[str]:
    """Names of the classes, functions, fields and variables that the code itself makes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.slice, ast.Constant):
            yield str(node.slice.value)  # __annotations__["0"] = ...


def _refused_in(tree: ast.Module, own: _Own) -> Iterator[str]:
    inner: set[int] = set()  # attributes of a chain that was looked at from its end
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            chain = _chain(node, inner)
            yield from _in_chain(chain, own)
        elif isinstance(node, ast.Name) and node.id not in BUILTINS and node.id not in own.variables:
            yield node.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            yield from _by_name(node, own)
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            yield "bytes"


def _chain(node: ast.Attribute, inner: set[int]) -> list[str]:
    """The names of `a.b.c`, first the root: "" where that is no name."""
    names = [node.attr]
    value: ast.expr = node.value
    while isinstance(value, ast.Attribute):
        inner.add(id(value))
        names.append(value.attr)
        value = value.value
    names.append(value.id if isinstance(value, ast.Name) else "")
    return names[::-1]


def _in_chain(chain: list[str], own: _Own) -> Iterator[str]:
    root, names = chain[0], chain[1:]
    if root == "torch":
        if len(names) != 1 or names[0] not in ATEN:
            yield ".".join(chain)
    elif root == "ops":
        if len(names) != 2 or names[1] not in NAMESPACES.get(names[0], ()):
            yield ".".join(chain)
    elif root == "__torch__":
        path = ".".join(chain)
        if "torch.classes" in path and path not in CLASSES:
            yield f"class {path.partition('torch.classes.')[2] or path}"
    elif root != "CONSTANTS":
        yield from (name for name in names if not _known(name, own))


def _known(name: str, own: _Own) -> bool:
    return name in ATEN or name in own.attributes or name in NAMESPACES["prim"] or name == "shape"


def _by_name(call: ast.Call, own: _Own) -> Iterator[str]:
    name = call.args[1] if len(call.args) > 1 else None
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str) or not _known(name.value, own):
        yield f"{call.func.id} of {getattr(name, 'value', 'an expression')!s}"  # type: ignore[attr-defined]


def raise_refused(found: Collection[str]) -> NoReturn:
    """The reason for a refusal, with the first of what was found.

    Raises:
        RefusedError: always.
    """
    named = ", ".join(sorted(found)[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise RefusedError(f"it calls {named}{more}, which no classifier needs")
