"""The inner values of a LiteRT file while it answers an image.

It runs the very file; values come by the file's own names, dequantised to float32. A runtime fuses operators where nobody
looks, so a value can differ in its last digits from what the app computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udacisense.types import Images, IntermediateReader, IntermediateValues, ModelFile


def read(file: ModelFile) -> IntermediateReader:
    """LiteRT keeps every tensor; it then runs its built-in kernels, not XNNPACK's."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    built_in = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_path=str(file.path), experimental_op_resolver_type=built_in, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    details = interpreter.get_tensor_details()

    def values(images: Images) -> IntermediateValues:
        interpreter.set_tensor(given, images)
        interpreter.invoke()
        for detail in details:
            try:
                value = interpreter.get_tensor(detail["index"])
            except ValueError:  # a tensor that no operator of the plan fills
                continue
            yield str(detail["name"]), _dequantised(value, detail["quantization_parameters"])

    return values


def _dequantised(value: NDArray[Any], how: Mapping[str, Any]) -> NDArray[np.float32]:
    scales, zeros = np.asarray(how["scales"], np.float32), np.asarray(how["zero_points"], np.float32)
    plain = value.astype(np.float32)
    if scales.size == 0 or np.issubdtype(value.dtype, np.floating):
        return plain
    shape = [1] * plain.ndim
    if scales.size > 1:
        shape[int(how["quantized_dimension"])] = -1
    found: NDArray[np.float32] = (plain - zeros.reshape(shape if zeros.size > 1 else -1)) * scales.reshape(shape)
    return found
