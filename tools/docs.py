"""The site of docs/: one command builds it, and MkDocs calls the two hooks below while it does.

python tools/docs.py               build it into site/, strictly: a dead link or a page outside the navigation is an error
python tools/docs.py --serve       show it on http://127.0.0.1:8000 and follow changes
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tools import reference  # noqa: E402 - a tool is a program, and stands beside the package

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

DECISIONS = "decisions"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the decisions in the navigation, so that a new one needs no line there."""
    pages: list[str | dict[str, str]] = [
        f"{DECISIONS}/{path.name}" for path in sorted(Path(config.docs_dir, DECISIONS).glob("*.md"))
    ]
    config.nav = [{"Decisions": pages} if entry == {"Decisions": DECISIONS} else entry for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference, written from the code at each build so that it cannot be out of date, and the product's icon."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "images/icon.png", abs_src_path=str(PROJECT / "ui" / "icon.png")))
    for name, text in reference.pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def main() -> int:
    """Build the site, or serve it; returns MkDocs' exit code. What stands behind the options goes to MkDocs."""
    serve = "--serve" in sys.argv[1:]
    rest = [argument for argument in sys.argv[1:] if argument != "--serve"]
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "serve" if serve else "build",
        "--strict",
        "-f",
        str(PROJECT / "mkdocs.yml"),
        *rest,
    ]
    return subprocess.run(command, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
