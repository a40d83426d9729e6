"""Structure of a file in any format: tensors, operators, ports and bytes. Plain data, no library."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CONV, DEPTHWISE, LINEAR, MATMUL = "conv", "depthwise conv", "linear", "matmul"
HARD_SWISH, HARD_SIGMOID, CLAMP, ADD, MUL, DIV = "hard-swish", "hard-sigmoid", "clamp", "add", "mul", "div"
BATCH_NORM, QUANTIZE, DEQUANTIZE, POOL, RESHAPE = "batch norm", "quantize", "dequantize", "pool", "reshape"
"""Kinds of operators that the findings speak of; any other operator keeps its own name."""

HEAVY = frozenset({CONV, DEPTHWISE, LINEAR, MATMUL})
INTEGERS = frozenset({"int8", "uint8", "int4", "uint4", "int2"})
"""Types of weights and activations that count as int8 or narrower."""


class FileError(ValueError):
    """A file that cannot be read as its format says; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor stored in the file."""

    name: str
    shape: tuple[int, ...]
    dtype: str  # numpy's name ("float32", "int8"), or "6-bit palette"
    stored_bytes: int
    scales: int = 0  # quantisation scales: 0 not quantised, 1 per tensor, more per channel
    scale_bytes: int = 0  # that they take where the file keeps them beside the tensor, not as a tensor of their own
    subnormal: int = 0  # values so close to 0 that a processor may need a hundred times longer for them
    not_finite: int = 0  # NaN or infinite values


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the model."""

    name: str
    shape: tuple[int, ...]  # -1 = any
    dtype: str

    @property
    def layout(self) -> str | None:
        """Where an image's channels lie, told by the axis of length 3; None for what is no image."""
        if len(self.shape) != 4:
            return None
        return "NCHW" if self.shape[1] == 3 else "NHWC" if self.shape[3] == 3 else None


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the model's graph."""

    kind: str  # one of the kinds above, or the operator's own name
    name: str  # as the file calls it
    place: str  # what runs it: "XNNPACK", "portable kernels", or the runtime
    inputs: tuple[str, ...] = ()  # tensors made by other operators, or given to the model
    outputs: tuple[str, ...] = ()
    weights: str | None = None  # type of its stored weights
    activations: str | None = None  # type of what flows into it
    computes: str | None = None  # the arithmetic that it runs in: "int8", "float32", "float16"
    macs: int | None = None  # multiply-accumulates for one image; None = not known
    operand_values: int = 0  # values of its largest stored operand: 1 a number, more a vector or weights
    values: int = 0  # that it writes for one image; 0 = not known
    clamps: bool = False  # whether it also clamps its answer, as a fused relu6 does


@dataclass(frozen=True, slots=True)
class ModelStructure:
    """A whole file, taken apart."""

    weights_bytes: int
    metadata_bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]  # stored ones only, each once
    facts: Mapping[str, str] = field(default_factory=dict)  # what the file says of itself: opset, producer, schema
    metadata: Mapping[str, str] = field(default_factory=dict)  # what its maker wrote into it: labels, preprocessing


def macs(output: tuple[int, ...], weights: tuple[int, ...], out_axis: int) -> int | None:
    """Multiply-accumulates of a convolution or a linear layer: at each output value, the weights that belong to its channel."""
    channels = weights[out_axis] if weights else 0
    return math.prod(output) * (math.prod(weights) // channels) if channels > 0 else None


def largest(stored: Iterable[Tensor]) -> int:
    """Values of the largest of an operator's stored operands; 0 without one."""
    return max((math.prod(t.shape) for t in stored), default=0)
