"""The reader of flatbuffers reads what Google's writes, and follows no offset out of the file."""

from __future__ import annotations

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from udacisense.file_structure import flatbuffer
from udacisense.file_structure.flatbuffer import Table
from udacisense.file_structure.structure import FileError

MARK = b"TFL3"
VERSION, SUBGRAPHS, DESCRIPTION, BUFFERS = 0, 2, 3, 4  # fields of a model
TENSORS, NAME = 0, 3  # of a subgraph, and of a tensor
SHAPE = 0


def written(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(64)
    builder.Finish(model.Pack(builder), MARK)
    return bytes(builder.Output())


def model(shape: list[int], name: str, data: bytes) -> bytes:
    made = schema.ModelT()
    made.version, made.description = 3, name
    tensor, graph, buffer = schema.TensorT(), schema.SubGraphT(), schema.BufferT()
    tensor.shape, tensor.name, graph.tensors = shape, name, [tensor]
    buffer.data = list(data)
    made.subgraphs, made.buffers = [graph], [buffer, schema.BufferT()]
    return written(made)


def read(raw: bytes) -> Table:
    return Table.root(memoryview(raw), MARK)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=6), st.text(max_size=12), st.binary(max_size=40))
def test_what_was_written_comes_back(shape: list[int], name: str, data: bytes) -> None:
    found = read(model(shape, name, data))
    assert (found.integer(VERSION, "I"), found.text(DESCRIPTION)) == (3, name)
    (graph,) = found.tables(SUBGRAPHS)
    (tensor,) = graph.tables(TENSORS)
    assert (tensor.integers(SHAPE), tensor.text(NAME)) == (tuple(shape), name)
    assert [bytes(buffer.raw(0)) for buffer in found.tables(BUFFERS)] == [data, b""]
    assert found.table(9) is None
    assert found.integer(9, default=7) == 7


@given(st.data())
def test_a_file_with_changed_bytes_is_read_or_refused_and_never_left(data: st.DataObject) -> None:
    raw = bytearray(model([1, 3], "name", b"12345"))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(raw))
        for graph in found.tables(SUBGRAPHS):
            for tensor in graph.tables(TENSORS):
                assert len(tensor.integers(SHAPE)) * 4 <= len(raw)
                assert len(tensor.text(NAME)) <= len(raw)
    except FileError:
        pass


def everything(raw: bytes) -> list[object]:
    found = read(raw)
    tensors = [tensor for graph in found.tables(SUBGRAPHS) for tensor in graph.tables(TENSORS)]
    named = [(t.text(NAME), t.integers(SHAPE)) for t in tensors]
    return [found.text(DESCRIPTION), named, [bytes(b.raw(0)) for b in found.tables(BUFFERS)]]


def test_a_file_that_is_cut_off_anywhere_is_refused_or_misses_nothing() -> None:
    raw = model([1, 3], "name", b"12345" * 20)
    whole, refused = everything(raw), 0
    for kept in range(len(raw)):
        try:
            assert everything(raw[:kept]) == whole, "only padding is missing"
        except FileError:
            refused += 1
    assert refused >= len(raw) - 8


def test_another_mark_and_too_long_a_list_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = model([1], "name", b"")
    with pytest.raises(FileError, match="does not carry the mark 'ET12'"):
        Table.root(memoryview(raw), b"ET12")
    monkeypatch.setattr(flatbuffer, "MAX_TABLES", 1)
    with pytest.raises(FileError, match="lists 2 parts"):
        read(raw).tables(BUFFERS)
