"""The process in which one model file is opened and run: `python -m udacisense.model_process JSON`, asked by `remote`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from udacisense.models.card import card_path
from udacisense.processes import limits
from udacisense.processes.frames import Array
from udacisense.processes.limits import Bounds
from udacisense.processes.serve import Answer, Handler, serve
from udacisense.types import Session


class Opened:
    """The file, loaded when first asked for."""

    def __init__(self, path: Path, format: str, threads: int) -> None:
        self._path, self._format, self._threads = path, format, threads

    @cached_property
    def session(self) -> Session:
        """The file, ready to answer."""
        from udacisense.formats import get_format

        return get_format(self._format).load(self._path, self._threads)

    def handlers(self) -> Mapping[str, Handler]:
        """What can be asked."""
        return {
            "hello": lambda _asked, _arrays: ({}, []),
            "open": lambda _asked, _arrays: ({"opened": self.session is not None}, []),
            "predict": lambda _asked, arrays: ({}, [self.session.predict(arrays[0])]),
            "summary": lambda _asked, _arrays: ({"summary": self._summary()}, []),
            "values": lambda _asked, arrays: self._values(arrays[0]),
        }

    def _summary(self) -> dict[str, Any]:
        from udacisense.models.checkpoint import read_checkpoint
        from udacisense.models.summary import summarise

        return asdict(summarise(read_checkpoint(self._path)))

    def _values(self, image: Array) -> Answer:
        from udacisense.verify.intermediate_values import READERS

        found = list(READERS[self._format](self._path)(image))
        return {"names": [name for name, _ in found]}, [value for _, value in found]


def main(argument: str) -> None:
    """Bind this process, then answer on its pipes."""
    asked = json.loads(argument)
    path = Path(asked["path"])
    # what is named here is all that the file's own code could reach
    limits.apply(Bounds.for_file(path, read=(card_path(path),), write=(Path(asked["folder"]),)))
    serve(Opened(path, asked["format"], asked["threads"]).handlers(), bound_cpu=True)


if __name__ == "__main__":
    main(sys.argv[1])
