"""Answers of verbs for a person at a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

MB = 1024 * 1024


def answer(verb: str, found: Any) -> None:
    """Print the answer of a verb on stdout."""
    SHOWN.get(verb, _plain)(Console(), found)


def _plain(console: Console, found: Any) -> None:
    from udacisense.cli.plain import plain

    console.print_json(json.dumps(plain(found)))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _env(console: Console, found: Any) -> None:
    machine = found.machine
    console.print(f"UdaciSense {found.version} · Python {machine.python} · {machine.os}")
    console.print(f"{machine.cpu}, {machine.physical_cores} cores ({machine.logical_cores} logical)")
    console.print(f"Devices: {', '.join(found.devices)} · seed {found.seed}")
    versions = _table("Libraries", "name", "version")
    for name, version in found.versions.items():
        versions.add_row(name, version)
    rows = _table("Settings", "name", "value", "what it is")
    for row in found.settings:
        rows.add_row(row.name, row.value, row.help)
    console.print(versions, rows)


SHOWN: dict[str, Callable[[Console, Any], None]] = {"env": _env}
