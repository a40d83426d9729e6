"""What a LiteRT file says of itself: short tensor names, and labels and preprocessing in the two places that tools look at.

The model's metadata survives tools that rewrite the file; the zip behind the model is where LiteRT's metadata libraries and
`unzip -p model.tflite labels.txt` look.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from udacisense.types import Checkpoint

LABELS, PREPROCESSING = "labels.txt", "preprocessing.json"
_PACKED = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same model gives the same file


def packed(model: bytes, checkpoint: Checkpoint) -> bytes:
    """The model as it is shipped: named shortly, with labels and preprocessing in its metadata and behind it."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    texts = _texts(checkpoint)
    tree = schema.ModelT.InitFromPackedBuf(bytearray(model), 0)
    _bring_in(tree, model)
    _shorten(tree)
    tree.description = f"{checkpoint.architecture} of UdaciSense, checkpoint {checkpoint.sha256}".encode()
    for name, text in texts.items():
        _tell(schema, tree, name, text)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output()) + _zipped(texts)


def _texts(checkpoint: Checkpoint) -> dict[str, str]:
    from udacisense.data.preprocess import describe_preprocessing

    return {
        LABELS: "".join(f"{name}\n" for name in checkpoint.classes),
        PREPROCESSING: json.dumps(describe_preprocessing(checkpoint), indent=1),
    }


def _bring_in(tree: Any, model: bytes) -> None:
    """Take the weights between the tables, where every reader finds them; the quantizer puts them behind."""
    for buffer in tree.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0


def _shorten(tree: Any) -> None:
    """Numbers for the names of the inner tensors: the converter's spell out the whole module path, 0.1 MB of it."""
    for graph in tree.subgraphs:
        kept = {*map(int, graph.inputs), *map(int, graph.outputs)}
        for index, tensor in enumerate(graph.tensors):
            tensor.name = tensor.name if index in kept else b"%d" % index


def _tell(schema: Any, tree: Any, name: str, text: str) -> None:
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(text.encode(), np.uint8)
    entry.name, entry.buffer = name.encode(), len(tree.buffers)
    tree.buffers.append(buffer)
    tree.metadata = [*(tree.metadata or []), entry]


def _zipped(texts: dict[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _PACKED), text)
    return written.getvalue()
