"""The process that converts: `python -m udacisense.conversion.worker JSON` does the steps of `steps` that it is asked for.

It is asked by `worker_client`, and kept for the next conversion, so that imports and the exported network are shared.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from udacisense.conversion.steps import ConversionSteps, check_same
from udacisense.processes import limits
from udacisense.processes.frames import Array
from udacisense.processes.limits import Bounds
from udacisense.processes.serve import Answer, Handler, serve
from udacisense.records.subjects import from_plain
from udacisense.settings import settings
from udacisense.types import Checkpoint, ConversionRecipe

STEPS = ("export", "check", "measure", "write_golden", "describe_data")
PATHS = ("out", "path", "fp32_path")


def handler(workshop: ConversionSteps, step: str) -> Handler:
    """Do one step with values that came as JSON, and answer with such; the trace of an error goes to the log."""

    def do(asked: dict[str, Any], _arrays: list[Array]) -> Answer:
        checkpoint = from_plain(asked.pop("checkpoint"))
        assert isinstance(checkpoint, Checkpoint)  # the client sends nothing else
        asked |= {key: Path(asked[key]) for key in PATHS if asked.get(key) is not None}
        if "recipe" in asked:
            asked["recipe"] = ConversionRecipe(**asked["recipe"])
        try:
            check_same(checkpoint)
            found = getattr(workshop, step)(checkpoint, **asked)
        except Exception:
            traceback.print_exc()
            raise
        plain = dataclasses.asdict(found) if dataclasses.is_dataclass(found) and not isinstance(found, type) else found
        return {"answer": plain}, []

    return do


def main(argument: str) -> None:
    """Bind this process, then answer on its pipes."""
    limits.apply(Bounds(**json.loads(argument)))
    workshop = ConversionSteps(settings().threads)
    serve({step: handler(workshop, step) for step in STEPS})


if __name__ == "__main__":
    main(sys.argv[1])
