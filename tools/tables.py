"""Write the tables of figures in the documents anew from the records, between their markers.

python tools/tables.py            rewrite them
python tools/tables.py --check    say which are out of date; code 1 if one is

A marker is a line `<!-- table: single_techniques -->` (a pipeline's name, or `files` for the phone files), its end a line
`<!-- end of table -->`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from udacisense.artifacts import list_artifacts  # noqa: E402 - a tool is a program, and stands beside the package
from udacisense.errors import NotFoundError  # noqa: E402
from udacisense.records.store import write_text  # noqa: E402
from udacisense.report import collect  # noqa: E402
from udacisense.report.compression import compressed  # noqa: E402
from udacisense.report.compression_table import grid  # noqa: E402
from udacisense.report.files_table import files_grid, runs_of  # noqa: E402
from udacisense.report.markdown import to_markdown  # noqa: E402

DOCUMENTS = (PROJECT / "README.md", PROJECT / "docs" / "compression.md")
BLOCK = re.compile(r"(<!-- table: (?P<pipeline>[\w.-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """The document with every table as the records say now."""
    return BLOCK.sub(lambda found: f"{found[1]}{_written(found['pipeline'])}{found[3]}", text)


def _written(name: str) -> str:
    return files() if name == "files" else table(name)


def files() -> str:
    """The phone files with their checkpoints, and the runs and machines that timed them."""
    found = tuple(collect(artifact) for artifact in list_artifacts().records)
    timed = [f"run `{b.run_id}` on {b.made.machine.cpu} ({len(b.by_start)} starts of each file)" for b in runs_of(found)]
    return f"\n{to_markdown([files_grid(found)])}\nTimed side by side in {' and '.join(timed) or 'no run yet'}.\n\n"


def table(pipeline: str) -> str:
    """A pipeline's table with the records and the machine behind it, or how to get one."""
    try:
        found = compressed(pipeline)
    except NotFoundError as exc:
        return f"\n{exc}\n\n"
    timed = next((row.benchmark for row in found.rows if row.benchmark), None)
    judged = next((row.evaluation for row in found.rows if row.evaluation), None)
    said = [f"Made by `{found.run.made.command}`; record `{found.run.id}`."]
    if timed is not None:
        machine = timed.made.machine
        said.append(f"Timed in run `{timed.run_id}` on {machine.cpu}, {timed.threads} thread, torch {timed.runtime_version}.")
    if judged is not None:
        said.append(f"Accuracy on {judged.images:,} images ({judged.data.source}, {judged.data.scheme} {judged.data.split}).")
    return f"\n{to_markdown([grid(found)])}\n{' '.join(said)}\n\n"


def main() -> int:
    """Rewrite the documents, or check them; returns the exit code."""
    stale = [(path, new) for path in DOCUMENTS if (new := rewritten(path.read_text(encoding="utf-8"))) != path.read_text()]
    for path, new in stale:
        print(f"{path.relative_to(PROJECT)}: {'out of date' if '--check' in sys.argv else 'written'}")
        if "--check" not in sys.argv:
            write_text(path, new)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
