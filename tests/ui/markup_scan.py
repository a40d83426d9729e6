"""Where text reaches a page as Markdown without having gone through the door: read from the source, nothing is run.

Safe are constants, numbers with a numeric format, what `escape` and its like return, what a function annotated
`-> Markdown` returns, parameters and fields annotated `Markdown`, and what is put together from these. Such functions,
parameters and fields are held to it where they are made.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WIDGETS = {
    "markdown": (0,), "caption": (0,), "info": (0,), "warning": (0,), "error": (0,), "success": (0,), "toast": (0,),
    "write": (0,), "html": (0,), "title": (0,), "header": (0,), "subheader": (0,), "badge": (0,), "metric": (0, 1, 2),
    "expander": (0,), "status": (0,), "popover": (0,), "spinner": (0,), "progress": (), "page_link": (), "tabs": (0,),
    "button": (0,), "download_button": (0,), "form_submit_button": (0,), "link_button": (0, 1), "toggle": (0,),
    "checkbox": (0,), "radio": (0, 1), "pills": (0, 1), "segmented_control": (0, 1), "selectbox": (0,), "text_input": (0,),
    "number_input": (0,), "file_uploader": (0,), "camera_input": (0,), "image": (), "exception": (0,), "latex": (0,),
}  # fmt: skip
"""Streamlit's functions that read Markdown -> which of their arguments they read so."""
KEYWORDS = {"body", "label", "help", "text", "caption", "delta", "icon", "options", "value"}
"""Named arguments that are read as Markdown too."""
PLAIN_KEYWORDS = {("selectbox", "options"), ("text_input", "value"), ("number_input", "value"), ("toggle", "value")}
SAFE = {
    "escape", "code", "len", "model_card", "mb", "gb", "percent", "ms", "count", "millions", "duration", "decibels", "points",
    "change_percent", "percent_range", "points_range", "ratio_range", "share", "ratio", "in_unit",
}  # fmt: skip
"""Functions whose text is made of numbers and our own words, or was escaped."""
GATHERED = {"list", "tuple", "sorted", "reversed", "enumerate", "dict.fromkeys", "map", "set"}
NUMERIC = re.compile(r"^[-+ ,_]*\d*,?(\.\d+)?[dfgeE%,]?$")


@dataclass
class Known:
    """What the annotations of all files say."""

    doors: dict[str, dict[str, int]] = field(default_factory=dict)  # function or class -> its Markdown parameters
    makers: set[str] = field(default_factory=set)  # functions that return Markdown
    fields: set[str] = field(default_factory=set)


def leaks(files: Sequence[Path]) -> list[str]:
    """A line for each text that is not known to be safe: file, line, source."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    known = Known()
    for tree in trees.values():
        _learn(tree, known)
    return [f"{path.name}:{node.lineno}: {ast.unparse(node)}" for path, tree in trees.items() for node in _unsafe(tree, known)]


def _learn(tree: ast.Module, known: Known) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            marked = {a.arg: i for i, a in enumerate((*node.args.args, *node.args.kwonlyargs)) if _is_markdown(a.annotation)}
            known.doors |= {node.name: marked} if marked else {}
            known.makers |= {node.name} if _is_markdown(node.returns) else set()
        elif isinstance(node, ast.ClassDef):
            fields = [f for f in node.body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)]
            marked = {f.target.id: i for i, f in enumerate(fields) if _is_markdown(f.annotation)}  # type: ignore[union-attr]
            known.doors |= {node.name: marked} if marked else {}
            known.fields |= set(marked)


def _is_markdown(annotation: ast.expr | None) -> bool:
    return annotation is not None and re.search(r"\bMarkdown\b", ast.unparse(annotation)) is not None


def _unsafe(tree: ast.Module, known: Known) -> Iterator[ast.expr]:
    for scope in [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))]:
        judge = Judge(scope, known)
        for node in judge.own:
            if isinstance(node, ast.Call):
                yield from (a for a in _texts(node, known) if not judge.safe(a))
            elif isinstance(node, ast.Attribute) and _is_widget(node) and node not in judge.called:
                yield node  # under another name nobody would see what it is given
            elif isinstance(node, ast.Return) and scope in judge.makers and node.value and not judge.safe(node.value):
                yield node.value


def _is_widget(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "st" and node.attr in WIDGETS


def _texts(call: ast.Call, known: Known) -> Iterator[ast.expr]:
    """The arguments of a call that are read as Markdown."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in known.doors:
        marked = known.doors[name]
        yield from (a for i, a in enumerate(call.args) if i in marked.values())
        yield from (k.value for k in call.keywords if k.arg in marked)
    elif isinstance(call.func, ast.Attribute) and name in WIDGETS:
        shown = next((k.value for k in call.keywords if k.arg == "format_func"), None)
        yield from (a for i, a in enumerate(call.args) if i in WIDGETS[name] and not (i == 1 and shown))
        yield from (k.value for k in call.keywords if k.arg in KEYWORDS and (name, k.arg) not in PLAIN_KEYWORDS)
        if shown is not None and name != "selectbox":
            yield shown.body if isinstance(shown, ast.Lambda) else ast.Call(shown, [], [], lineno=shown.lineno)


