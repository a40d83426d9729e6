"""A child program: opens every page in the home and counts the exceptions.

    python -m tools.attack.open_pages [--checkpoints] [--artifacts] [QUERY=VALUE...]

`--checkpoints` opens the Models page for each checkpoint, `--artifacts` the pages of one file for each; every QUERY=VALUE is
put into the address of every page, one at a time. What reads with torch is left out: these pages are about texts and records.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from unittest.mock import patch

from tools.attack import measured

PAGES = ("", *(f"pages/{n}.py" for n in "dataset models convert verify benchmark history readiness classify".split()))
OF_ARTIFACTS = ("pages/convert.py", "pages/verify.py", "pages/readiness.py")


def addresses(arguments: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each page to open, with what its address says."""
    from udacisense.artifacts import list_artifacts
    from udacisense.models.checkpoint import list_checkpoints

    yield from ((page, {}) for page in PAGES)
    if "--checkpoints" in arguments:
        yield from (("pages/models.py", {"checkpoint": c.id}) for c in list_checkpoints().records)
    if "--artifacts" in arguments:
        yield from ((page, {"artifact": a.id}) for a in list_artifacts().records for page in OF_ARTIFACTS)
    for argument in arguments:
        name, found, value = argument.partition("=")
        if found:
            yield from ((page, {name: value}) for page in PAGES)


def opened(page: str, query: dict[str, str]) -> list[str]:
    """The exceptions of one page."""
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_file(str(measured.PROJECT / "app.py"), default_timeout=300)
    if page:
        at.switch_page(page)
    for name, value in query.items():
        at.query_params[name] = value
    try:
        at.run()
    except Exception as exc:
        return [f"{page or 'app.py'} {query}: {type(exc).__name__}: {exc}"]
    return [f"{page or 'app.py'} {query}: {e.message} {' '.join(e.stack_trace[-3:])}" for e in at.exception]


def main() -> None:
    """Open all and print one JSON document."""
    from udacisense.errors import CheckpointError

    def no_torch(_checkpoint: object) -> object:
        raise CheckpointError("This file was not read here.")

    patch("udacisense.models.summary.remote_summary", no_torch).start()  # before anything of the app is imported
    asked = list(addresses(sys.argv[1:]))
    exceptions = [e for page, query in asked for e in opened(page, query)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"pages": len(asked), "exceptions": exceptions, "app_mb": peak}))


if __name__ == "__main__":
    main()
