"""What each format's own tools say of a file: the second reading, which the inspection is held to."""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Heavy = Counter[tuple[str, str]]


@dataclass
class Truth:
    """One file by its own tools."""

    stored_bytes: int  # of weights and biases, and of scales where the tool does not tell them apart
    operators: Counter[str]
    macs: int = 0
    int8_macs: int = 0
    heavy: Heavy = field(default_factory=Counter)  # (weights, activations) of convolutions and linear layers
    inputs: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    outputs: list[tuple[tuple[int, ...], str]] = field(default_factory=list)

    def count(self, macs: int, weights: str, activations: str, integer: bool) -> None:
        """One convolution or linear layer."""
        self.heavy[weights, activations] += 1
        self.macs += macs
        self.int8_macs += macs * integer


# --- LiteRT: the interpreter's own tables --------------------------------------------------------------------------------


def litert(path: Path) -> Truth:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    it = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    it.allocate_tensors()
    tensors = {t["index"]: t for t in it.get_tensor_details()}
    steps = it._get_ops_details()
    made = {i for step in steps for i in step["outputs"]} | {d["index"] for d in it.get_input_details()}
    stored = {int(i) for step in steps for i in step["inputs"] if i >= 0} - made
    truth = Truth(sum(_bytes(tensors[i]) for i in stored), Counter(s["op_name"] for s in steps))
    truth.inputs = [(tuple(int(n) for n in d["shape"]), d["dtype"].__name__) for d in it.get_input_details()]
    truth.outputs = [(tuple(int(n) for n in d["shape"]), d["dtype"].__name__) for d in it.get_output_details()]
    for step in steps:
        if step["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            x, w = (tensors[i] for i in step["inputs"][:2])
            channels = w["shape"][3 if step["op_name"] == "DEPTHWISE_CONV_2D" else 0]
            macs = int(np.prod(tensors[step["outputs"][0]]["shape"]) * np.prod(w["shape"]) // channels)
            kinds = w["dtype"].__name__, x["dtype"].__name__
            truth.count(macs, *kinds, kinds == ("int8", "int8"))
    return truth


def _bytes(tensor: Any) -> int:
    return int(np.prod(tensor["shape"])) * np.dtype(tensor["dtype"]).itemsize


# --- ExecuTorch: its own reader of programs, flatc for the graph inside the delegate --------------------------------------


def executorch(path: Path) -> Truth:
    from executorch.exir._serialize._program import deserialize_pte_binary

    loaded = deserialize_pte_binary(path.read_bytes())
    program: Any = getattr(loaded, "program", loaded)
    plan = next(p for p in program.execution_plan if p.name == "forward")
    truth = Truth(sum(len(b.storage) for b in program.constant_buffer), Counter())
    for instruction in (i for chain in plan.chains for i in chain.instructions):
        call = instruction.instr_args
        if type(call).__name__ == "KernelCall":
            truth.operators[plan.operators[call.op_index].name] += 1
    for delegate in plan.delegates:
        assert delegate.id == "XnnpackBackend"
        _delegate(bytes(program.backend_delegate_data[delegate.processed.index].data), path.parent, truth)
    truth.inputs, truth.outputs = (
        [(tuple(plan.values[i].val.sizes), plan.values[i].val.scalar_type.name.lower()) for i in ports]
        for ports in (plan.inputs, plan.outputs)
    )
    return truth


def _delegate(blob: bytes, folder: Path, truth: Truth) -> None:
    graph = _flatc(blob, folder)
    truth.stored_bytes += sum(c["size"] for c in graph["constant_data"])
    values = {}
    for entry in graph["xvalues"]:
        value = entry["xvalue_union"].get("tensor_value", entry["xvalue_union"])
        values[value["id_out"]] = value
    for node in graph["xnodes"]:
        name, body = node["xnode_union_type"].removeprefix("XNN"), node["xnode_union"]
        truth.operators[name] += 1
        if name in ("Conv2d", "DepthwiseConv2d", "FullyConnected"):
            x, w, y = (values[body[key]] for key in ("input1_id", "filter_id", "output_id"))
            depth = body["group_input_channels"] if name == "Conv2d" else w["dims"][1] if name == "FullyConnected" else 1
            macs = math.prod(y["dims"]) * body.get("kernel_height", 1) * body.get("kernel_width", 1) * depth
            kinds = [v["datatype"].removeprefix("xnn_datatype_") for v in (w, x)]
            truth.count(macs, kinds[0], kinds[1], kinds[1] in ("qint8", "qdint8"))


def _flatc(blob: bytes, folder: Path) -> Any:
    import executorch.backends.xnnpack.serialization as package

    start, size = struct.unpack_from("<II", blob, 10)
    schema = (Path(next(iter(package.__path__))) / "schema.fbs").read_text(encoding="utf-8")
    graph, described = folder / "graph.bin", folder / "schema.fbs"
    graph.write_bytes(blob[start : start + size])
    described.write_text(schema.replace("XN01", blob[start + 4 : start + 8].decode()), encoding="utf-8")
    flatc = Path(sys.executable).parent / "flatc"
    how = ["--json", "--strict-json", "--defaults-json"]
    subprocess.run([str(flatc), *how, "-o", str(folder), str(described), "--", str(graph)], check=True)
    text = (folder / "graph.json").read_text(encoding="utf-8")
    return json.loads(text.replace(": inf", ": 1e999").replace(": -inf", ": -1e999"))


# --- ONNX: the onnx package for the file, ONNX Runtime's own optimised graph for what runs in int8 ------------------------


def onnx(path: Path) -> Truth:
    import onnx as library

    model = library.shape_inference.infer_shapes(library.load(path))
    held = {i.name: library.numpy_helper.to_array(i) for i in model.graph.initializer}
    truth = Truth(sum(a.nbytes for a in held.values()), Counter(n.op_type for n in model.graph.node))
    shapes, types = {}, {}
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        tensor = value.type.tensor_type
        shapes[value.name] = tuple(d.dim_value for d in tensor.shape.dim)
        types[value.name] = library.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    truth.inputs = [(shapes[v.name], types[v.name]) for v in model.graph.input]
    truth.outputs = [(shapes[v.name], types[v.name]) for v in model.graph.output]
    unpacked = {n.output[0]: n.input[0] for n in model.graph.node if n.op_type == "DequantizeLinear"}
    integer = _integer_weights(path)
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            weight = unpacked.get(node.input[1], node.input[1])
            flowing = unpacked.get(node.input[0], node.input[0])
            size = math.prod(shapes[node.output[0]]) * held[weight].size // held[weight].shape[0]
            truth.count(size, held[weight].dtype.name, types[flowing], weight in integer)
    return truth


def _integer_weights(path: Path) -> set[str]:
    """The weights of the operators that ONNX Runtime makes integer ones when it loads the file."""
    import onnx as library
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path.with_name("optimised.onnx"))
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    places = {"QLinearConv": 3, "QGemm": 3, "MatMulIntegerToFloat": 1}
    nodes = library.load(options.optimized_model_filepath).graph.node
    return {n.input[places[n.op_type]] for n in nodes if n.op_type in places}


# --- Core ML: coremltools' own classes of the specification ---------------------------------------------------------------


def coreml(path: Path) -> Truth:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from coremltools.models import MLModel
    with zipfile.ZipFile(path) as archive:
        archive.extractall(path.parent / "unpacked")
    package = next((path.parent / "unpacked").glob("*.mlpackage"))
    spec = MLModel(str(package), skip_model_load=True).get_spec()
    main = spec.mlProgram.functions["main"]
    steps = main.block_specializations[main.opset].operations
    types = {v.name: v.type.tensorType for v in [*main.inputs, *(v for s in steps for v in s.outputs)]}
    truth = Truth(
        next(package.rglob("weight.bin")).stat().st_size,
        Counter(s.type for s in steps if s.type != "const" and not s.type.startswith("constexpr")),
    )
    for step in steps:
        if step.type in ("conv", "linear"):
            x, w = (types[step.inputs[key].arguments[0].name] for key in ("x", "weight"))
            y = _dims(types[step.outputs[0].name])
            makers = {s.outputs[0].name: s.type for s in steps}
            packed = makers[step.inputs["weight"].arguments[0].name]
            truth.count(math.prod(y) * math.prod(_dims(w)) // _dims(w)[0], packed, str(x.dataType), False)
    ports = spec.description.input, spec.description.output
    truth.inputs, truth.outputs = ([(tuple(p.type.multiArrayType.shape), "float32") for p in side] for side in ports)
    return truth


def _dims(tensor: Any) -> Sequence[int]:
    return [d.constant.size for d in tensor.dimensions]


# --- TorchScript: the graph that torch loads ------------------------------------------------------------------------------


def torchscript(path: Path) -> Truth:
    import torch

    from udacisense.torchscript.load import quiet_jit

    with quiet_jit():
        graph = torch.jit.load(str(path)).inlined_graph
    nodes = list(graph.nodes())
    constants = [
        n.t("value") for n in nodes if n.kind() == "prim::Constant" and n.hasAttribute("value") and n.kindOf("value") == "t"
    ]
    steps = Counter(n.kind().removeprefix("aten::").removesuffix("_") for n in nodes if n.kind().startswith("aten::"))
    return Truth(sum(t.numel() * t.element_size() for t in constants), steps)