class Judge:
    """Judges expressions of one function; what is assigned in it is looked up in it."""

    def __init__(self, scope: ast.Module | ast.FunctionDef, known: Known) -> None:
        self.known, self.own = known, list(_inside(scope))
        self.called = {n.func for n in self.own if isinstance(n, ast.Call)}
        self.makers = [scope] if isinstance(scope, ast.FunctionDef) and scope.name in known.makers else []
        args = (*scope.args.args, *scope.args.kwonlyargs) if isinstance(scope, ast.FunctionDef) else ()
        self.given = {a.arg for a in args if _is_markdown(a.annotation)}
        self.sources: dict[str, list[tuple[ast.expr, int | None]]] = {a.arg: [(a, None)] for a in args}  # type: ignore[list-item]
        for node in self.own:
            self._assigned(node)

    def _assigned(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.For | ast.comprehension):
            pairs = [(node.target, ast.Starred(node.iter))]
        else:
            return
        for target, value in pairs:
            parts = enumerate(target.elts) if isinstance(target, ast.Tuple) else [(None, target)]
            for place, part in parts:
                for name in (n for n in ast.walk(part) if isinstance(n, ast.Name)):
                    self.sources.setdefault(name.id, []).append((value, place))

    def safe(self, node: ast.AST, seen: frozenset[str] = frozenset()) -> bool:
        """Whether nothing in an expression comes from a file unescaped."""
        also = lambda part: self.safe(part, seen)  # noqa: E731
        match node:
            case ast.Constant():
                return True
            case ast.JoinedStr():
                return all(map(also, node.values))
            case ast.FormattedValue():
                return _numeric(node.format_spec) or also(node.value)
            case ast.Call():
                return self._safe_call(node, seen)
            case ast.BinOp():
                return also(node.left) and also(node.right)
            case ast.BoolOp() | ast.Tuple() | ast.List() | ast.Set():
                return all(map(also, getattr(node, "values", None) or getattr(node, "elts", ())))
            case ast.Dict():  # of which the keys are shown
                return all(map(also, filter(None, node.keys)))
            case ast.IfExp():
                return also(node.body) and also(node.orelse)
            case ast.GeneratorExp() | ast.ListComp():
                return also(node.elt)
            case ast.Starred():
                return also(node.value)
            case ast.Subscript():
                return also(node.value)
            case ast.Attribute():
                return node.attr.isupper() or node.attr in self.known.fields
            case ast.Name():
                return self._safe_name(node.id, seen)
        return False

    def _safe_name(self, name: str, seen: frozenset[str]) -> bool:
        if name in seen or name in self.given:
            return True
        if name not in self.sources:
            return name.isupper()
        return all(self._safe_source(value, place, seen | {name}) for value, place in self.sources[name])

    def _safe_source(self, value: ast.AST, place: int | None, seen: frozenset[str]) -> bool:
        """A value, or one place of what is unpacked or gone through."""
        if place is None:
            return self.safe(value, seen)
        rows = [value]
        if isinstance(value, ast.Starred):
            literal = value.value
            while isinstance(literal, ast.Name) and len(self.sources.get(literal.id, ())) == 1:
                literal = self.sources[literal.id][0][0]
            rows = literal.elts if isinstance(literal, ast.Tuple | ast.List) else [literal]  # type: ignore[assignment]
            if isinstance(literal, ast.Call) and ast.unparse(literal.func) in ("zip", "enumerate"):
                rows = [literal.args[place]] if ast.unparse(literal.func) == "zip" else [*literal.args[:place]]
        return all(self.safe(r.elts[place] if isinstance(r, ast.Tuple) else r, seen) for r in rows)

    def _safe_call(self, node: ast.Call, seen: frozenset[str]) -> bool:
        name = ast.unparse(node.func)
        last = name.rpartition(".")[2]
        if name in SAFE or last in self.known.makers:
            return True
        if isinstance(node.func, ast.Attribute) and last in (
            "items",
            "values",
            "keys",
            "get",
            "lower",
            "capitalize",
            "__getitem__",
        ):
            return self.safe(node.func.value, seen)
        if last == "join":
            return all(self.safe(part, seen) for part in (node.func.value, *node.args))  # type: ignore[attr-defined]
        if name == "map":
            return ast.unparse(node.args[0]) in SAFE | self.known.makers
        return name in GATHERED and all(self.safe(part, seen) for part in node.args)


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node of a scope but those of the functions within it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _inside(child)


def _numeric(spec: ast.expr | None) -> bool:
    if not isinstance(spec, ast.JoinedStr) or not all(isinstance(v, ast.Constant) for v in spec.values):
        return False
    text = "".join(str(v.value) for v in spec.values)  # type: ignore[attr-defined]
    return bool(text) and NUMERIC.match(text) is not None and text[-1] in "dfgeE%,"
