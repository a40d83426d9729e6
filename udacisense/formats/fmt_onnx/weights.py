"""Weights of an ONNX model in fewer bits, widened by plain operators that a runtime folds away when it loads the file.

The usual ways, fp16 arithmetic and a DequantizeLinear before each use, are worked out anew for every image by processors
without fp16 arithmetic: ONNX Runtime then takes many times as long as for fp32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SMALLEST_WEIGHT = 1024
"""Weights with fewer values stay as they are: there is nothing to gain."""

Narrowed = tuple[list[Any], list[Any]]
"""What replaces a weight: initializers, and the operators that widen them."""


def weights_to_half(model: Any) -> Any:
    """The model with each large weight as float16 and a Cast to float."""
    return _narrow(model, _half)


def weights_to_int8(model: Any) -> Any:
    """The model with each large weight as int8, a Cast to float, and a Mul by a scale for each output channel."""
    return _narrow(model, _int8)


def _narrow(model: Any, narrow: Callable[[Any, str, Any], Narrowed]) -> Any:
    """Replace each large weight; its widened form takes the weight's name, so that its users need no change."""
    import onnx

    users = {name: node for node in model.graph.node for name in node.input}
    kept, widening = [], []
    for weight in model.graph.initializer:
        user = users.get(weight.name)
        values = onnx.numpy_helper.to_array(weight)
        if user is None or user.op_type not in ("Conv", "Gemm", "MatMul") or values.size < SMALLEST_WEIGHT:
            kept.append(weight)
            continue
        initializers, nodes = narrow(user, weight.name, values)
        kept += initializers
        widening += nodes
    nodes = [*widening, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    return model


def _half(_user: Any, name: str, values: Any) -> Narrowed:
    import numpy as np
    import onnx

    cast = onnx.helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.widen", to=onnx.TensorProto.FLOAT)
    return [onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}.half")], [cast]


def _int8(user: Any, name: str, values: Any) -> Narrowed:
    import numpy as np
    import onnx

    axis = 1 if user.op_type == "MatMul" else 0
    others = tuple(i for i in range(values.ndim) if i != axis)
    scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12).astype(np.float32) / np.float32(127)
    rounded = np.clip(np.round(values / scale), -127, 127).astype(np.int8)
    held, wide, step = f"{name}.int8", f"{name}.wide", f"{name}.scale"
    cast = onnx.helper.make_node("Cast", [held], [wide], name=f"{name}.widen", to=onnx.TensorProto.FLOAT)
    times = onnx.helper.make_node("Mul", [wide, step], [name], name=f"{name}.rescale")
    return [onnx.numpy_helper.from_array(array, n) for array, n in ((rounded, held), (scale, step))], [cast, times]
