"""Who reads records: the questions of `queries` and nobody else, so that every page and verb rests on the same evidence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from udacisense.records import queries
from udacisense.settings import PROJECT

PLACES = ("udacisense", "ui", "pages", "tools", "benchmarks", "app.py")
READERS = {"records", "load", "read_record"}
"""What of `store` reads record files; its writers are for everybody."""
INSIDE = {"udacisense.records.index", "udacisense.records.index_file"}


def sources() -> Iterator[Path]:
    """Every source of the product outside the folder of records."""
    for place in PLACES:
        path = PROJECT / place
        for found in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if PROJECT / "udacisense" / "records" not in found.parents:
                yield found


def reads(source: str) -> list[str]:
    """Where a source reads records past the questions: "line 3: store.records"."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="store"), attr=name) if name in READERS:
                found.append(f"line {node.lineno}: store.{name}")
            case ast.Attribute(attr="newest_evidence"):
                found.append(f"line {node.lineno}: newest_evidence, which the standing_ questions ask")
            case ast.ImportFrom(module="udacisense.records.store", names=names) if READERS & {n.name for n in names}:
                found.append(f"line {node.lineno}: from store import a reader")
            case ast.ImportFrom(module="udacisense.records", names=names) if {n.name for n in names} & {"index", "index_file"}:
                found.append(f"line {node.lineno}: imports the index")
            case ast.ImportFrom(module=module) if module in INSIDE:
                found.append(f"line {node.lineno}: imports from the index")
            case ast.Import(names=names) if INSIDE & {n.name for n in names}:
                found.append(f"line {node.lineno}: imports the index")
    return found


def test_records_are_read_by_questions_only() -> None:
    found = {str(path.relative_to(PROJECT)): read for path in sources() if (read := reads(path.read_text(encoding="utf-8")))}
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "store.records(Benchmark)",
        "known = store.load",
        "from udacisense.records.store import save, records",
        "from udacisense.records import index",
        "from udacisense.records.index import rows",
        "import udacisense.records.index_file",
        "queries.evaluations_of(sha).newest_evidence()",
    ],
)
def test_a_reader_past_the_questions_is_found(source: str) -> None:
    assert len(reads(source)) == 1
    assert reads("from udacisense.records import queries, store\nstore.save(record)\nqueries.newest_readiness(sha)") == []


def test_the_list_of_questions_names_functions_that_are_there_and_say_what_they_answer() -> None:
    listed = [
        name.strip()
        for line in str(queries.__doc__).splitlines()
        if line.startswith("- ")
        for name in line.removeprefix("- ").split(":")[0].split(",")
    ]
    assert len(listed) == len(set(listed))
    assert all(getattr(queries, name).__doc__ for name in listed)
    assert {n for n in listed if n.startswith(("standing", "newest", "verification"))} == {
        name for name in vars(queries) if name.startswith(("standing_", "newest_", "verification_"))
    }
