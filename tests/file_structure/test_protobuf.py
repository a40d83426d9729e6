"""The reader of protocol buffers reads what Google's writes, and refuses the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, ModelProto, StringStringEntryProto, TensorProto

from udacisense.file_structure.protobuf import Message
from udacisense.file_structure.structure import FileError

INT64 = st.integers(-(2**63), 2**63 - 1)


def message(raw: bytes) -> Message:
    return Message(memoryview(raw))


@given(st.lists(INT64, max_size=20), st.text(max_size=20), st.integers(0, 2**31 - 1))
def test_numbers_and_texts_come_back(numbers: list[int], text: str, kind: int) -> None:
    found = message(AttributeProto(name=text, ints=numbers).SerializeToString())
    assert (found.integers(8), found.text(1)) == (tuple(numbers), text)
    packed = message(TensorProto(dims=numbers, data_type=kind).SerializeToString())
    assert (packed.integers(1), packed.integer(2)) == (tuple(numbers), kind)


def test_messages_within_messages_and_maps_come_back() -> None:
    model = ModelProto(producer_name="a")
    model.graph.name = "g"
    for name in ("x", "y"):
        model.graph.node.add(op_type=name)
    model.metadata_props.extend([StringStringEntryProto(key="k", value="v"), StringStringEntryProto(key="l", value="")])
    found = message(model.SerializeToString())
    assert [node.text(4) for node in found.message(7).messages(1)] == ["x", "y"]
    assert found.texts_by_key(14) == {"k": "v", "l": ""}
    assert (found.has(2), found.has(3), found.text(3), found.integer(5, 7)) == (True, False, "", 7)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x0a\x05abc",  # five bytes of which three are there
        b"\x0d\x01\x02",  # a fixed number, cut off
        b"\x08",  # a field without its value
        b"\x08" + b"\xff" * 11,  # a number without an end
        b"\x0b",  # a group, which no model has
    ],
)
def test_what_is_cut_off_or_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(FileError):
        message(raw).integer(1)
