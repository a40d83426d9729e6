"""The inner values of a TorchScript file while it answers an image.

It runs the very file; values come by the file's own names, dequantised to float32. A runtime fuses operators where nobody
looks, so a value can differ in its last digits from what the app computes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from udacisense.processes import limits
from udacisense.remote import RemoteModel
from udacisense.types import Images, IntermediateReader, IntermediateValues, ModelFile


def read(file: ModelFile) -> IntermediateReader:
    """Every tensor of the graph is made part of its answer; a lite file carries that graph beside its bytecode."""
    if not limits.is_bound():  # the file carries code
        return RemoteModel(file).values
    import torch

    from udacisense.torchscript.load import load_script, quiet_jit

    module = load_script(file.path)
    with quiet_jit():
        graph = _pure_graph(module)
    inside = [o for node in graph.nodes() for o in node.outputs() if o.type().kind() == "TensorType" and node.inputsSize()]
    names = [f"{value.node().kind()} %{value.debugName()}" for value in inside]
    answer = graph.create("prim::ListConstruct", inside)
    answer.output().setType(torch._C.ListType.ofTensors())
    graph.appendNode(answer)
    graph.eraseOutput(0)
    graph.registerOutput(answer.output())
    function = torch._C._create_function_from_graph("forward", graph)

    def values(images: Images) -> IntermediateValues:
        with torch.inference_mode():
            values = function(torch.from_numpy(np.require(images, np.float32, ["C", "W"])))
        for name, value in zip(names, values, strict=True):
            if value.is_quantized or value.is_floating_point():
                yield name, (value.dequantize() if value.is_quantized else value).numpy()

    return values


def _pure_graph(module: Any) -> Any:
    """The module's graph of its input alone, without operators that write over what another one gave."""
    import torch

    if any(node.kind() == "prim::GetAttr" for node in module.forward.graph.nodes()):
        module = torch.jit.freeze(module)
    graph = module.forward.graph.copy()
    torch._C._jit_pass_inline(graph)
    torch._C._jit_pass_remove_mutation(graph)
    graph.eraseInput(0)  # the module itself
    return graph
