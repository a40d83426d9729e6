"""The ranges of a LiteRT model's activations, which static int8 quantises them by.

AI Edge Quantizer's own calibration keeps a moving average that the last twenty images decide. Here each image counts alike:
the averages of the images' smallest and largest values, and nothing below the point where hard-swish sees no difference.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udacisense.progress import report
from udacisense.types import ImageSet

Ranges = dict[str, dict[str, NDArray[np.float32]]]
"""Tensor name -> "min" and "max" with as many dimensions as the tensor: what AI Edge Quantizer takes."""

SEES_NOTHING_BELOW = -3.0
"""Hard-swish is 0 below this, so an activation that only it reads needs no finer answer there."""

_found: dict[tuple[str, ...], Ranges] = {}


def ranges_of(model: bytes, images: ImageSet, sha256: str) -> Ranges:
    """The ranges of a checkpoint's float model on the images; taken once a process for all recipes of that checkpoint."""
    asked = (sha256, *images.hashes)
    if asked not in _found:
        _found.clear()
        _found[asked] = _measure(model, images)
    return _found[asked]


def _measure(model: bytes, images: ImageSet) -> Ranges:
    from ai_edge_litert import schema_py_generated as schema

    graph, swished = _graph(schema, model)
    interpreter = _interpreter(model)
    flowing = [*map(int, graph.inputs), *(int(i) for op in graph.operators for i in op.outputs)]
    ends = np.zeros((len(flowing), 2))
    for done, image in enumerate(images.images):
        if done % 20 == 0:
            report(0.75 + 0.1 * done / len(images), f"calibrating, {done} of {len(images)} images")
        interpreter.set_tensor(flowing[0], image[None])
        interpreter.invoke()
        for row, index in enumerate(flowing):
            values = interpreter.get_tensor(index)
            ends[row] += values.min(), values.max()
    ends /= len(images)
    return {
        graph.tensors[index].name.decode(): _as_asked(low, high, len(graph.tensors[index].shape), index in swished)
        for index, (low, high) in zip(flowing, ends, strict=True)
    }


def _interpreter(model: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that keeping every activation takes memory: it does, for one image
        interpreter = Interpreter(model_content=model, num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    return interpreter


def _graph(schema: Any, model: bytes) -> tuple[Any, set[int]]:
    """The model's graph, and the tensors that a hard-swish reads."""
    tree = schema.ModelT.InitFromPackedBuf(bytearray(model), 0)
    codes = [code.builtinCode for code in tree.operatorCodes]
    graph = tree.subgraphs[0]
    read = [op.inputs[0] for op in graph.operators if codes[op.opcodeIndex] == schema.BuiltinOperator.HARD_SWISH]
    return graph, {int(i) for i in read}


def _as_asked(low: float, high: float, dimensions: int, swished: bool) -> dict[str, NDArray[np.float32]]:
    if swished:
        low, high = max(low, SEES_NOTHING_BELOW), max(high, 0.0)
    shape = (1,) * dimensions
    return {"min": np.full(shape, low, np.float32), "max": np.full(shape, high, np.float32)}
