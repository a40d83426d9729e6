"""TorchScript files (.ptl), standard and lite: what is in the archive, and which operators one image of zeros runs through.

The archive does not hold shapes, so the operators are watched while they run, by the dispatcher that every one of them passes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from udacisense import archives
from udacisense.archives import ArchiveError
from udacisense.errors import UnsafeFileError
from udacisense.file_structure import structure as a
from udacisense.file_structure.structure import FileError, ModelStructure, Operator, Port, Tensor
from udacisense.foreign import in_brief
from udacisense.labels import INPUT_PX
from udacisense.torchscript.load import load_lite, load_script

RUNTIME = "PyTorch"
MAX_TEXT_BYTES, MAX_TEXTS = 100_000, 20  # of the texts that a file's maker added
KINDS = {
    "_convolution": a.CONV,
    "convolution": a.CONV,
    "conv2d": a.CONV,
    "mkldnn_convolution": a.CONV,
    "addmm": a.LINEAR,
    "linear": a.LINEAR,
    "mm": a.MATMUL,
    "hardswish": a.HARD_SWISH,
    "hardsigmoid": a.HARD_SIGMOID,
    "hardtanh": a.CLAMP,
    "clamp": a.CLAMP,
    "relu6": a.CLAMP,
    "add": a.ADD,
    "mul": a.MUL,
    "div": a.DIV,
    "mean": a.POOL,
    "_adaptive_avg_pool2d": a.POOL,
    "quantize_per_tensor": a.QUANTIZE,
    "dequantize": a.DEQUANTIZE,
    "view": a.RESHAPE,
    "_unsafe_view": a.RESHAPE,
    "flatten": a.RESHAPE,
}
SILENT = {"equal", "zeros", "t", "detach", "empty", "alias"}
"""Operators that prepare weights or are the watcher's own."""


def read(path: Path) -> ModelStructure:
    """Take a standard TorchScript file apart.

    Raises:
        FileError: it is no TorchScript archive, it reaches for other files, or it does not answer an image.
    """
    return _read(path, load_script)


def read_lite(path: Path) -> ModelStructure:
    """Take a file of the lite interpreter apart; raises as `read` does."""
    return _read(path, load_lite)


def _read(path: Path, load: Callable[[Path], Any]) -> ModelStructure:
    sizes, metadata = _archive(path)
    import torch

    from udacisense.formats.fmt_torchscript.int8 import engine

    torch.backends.quantized.engine = engine() or "none"  # int8 weights are packed for it while they are loaded
    try:
        module = load(path)
    except (ArchiveError, UnsafeFileError) as exc:
        raise FileError(str(exc)) from exc
    image = torch.zeros(1, 3, *INPUT_PX)
    watcher = _watch(module, image)
    return ModelStructure(
        weights_bytes=sum(size for name, size in sizes.items() if _holds_weights(name)),
        metadata_bytes=sum(size for name, size in sizes.items() if _is_extra(name)),
        inputs=(Port("x", tuple(image.shape), "float32"),),
        outputs=watcher.outputs,
        operators=tuple(watcher.operators),
        tensors=tuple(watcher.stored.values()),
        facts={"input": "The file does not say its input's shape; it answered an image of this one."},
        metadata=metadata,
    )


def _is_extra(name: str) -> bool:
    return name.split("/")[1:2] == ["extra"]


def _holds_weights(name: str) -> bool:
    parts = name.split("/")
    return len(parts) > 2 and parts[1] in ("constants", "data") and parts[-1].removesuffix(".storage").isdigit()


