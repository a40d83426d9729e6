"""The process in which one model file is opened and run: `python -m udacisense.model_process JSON`, asked by `remote`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

from udacisense.errors import RunError
from udacisense.processes import limits
from udacisense.processes.frames import Array
from udacisense.processes.limits import Bounds
from udacisense.processes.serve import Answer, Handler, serve
from udacisense.records.subjects import from_plain
from udacisense.types import Checkpoint, ModelFile, Session, format_name


class Opened:
    """The file, loaded when first asked for."""

    def __init__(self, file: ModelFile, threads: int) -> None:
        self._file, self._threads = file, threads

    @cached_property
    def session(self) -> Session:
        """The file, ready to answer."""
        from udacisense.formats import get_format

        return get_format(format_name(self._file)).load(self._file, self._threads)

    def handlers(self) -> Mapping[str, Handler]:
        """What can be asked."""
        return {
            "hello": lambda _asked, _arrays: ({}, []),
            "open": lambda _asked, _arrays: ({"opened": self.session is not None}, []),
            "predict": lambda _asked, arrays: ({}, [self.session.predict(arrays[0])]),
            "summary": lambda _asked, _arrays: ({"summary": self._summary()}, []),
            "fitting": lambda asked, _arrays: ({"fitting": list(self._fitting(asked["classes"]))}, []),
            "values": lambda _asked, arrays: self._values(arrays[0]),
        }

    def _summary(self) -> dict[str, Any]:
        from udacisense.models.loading import open_network
        from udacisense.models.summary import describe

        if not isinstance(self._file, Checkpoint):
            raise RunError(f"{self._file.path.name} is no checkpoint, so it has no layers to list. Inspect it instead.")
        return asdict(describe(open_network(self._file), self._file.size_bytes, self._file.input_px))

    def _fitting(self, classes: int) -> tuple[str, ...]:
        from udacisense.models.loading import proposals

        return proposals(self._file, classes) if isinstance(self._file, Checkpoint) else ()

    def _values(self, image: Array) -> Answer:
        from udacisense.verify.intermediate_values import intermediate_reader

        found = list(intermediate_reader(self._file)(image))
        return {"names": [name for name, _ in found]}, [value for _, value in found]


def main(argument: str) -> None:
    """Bind this process, then answer on its pipes."""
    asked = json.loads(argument)
    file = from_plain(asked["file"])
    # what is named here is all that the file's own code could reach
    limits.apply(Bounds.for_file(file.path, write=(limits.own_temporary_folder(),)))
    serve(Opened(file, asked["threads"]).handlers(), bound_cpu=True)


if __name__ == "__main__":
    main(sys.argv[1])
