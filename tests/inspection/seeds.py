"""Small whole files of every format, to change at random."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from tests.inspection import files


def whole(format: str) -> list[bytes]:
    """The small files of a format."""
    if format.startswith("torchscript"):
        return [_torchscript(lite=format.endswith("lite"))]
    weights = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 1, 1, 3)
    narrow = np.arange(24, dtype=np.int8).reshape(8, 1, 1, 3)
    if format == "litert":
        labels = {"labels.txt": b"clock\nlamp"}
        return [files.litert_conv(weights, metadata=labels), files.litert_conv(narrow, 8, files.INT8, files.INT8)]
    if format == "executorch":
        return [
            files.executorch(files.xnnpack(weights), portable=True),
            files.executorch(files.xnnpack(narrow, quantised=True)),
        ]
    if format == "onnx":
        return [_onnx(weights), _onnx(narrow)]
    with tempfile.TemporaryDirectory() as folder:
        return [files.coreml(weights.astype(np.float16).reshape(8, 3, 1, 1), Path(folder) / "m.zip").read_bytes()]


def _onnx(weights: np.ndarray) -> bytes:
    nodes = [
        files.onnx_node("DequantizeLinear", ["w", "s"], ["f"]) if weights.dtype == np.int8 else b"",
        files.onnx_node("Conv", ["x", "f" if weights.dtype == np.int8 else "w"], ["y"], strides=(2, 2), pads=(0, 0, 0, 0)),
        files.onnx_node("HardSwish", ["y"], ["z"]),
    ]
    held = {"w": weights.reshape(8, 3, 1, 1), "s": np.ones((), np.float32)}
    ports = files.onnx_value("x", 1, (1, 3, 8, 8)), files.onnx_value("z", 1, (1, 8, 4, 4))
    return files.onnx([n for n in nodes if n], held, ports[:1], ports[1:], labels="clock,lamp")


def _torchscript(lite: bool) -> bytes:
    import torch

    from udacisense.torchscript.load import quiet_jit

    layers = torch.nn.Conv2d(3, 4, 3, stride=8), torch.nn.Hardswish(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    small = torch.nn.Sequential(*layers, torch.nn.Linear(4, 10)).eval()
    with tempfile.TemporaryDirectory() as folder, quiet_jit():
        path = Path(folder) / "m.ptl"
        traced = torch.jit.trace(small, torch.zeros(1, 3, 224, 224))  # type: ignore[no-untyped-call]
        if lite:
            traced._save_for_lite_interpreter(str(path))
        else:
            torch.jit.save(traced, str(path))
        return path.read_bytes()