def _archive(path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Size of every member, and the texts that its maker added.

    Raises where the file is no archive, or would unpack to more than it seems.
    """
    try:
        with archives.opened(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
            added = [name for name in sizes if _is_extra(name) and sizes[name] < MAX_TEXT_BYTES][:MAX_TEXTS]
            texts = {name.split("/", 2)[2]: archive.read(name).decode("utf-8", "replace") for name in added}
    except ArchiveError as exc:
        raise FileError(f"the file is no TorchScript archive, or damaged: {in_brief(exc)}") from exc
    if not any(name.endswith("data.pkl") for name in sizes):
        raise FileError("the archive holds no TorchScript module")
    return sizes, texts


# --- watching one image pass ---------------------------------------------------------------------------------------


def _watch(module: Any, image: Any) -> _Watcher:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    watcher = _Watcher(image)

    def dispatch(_mode: Any, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        watcher.note(str(func), args, result)
        return result

    mode: Any = type("Watching", (TorchDispatchMode,), {"__torch_dispatch__": dispatch})
    torch.set_num_threads(1)
    with torch.no_grad(), mode():
        out = module(image)
    if not isinstance(out, torch.Tensor):
        raise FileError("it does not answer an image with a tensor")
    watcher.outputs = (Port("logits", tuple(out.shape), _dtype(out)),)
    return watcher


class _Watcher:
    """Keeps every tensor that it has seen alive, so that two of them never share an identity."""

    def __init__(self, image: Any) -> None:
        self._alive: list[Any] = [image]
        self._names: dict[int, str] = {id(image): "x"}
        self._stored_ids: dict[int, str] = {}
        self.stored: dict[str, Tensor] = {}
        self.operators: list[Operator] = []
        self.outputs: tuple[Port, ...] = ()

    def note(self, name: str, args: Any, result: Any) -> None:
        """One call of an operator, such as "aten.add_.Tensor"."""
        import torch

        short = name.split(".")[1]
        short = short.removesuffix("_") if not short.startswith("_") else short
        used = [t for t in args if isinstance(t, torch.Tensor)]
        if isinstance(result, tuple):
            result = next((t for t in result if isinstance(t, torch.Tensor)), None)
        if short in SILENT or not isinstance(result, torch.Tensor):
            self._follow(used, result)
            return
        moving = tuple(self._names[id(t)] for t in used if id(t) in self._names)
        packed = [w for arg in args if (w := _unpacked(arg)) is not None]
        held = [self._hold(t) for t in [*used, *packed] if id(t) not in self._names]
        output = f"t{len(self.operators)}"
        self._alive.append(result)
        self._names[id(result)] = output
        self.operators.append(self._operator(name, short, used, moving, held, result, output))

    def _follow(self, used: list[Any], result: Any) -> None:
        """A view of a weight is that weight."""
        import torch

        if isinstance(result, torch.Tensor) and used and id(used[0]) not in self._names:
            self._stored_ids[id(result)] = self._hold(used[0]).name
            self._alive.append(result)

    def _hold(self, tensor: Any) -> Tensor:
        name = self._stored_ids.get(id(tensor))
        if name is None:
            name = f"constant {len(self.stored)}"
            self._stored_ids[id(tensor)] = name
            self._alive.append(tensor)
            self.stored[name] = _tensor(name, tensor)
        return self.stored[name]

    def _operator(
        self, name: str, short: str, used: list[Any], moving: tuple[str, ...], held: list[Tensor], result: Any, output: str
    ) -> Operator:
        kind = a.BATCH_NORM if "batch_norm" in short else KINDS.get(short, short)
        if name.startswith("quantized."):
            kind = next((k for part, k in (("conv", a.CONV), ("linear", a.LINEAR)) if part in short), kind)
        weights = max(held, key=lambda t: t.stored_bytes, default=None) if kind in a.HEAVY else None
        if kind == a.CONV and weights is not None and len(weights.shape) == 4 and weights.shape[1] == 1:
            kind = a.DEPTHWISE
        flowing = next((_dtype(t) for t in used if id(t) in self._names), None)
        return Operator(
            kind=kind,
            name=name,
            place=RUNTIME,
            inputs=moving,
            outputs=(output,),
            weights=weights.dtype if weights else None,
            activations=flowing,
            computes="int8" if name.startswith("quantized.") else flowing,
            macs=None if weights is None else a.macs(tuple(result.shape), weights.shape, 0),
            operand_values=a.largest(held),
        )


def _unpacked(arg: Any) -> Any:
    """The weights inside a quantised operator's packed parameters; None for anything else."""
    import torch

    if not isinstance(arg, torch.ScriptObject):
        return None
    try:
        packed: Any = arg
        return packed.unpack()[0]
    except (AttributeError, RuntimeError, TypeError, IndexError):
        return None


def _dtype(tensor: Any) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    return {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}.get(name, name)


def _tensor(name: str, tensor: Any) -> Tensor:
    import torch

    scales = 0
    if tensor.is_quantized:
        scales = len(tensor.q_per_channel_scales()) if tensor.qscheme() == torch.per_channel_affine else 1
        tensor = tensor.int_repr()
    dtype = _dtype(tensor)
    subnormal = not_finite = 0
    if tensor.is_floating_point():
        size = tensor.abs()
        subnormal = int(((size > 0) & (size < torch.finfo(torch.float32).tiny)).sum()) if dtype != "float16" else 0
        not_finite = int((~torch.isfinite(tensor)).sum())
    size_bytes = tensor.numel() * tensor.element_size()
    return Tensor(name, tuple(tensor.shape), dtype, size_bytes, scales, 0, subnormal, not_finite)
