"""The shapes that inspection derives are those that the ONNX project's own inference derives."""

from __future__ import annotations

from typing import Any

import pytest
from onnx import ModelProto, TensorProto, helper, shape_inference

from udacisense.file_structure.protobuf import Message
from udacisense.formats.fmt_onnx.shapes import Node, Shape, output_shape

CASES: list[tuple[str, list[Shape], dict[str, Any]]] = [
    ("Conv", [(1, 3, 224, 224), (16, 3, 3, 3)], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("Conv", [(1, 16, 15, 31), (16, 1, 5, 3)], {"strides": [2, 1], "pads": [0, 1, 2, 1], "group": 16}),
    ("Conv", [(2, 8, 17, 17), (4, 8, 3, 3)], {"dilations": [2, 3]}),
    ("Conv", [(1, 3, 15, 16), (4, 3, 3, 3)], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("Conv", [(1, 4, 20), (2, 4, 5)], {"strides": [3]}),
    ("Add", [(1, 4, 5, 5), (4, 1, 1)], {}),
    ("Mul", [(4, 1), (3, 1, 7)], {}),
    ("GlobalAveragePool", [(1, 4, 5, 6)], {}),
    ("HardSwish", [(1, 4, 5, 5)], {}),
]


def names(inputs: list[Shape]) -> list[str]:
    return [f"in{i}" for i in range(len(inputs))]


def by_onnx(op: str, inputs: list[Shape], attributes: dict[str, Any]) -> Shape:
    node = helper.make_node(op, names(inputs), ["out"], **attributes)
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip(names(inputs), inputs, strict=True)]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    found: ModelProto = shape_inference.infer_shapes(helper.make_model(helper.make_graph([node], "g", given, [out])))
    return tuple(side.dim_value for side in found.graph.output[0].type.tensor_type.shape.dim)


def node_of(op: str, inputs: list[Shape], attributes: dict[str, Any]) -> Node:
    written = helper.make_node(op, names(inputs), ["out"], **attributes).attribute
    return Node(op, names(inputs), ["out"], [Message(memoryview(a.SerializeToString())) for a in written])


@pytest.mark.parametrize(("op", "inputs", "attributes"), CASES)
def test_a_shape_is_what_onnx_says_it_is(op: str, inputs: list[Shape], attributes: dict[str, Any]) -> None:
    assert output_shape(node_of(op, inputs, attributes), inputs) == by_onnx(op, inputs, attributes)


@pytest.mark.parametrize(
    ("op", "inputs", "attributes"),
    [
        ("Softmax", [(1, 10)], {}),
        ("Conv", [(1, 3, 8, 8), (4, 3, 3, 3)], {"strides": [0, 1]}),
        ("Conv", [(1, 3, 8, 8), (4, 3, 3, 3)], {"strides": [2]}),
        ("Conv", [(1, 3, 8, 8), (4, 3, 3, 3)], {"pads": [1]}),
        ("Conv", [(3, 8), (4, 3)], {}),
        ("Conv", [(1, 3, 8), (4, 3, 3, 3)], {}),
        ("Conv", [(1, 3, 8, 8)], {}),
        ("Add", [], {}),
    ],
)
def test_what_cannot_be_derived_is_left_open(op: str, inputs: list[Shape], attributes: dict[str, Any]) -> None:
    assert output_shape(node_of(op, inputs, attributes), inputs) is None
