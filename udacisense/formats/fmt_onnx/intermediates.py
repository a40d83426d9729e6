"""The inner values of an ONNX file while it answers an image.

It runs the very file; values come by the file's own names, dequantised to float32. A runtime fuses operators where nobody
looks, so a value can differ in its last digits from what the app computes.
"""

from __future__ import annotations

import numpy as np

from udacisense.types import Images, IntermediateReader, IntermediateValues, ModelFile


def read(file: ModelFile) -> IntermediateReader:
    """Every operator's output is made an output of the graph, then ONNX Runtime runs it."""
    import onnx
    import onnxruntime

    model = onnx.load(file.path)
    given = model.graph.input[0].name
    kept = {output.name for output in model.graph.output}
    inside = [name for node in model.graph.node for name in node.output if name and name not in kept]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in inside)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def values(images: Images) -> IntermediateValues:
        for name, value in zip(names, session.run(names, {given: images}), strict=True):
            if np.issubdtype(value.dtype, np.floating):  # integers come again, dequantised, as the next operator's output
                yield name, value.astype(np.float32)

    return values
