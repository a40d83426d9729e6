"""Lowering without work that costs it a third of its time here and changes no byte of the file.

ExecuTorch's release is pinned in pyproject.toml; a test compares the bytes with and without this.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_GRAPHS = "executorch.backends.xnnpack.partition.graphs."
_PATTERNS = {
    "sdpa": ("get_graphs", list, ("attention", "softmax")),
    "bilinear_2d": ("get_graphs_dict", dict, ("upsample", "interpolate", "index", "gather", "grid_sampler")),
}
"""What XNNPACK's passes look for: the function that builds the graphs of a pattern, what it gives, and parts of the names of
operators without one of which the pattern cannot be there. Building them means exporting and lowering six small networks."""


@contextmanager
def light_lowering(program: Any) -> Iterator[None]:
    """Inside, torch does not copy each node's history again with every pass, and patterns that cannot match are not built."""
    from torch.fx.traceback import NodeSource

    operators = " ".join(str(node.target) for node in program.graph.nodes if node.op == "call_function")
    with ExitStack() as stack:
        stack.enter_context(_replaced(NodeSource, "__deepcopy__", lambda self, _memo: self))  # nothing ever changes one
        for module, (function, nothing, parts) in _PATTERNS.items():
            if not any(part in operators for part in parts):
                stack.enter_context(_replaced(importlib.import_module(_GRAPHS + module), function, nothing))
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    missing = object()
    before = vars(owner).get(name, missing)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is missing:
            delattr(owner, name)
        else:
            setattr(owner, name, before)
