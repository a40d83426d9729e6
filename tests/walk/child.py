"""Walk every verb, or every page, in one process: `python -m tests.walk.child verbs|pages ID...` prints what came of each.

The surroundings (home, user, disk, missing packages) are those of the process.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

CHECKPOINT, ARTIFACT = "CHECKPOINT", "ARTIFACT"
OUT = "<out>"
VERBS: tuple[tuple[str, ...], ...] = (
    ("env",),
    ("data",),
    ("models",),
    ("runs",),
    ("ready",),
    ("ready", ARTIFACT),
    ("report",),
    ("report", ARTIFACT, "--format", "html"),
    ("inspect", ARTIFACT),
    ("compress", "--table"),
    ("history", "none"),
    ("tag", "walked"),
    ("card", CHECKPOINT),
    ("package", ARTIFACT, "--out", OUT),
    ("evaluate", ARTIFACT, "--fresh"),
    ("verify", ARTIFACT),
    ("verify", "all"),
    ("locate", ARTIFACT),
    ("convert", CHECKPOINT, "--format", "torchscript"),
    ("convert", CHECKPOINT, "--format", "executorch"),
    ("convert", CHECKPOINT, "--format", "litert"),
    ("convert", CHECKPOINT, "--format", "onnx"),
    ("convert", CHECKPOINT, "--format", "coreml", "--precision", "fp16"),
    ("benchmark", ARTIFACT, "--protocol", "no-such-protocol"),
    ("selftest", "none"),
    ("train", "--recipe", "none"),
    ("data", "--source", "folder"),
)
"""Each verb once or twice, short: what takes minutes ends at a mistake of its arguments."""
HEAVY: tuple[tuple[str, ...], ...] = (
    ("benchmark", ARTIFACT, "--protocol", "quick"),
    ("convert", CHECKPOINT, "--format", "all"),
    ("run", "--protocol", "quick"),
    ("train", "--recipe", "quick"),
    ("compress", "--pipeline", "pipeline_03"),
    ("selftest",),
)
"""Only where they must end before their work: it takes minutes."""
PAGES = (
    "app.py",
    *(f"pages/{p}.py" for p in ("dataset", "models", "convert", "verify", "benchmark", "history", "readiness", "classify")),
)


def walk_verbs(checkpoint: str, artifact: str, heavy: bool) -> list[dict[str, Any]]:
    """Code and words of every verb; a verb that raises says so."""
    found, out = [], str(Path(checkpoint).parents[2] / "packages")
    for verb in (*VERBS, *(HEAVY if heavy else ())):
        argv = [{CHECKPOINT: checkpoint, ARTIFACT: artifact, OUT: out}.get(word, word) for word in verb]
        found.append({"verb": " ".join(verb), **_call(argv)})
    return found


def _call(argv: list[str]) -> dict[str, Any]:
    from udacisense.cli.main import main

    sys.argv = ["udacisense", *argv]
    out, err = io.StringIO(), io.StringIO()
    code: Any = "did not end"
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException as exc:  # it is what the walk looks for
        code = f"{type(exc).__name__}: {exc}"
    return {"code": code, "out": out.getvalue()[-4000:], "err": err.getvalue()[-4000:]}


def walk_pages(_checkpoint: str, artifact: str, _heavy: bool) -> list[dict[str, Any]]:
    """Exceptions, boxes and buttons of every page."""
    from streamlit.testing.v1 import AppTest

    from tests.driving import seen

    found = []
    for page in PAGES:
        at = AppTest.from_file(str(Path.cwd() / "app.py"), default_timeout=300).run()
        if page != "app.py":
            at.switch_page(page)
            at.query_params["artifact"] = artifact
            at.run()
        found.append(
            {
                "verb": page,
                "code": 0 if not at.exception else "; ".join(str(e.value) for e in at.exception),
                "out": "\n".join(seen(str(e.value)) for kind in (at.warning, at.error, at.info, at.markdown) for e in kind),
                "err": "\n".join(str(e.stack_trace) for e in at.exception),
                "buttons": {str(b.key): bool(b.disabled) for b in at.button if str(b.key).startswith("start_")},
            }
        )
    return found


def main() -> None:
    """Answer on stdout as JSON, whatever a verb prints."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    what, checkpoint, artifact, *rest = sys.argv[1:]
    walk = {"verbs": walk_verbs, "pages": walk_pages}[what]
    answers.write(json.dumps(walk(checkpoint, artifact, "heavy" in rest)))
    answers.flush()
    os._exit(0)  # threads of runtimes and of pages are of no more use


if __name__ == "__main__":
    main()
