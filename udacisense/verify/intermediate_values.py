"""The inner values of a converted file while it answers an image, for the formats whose runtime lets them be seen.

Each reader runs the very file; what it computes inside comes back by the file's own names, dequantised to float32. A runtime
fuses operators where nobody looks, so a value can differ in its last digits from what the app computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udacisense.processes import limits
from udacisense.remote import RemoteModel
from udacisense.types import Images, ModelFile

Inner = Iterator[tuple[str, NDArray[np.float32]]]
Reader = Callable[[Images], Inner]
"""One image (1, 3, H, W) -> the names and values inside, in the order in which they are computed."""


def read_onnx(file: ModelFile) -> Reader:
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

    def read(images: Images) -> Inner:
        for name, value in zip(names, session.run(names, {given: images}), strict=True):
            if np.issubdtype(value.dtype, np.floating):  # integers come again, dequantised, as the next operator's output
                yield name, value.astype(np.float32)

    return read


def read_litert(file: ModelFile) -> Reader:
    """LiteRT keeps every tensor; it then runs its built-in kernels, not XNNPACK's."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    built_in = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_path=str(file.path), experimental_op_resolver_type=built_in, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    details = interpreter.get_tensor_details()

    def read(images: Images) -> Inner:
        interpreter.set_tensor(given, images)
        interpreter.invoke()
        for detail in details:
            try:
                value = interpreter.get_tensor(detail["index"])
            except ValueError:  # a tensor that no operator of the plan fills
                continue
            yield str(detail["name"]), _dequantised(value, detail["quantization_parameters"])

    return read


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


def read_torchscript(file: ModelFile) -> Reader:
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

    def read(images: Images) -> Inner:
        with torch.inference_mode():
            values = function(torch.from_numpy(np.require(images, np.float32, ["C", "W"])))
        for name, value in zip(names, values, strict=True):
            if value.is_quantized or value.is_floating_point():
                yield name, (value.dequantize() if value.is_quantized else value).numpy()

    return read


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


READERS: dict[str, Callable[[ModelFile], Reader]] = {
    "onnx": read_onnx,
    "litert": read_litert,
    "torchscript": read_torchscript,
    "torchscript-lite": read_torchscript,
}
"""By format. ExecuTorch is not among them: its released wheels are built without the event tracer that its Inspector needs, and
XNNPACK takes the whole network as one operator, whose inside the tracer would not see."""
