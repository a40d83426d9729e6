"""The reference pages of the site, written from the code: verbs, settings, formats, rules and the Python API."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer

import udacisense
from udacisense import api, errors
from udacisense.cli.app import app
from udacisense.formats import FORMATS
from udacisense.readiness.rules import load_rules
from udacisense.settings import PREFIX, PROJECT, SHARED, Settings
from udacisense.types import Format

GENERATED = "*This page is written from the code when the site is built.*"
COMMAND = "python -m udacisense"


def pages() -> dict[str, str]:
    """Each page's path below docs/, and its Markdown."""
    written = {"verbs": verbs, "settings": settings, "formats": formats, "rules": rules, "api": python_api}
    return {f"reference/{name}.md": write() for name, write in written.items()}


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", GENERATED, *parts)) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split()).replace("|", "\\|")
    return text if text.startswith("`") else _text(text)


def _text(text: str) -> str:
    """Words in which `<name>` stands for a name and is no tag."""
    return text.replace("<", "&lt;")


# --- verbs -------------------------------------------------------------------------------------------------------------


def verbs() -> str:
    """The command line: every verb with its arguments, options and exit codes."""
    group: Any = typer.main.get_command(app)
    return _page("Command line", _text(str(group.help)), *(_verb(name, verb) for name, verb in group.commands.items()))


def _verb(name: str, verb: Any) -> str:
    return "\n\n".join(
        part
        for part in (f"## {name}", _text(inspect.cleandoc(verb.help or "")), f"    {_usage(name, verb)}", _parameters(verb))
        if part
    )


def _usage(name: str, verb: Any) -> str:
    arguments = [p for p in verb.params if p.param_type_name == "argument"]
    named = [(f"{p.name.upper()}{'...' if p.nargs == -1 else ''}", p.required) for p in arguments]
    return " ".join((COMMAND, name, *(word if needed else f"[{word}]" for word, needed in named), "[OPTIONS]"))


def _parameters(verb: Any) -> str:
    rows: list[tuple[object, ...]] = [(f"`{_spelling(p)}`", p.help or "", _default(p)) for p in verb.params if p.name != "help"]
    return _table(("argument or option", "meaning", "default"), rows) if rows else ""


def _spelling(parameter: Any) -> str:
    return str(parameter.name.upper()) if parameter.param_type_name == "argument" else ", ".join(parameter.opts)


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    return "" if parameter.default in (None, False, "", ()) else f"`{parameter.default}`"


# --- settings, formats, rules --------------------------------------------------------------------------------------------


def settings() -> str:
    """The settings: each name in the environment, its default and its meaning."""
    rows: list[tuple[object, ...]] = [
        (f"`{PREFIX}{n.upper()}`", f.description, _shown(f.default)) for n, f in Settings.model_fields.items()
    ]
    told = f"Environment variables, read when a process starts. `{COMMAND} env` prints their values."
    return _page("Settings", told, _table(("variable", "meaning", "default"), rows))


def _shown(default: object) -> str:
    """A default without the folder that this checkout happens to lie in."""
    if default is None:
        return "not set"
    return f"`{str(default).replace(f'{SHARED}/', '').replace(str(PROJECT), 'the checkout')}`"


def formats() -> str:
    """The formats, and for each precision the recipes in the order in which they are tried."""
    told = "Which one to take, and what each is good for: [Formats](../formats.md)."
    return _page("Formats and recipes", told, *(_format(format) for format in FORMATS.values() if format.name != "torch"))


def _format(format: Format) -> str:
    said = f"Runs on {format.target}, by `{format.runtime}`. File: `{format.file_name}`."
    found = [(p, recipe) for p in format.precisions for recipe in format.recipes_for(p)]
    rows: list[tuple[object, ...]] = [(p, f"`{r.name}`", r.what, "yes" if r.calibrated else "no") for p, r in found]
    return f"## {format.title}\n\n`--format {format.name}`. {said}\n\n" + _table(
        ("precision", "recipe", "what it does", "calibrated"), rows
    )


def rules() -> str:
    """The rules that `readiness.toml` ships with."""
    sides = {"below": "below", "at_least": "at least", None: ""}
    found: list[tuple[object, ...]] = [
        (
            f"`{name}`",
            rule.title,
            f"`{rule.measure}`",
            rule.against or "",
            f"{sides[rule.bound]} {'' if rule.limit is None else f'{rule.limit:g} {rule.unit}'}",
        )
        for name, rule in load_rules(SHARED / "readiness.toml").rules.items()
    ]
    told = "The rules of `readiness.toml` as shipped. What a rule may ask: [readiness measures](../readiness.md)."
    return _page("Readiness rules", told, _table(("rule", "title", "measure", "against", "limit"), found))


# --- Python --------------------------------------------------------------------------------------------------------------


def python_api() -> str:
    """The Python API: the worked example, every function with its signature, and the errors."""
    head = _indented(inspect.getdoc(udacisense) or "")
    functions = "\n\n".join(_function(getattr(api, name)) for name in api.__all__)
    return _page("Python API", head, "## Functions", functions, "## Errors", "\n".join(_errors(errors.UdaciSenseError, 0)))


def _indented(docstring: str) -> str:
    """A docstring as Markdown: its examples, which begin with >>>, are indented by four and so are code already."""
    return docstring.replace("UdaciSense: a checkpoint goes in, evidence comes out.\n\n", "", 1)


def _function(function: Any) -> str:
    doc = inspect.getdoc(function) or ""
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))  # annotations are kept as texts
    return f"### {function.__name__}\n\n```python\n{function.__name__}{signature}\n```\n\n" + _sections(doc)


def _sections(doc: str) -> str:
    """A Google docstring as Markdown: what stands below `Args:` and `Raises:` becomes a paragraph of its own."""
    for name in ("Args", "Returns", "Raises"):
        doc = doc.replace(f"\n{name}:\n    ", f"\n**{name}** ")
    return "\n".join(line.strip() if not line.lstrip().startswith((">>>", "...")) else line for line in doc.splitlines())


def _errors(kind: type[Exception], depth: int) -> Iterator[str]:
    yield f"{'    ' * depth}- `{kind.__name__}`: {(inspect.getdoc(kind) or '').splitlines()[0]}"
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _errors(below, depth + 1)
