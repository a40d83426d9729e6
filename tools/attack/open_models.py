"""A child program: opens every model file of the home as the Models and the Classify page do, and tells what each said.

    python -m tools.attack.open_models [LIMIT_S [--models-only]]

Each file is described and classifies two images, in the bound processes that the app has for it; LIMIT_S replaces the time that
a call may take, and `--models-only` leaves Classify out.
"""

from __future__ import annotations

import json
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np


def said(work: Callable[[], object]) -> str:
    """ "answered", an error of the product's own, or "unforeseen" and the trace."""
    from udacisense.errors import UdaciSenseError

    try:
        work()
    except UdaciSenseError as exc:
        return f"{type(exc).__name__}: {exc}"
    except Exception:
        return f"unforeseen: {traceback.format_exc()[-800:]}"
    return "answered"


def open_one(path: Path, models_only: bool) -> dict[str, str]:
    """What the two pages say about one file."""
    from udacisense.data.preprocess import preprocess
    from udacisense.evaluation.predictions import run_session
    from udacisense.labels import CLASSES
    from udacisense.models.checkpoint import ARCHITECTURE, SCRIPT, described_as, read_checkpoint
    from udacisense.models.summary import remote_summary
    from udacisense.remote import RemoteModel
    from udacisense.types import ModelSpec

    def classify() -> None:
        found = read_checkpoint(path)
        known = (
            found
            if found.described
            else described_as(found, ModelSpec(SCRIPT if found.architecture == SCRIPT else ARCHITECTURE, CLASSES))
        )
        model = RemoteModel(known)  # so that it runs, not only loads
        try:
            for shade in (0, 255):
                images = preprocess([np.full((32, 32, 3), shade, np.uint8)])
                run_session(model, images, len(CLASSES), "The model")
        finally:
            model.close()

    told = {"models": said(lambda: remote_summary(read_checkpoint(path)))}
    return told if models_only else told | {"classify": said(classify)}


def main() -> None:
    """Open all and print one JSON document."""
    from udacisense import remote
    from udacisense.models.checkpoint import list_checkpoints
    from udacisense.settings import settings

    if len(sys.argv) > 1:
        remote.CALL_S, remote.IMAGE_S = float(sys.argv[1]), 0.0
    files = sorted(p for p in settings().models_dir.rglob("*") if p.suffix in (".pt", ".pth"))
    told = {path.name: open_one(path, "--models-only" in sys.argv) for path in files}
    peaks = [resource.getrusage(who).ru_maxrss * 1024 / 1e6 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    listed = len(list_checkpoints().records)
    print(json.dumps({"files": told, "listed": listed, "app_mb": peaks[0], "child_mb": peaks[1]}))


if __name__ == "__main__":
    main()
