"""Hostile TorchScript archives, written by hand: what an attacker would try to make a checkpoint do when it is merely opened.

Each is a whole archive that torch loads, or would load, with the code replaced. `{P}` in a body is the path of a file that must
neither be read nor written.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tools.hostile_archives import CODE, member, renamed_operator, repacked, with_code

HEAD = """class Net(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  head : __torch__.torch.nn.modules.linear.Linear
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
"""
TAIL = """    return (self.head).forward(torch.mean(x, [2, 3]), )
"""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One hostile file."""

    name: str
    content: bytes
    kind: str  # "files", "system", "bounds" or "archive"


def scripts(whole: bytes, lite: bytes, path: str) -> Iterator[Hostile]:
    """The hostile files, made from a sound archive of the `Net` above and one of the lite interpreter.

    Args:
        whole: as `sound` makes it.
        lite: any file of the lite interpreter.
        path: what `{P}` stands for.
    """
    for name, body in _bodies():
        kind = name.partition(" ")[0]
        yield Hostile(name, with_code(whole, _placed(body, name).replace("{P}", path)), kind)
    for name, content in _archives(whole, path):
        yield Hostile(f"archive {name}", content, "archive")
    for operator in (*FILE_CALLS, *SYSTEM_CALLS):
        yield Hostile(f"system lite {operator}", renamed_operator(lite, operator), "system")


@lru_cache(maxsize=2)
def sound(lite: bool = False) -> bytes:
    """A sound archive: an average of the image, and ten answers from it.

    It is written by a process of its own: torch calls classes otherwise in one that has scripted some before.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.pt"
        command = [sys.executable, "-m", "tools.hostile_scripts", "lite" if lite else "standard", str(path)]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[1])
        return path.read_bytes()


def _write_sound(lite: bool, path: Path) -> None:
    import torch

    from udacisense.torchscript.load import quiet_jit

    with quiet_jit():
        if lite:
            layers = (torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.ReLU(), torch.nn.Linear(3, 10))
            net = torch.nn.Sequential(*layers).eval()
            traced = torch.jit.trace(net, torch.zeros(1, 3, 8, 8))  # type: ignore[no-untyped-call]
            traced._save_for_lite_interpreter(str(path))
        else:
            torch.jit.save(torch.jit.script(_net()), str(path))


def _net() -> object:
    import torch

    class Net(torch.nn.Module):
        """The network whose code is replaced."""

        def __init__(self) -> None:
            super().__init__()
            self.head = torch.nn.Linear(3, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Ten answers."""
            answers: torch.Tensor = self.head(x.mean(dim=[2, 3]))
            return answers

    Net.__module__, Net.__qualname__ = "__main__", "Net"
    return Net().eval()


# --- what the code does ----------------------------------------------------------------------------------------------------

FILE_CALLS: Mapping[str, tuple[str, str]] = {"save": ("x", '"{P}"'), "from_file": ('"{P}"', "True, 10, dtype=6")}
"""Operators that reach for files: their first argument, and the others."""

SYSTEM_CALLS: Mapping[str, tuple[str, str]] = {
    "cuda": ("x", ""),
    "pin_memory": ("x", ""),
    "set_": ("x", "x"),
    "resize_": ("x", "[9000000000]"),
    "as_strided": ("x", "[9], [1], 99999"),
    "set_data": ("x", "x"),
    "manual_seed": ("7", ""),
    "seed": ("7", ""),
    "set_grad_enabled": ("False", ""),
    "to_mkldnn": ("x", ""),
    "wait": ("x", ""),
    "_foobar": ("x", ""),
    "embedding_bag": ("x", "x, x"),
    "to_here": ("x", ""),
    "backward": ("x", ""),
    "retain_grad": ("x", ""),
    "record_stream": ("x", "x"),
    "sparse_coo_tensor": ("x", "x"),
    "_cudnn_rnn_flatten_weight": ("[x]", "1, 1, 1, 1, 1, 1, False, False"),
    "_assert_async": ("x", ""),
    "_print": ('"x"', ""),
    "get_gradients": ("1", ""),
}
NAMESPACE_CALLS = (
    'ops.profiler._record_function_enter("x", None)',
    "ops.prim.rpc_async(x, x)",
    "ops.prim.IgnoredPythonOp(x)",
    "ops.prim.PythonOp(x)",
    "ops.quantized.embedding_byte_prepack(x)",
    "ops.sparse.qlinear_prepack(x, None, 1, 1)",
    "ops.inductor.resize_storage_bytes_(x, 99)",
    "ops._test.leaky_relu(x, 0.1)",
    "ops.c10d.barrier(x, 1, [1])",
    'ops.symm_mem.one_shot_all_reduce(x, "a", "b")',
    'ops.mkldnn_prepacked.conv2d_prepack(x, None, [1, 1], [0, 0], [1, 1], 1, [1, 3, 8, 8], "none")',
    "ops.static_runtime.signed_log1p(x)",
    "ops.torchvision.nms(x, x, 0.1)",
    'ops.image.read_file("{P}")',
    "__torch__.torch.classes.xnnpack.Conv2dOpContext",
    "__torch__.torch.classes.dnnl.LinearOpContext",
    "__torch__.torch.classes._nnapi.Compilation",
    "fork(x)",
    "awaitable(x)",
    "rpc_sync(x, x)",
    'torch.classes.load_library("{P}")',
    'torch.hub.load("{P}")',
    'open("{P}")',
    'eval("1")',
    '__import__("os")',
    "x.__class__",
)

BOUNDS = {
    "loops for ever": "i = 0\nwhile True:\n  i = torch.add(i, 1)",
    "loops over tensors": "y = x\nwhile True:\n  y = torch.mul(y, 1.)",
    "loops over a list": "l = annotate(List[int], [])\nwhile True:\n  torch.append(l, 1)",
    "grows": "l = [x]\nwhile True:\n  torch.append(l, torch.add(torch.zeros([10000000]), 1))",
    "grows a text": 's = "x"\nwhile True:\n  s = torch.add(s, s)',
    "doubles": "y = torch.reshape(x, [-1])\nwhile True:\n  y = torch.cat([y, y])",
    "asks for 100 GB": "y = torch.fill_(torch.zeros([25000000000]), 1)\nx = torch.add(x, torch.sum(y))",
    "asks for 1.4 GB in parts": "l = [x]\nfor i in range(140):\n  torch.append(l, torch.fill_(torch.zeros([2500000]), 1))\n"
    "x = torch.add(x, torch.sum(torch.cat([l[1], l[2]])))",
    "repeats": "x = torch.add(x, torch.sum(torch.repeat(x, [100000, 1, 1, 1])))",
    "pads": 'x = torch.add(x, torch.sum(torch.pad(x, [100000, 100000, 100000, 100000], "constant", 0.)))',
    "raises": 'ops.prim.RaiseException("no")',
    "raises a long text": 'ops.prim.RaiseException("' + "no " * 100_000 + '")',
    "prints": "for i in range(200000):\n  print(i)",
    "answers NaN": "x = torch.mul(x, nan)",
    "answers a million classes": "return torch.zeros([1, 1000000])",
    "answers 4 GB": "return torch.expand(x, [4, 3, 20000, 20000])",
    "answers another shape": "return torch.zeros([3])",
    "answers no image": "return torch.zeros([0, 10])",
    "divides by nothing": "i = torch.floordiv(1, 0)",
    "indexes beyond": "x = torch.select(x, 0, 99)",
    "multiplies huge matrices": "y = torch.rand([9000, 9000])\nwhile True:\n  y = torch.matmul(y, y)",
}


def _bodies() -> Iterator[tuple[str, str]]:
    for calls, kind in ((FILE_CALLS, "files"), (SYSTEM_CALLS, "system")):
        for name, (first, rest) in calls.items():
            for route, line in _routes(name, first, rest):
                for place in PLACES if kind == "files" else ("forward",):
                    yield f"{kind} {name} {route} in {place}", line
    for call in NAMESPACE_CALLS:
        yield f"system {call[:40]}", f"y = {call}\n"
    for name, body in BOUNDS.items():
        yield f"bounds {name}", body
        yield f"bounds {name} on images only", _indented(body, "if torch.gt(int(torch.sum(torch.abs(x))), 0):\n", 2, "  pass")


def _routes(name: str, first: str, rest: str) -> Iterator[tuple[str, str]]:
    """The ways in which a file's code may reach an operator."""
    arguments = ", ".join(a for a in (first, rest) if a)
    yield "by torch", f"y = torch.{name}({arguments})"
    yield "by ops", f"y = ops.aten.{name}({arguments})"
    if first == "x":
        yield "as a method", f"y = x.{name}({rest})"
        yield "by its name", f'y = getattr(x, "{name}")({rest})'
        yield "by another name", f"g = torch.{name}\ny = g({arguments})"


PLACES: Mapping[str, Callable[[str], str]] = {
    "forward": lambda body: HEAD + _block(body) + TAIL,
    "a branch": lambda body: HEAD + "    if torch.gt(torch.len(torch.size(x)), 0):\n" + _block(body, 6) + TAIL,
    "a method": lambda body: (
        HEAD
        + "    z = (self).helper(x, )\n"
        + TAIL
        + "  def helper(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n"
        + _block(body)
        + "    return x\n"
    ),
    "a method of that name": lambda body: (
        HEAD + _block(body) + TAIL + "  def save(self: __torch__.Net,\n    x: str) -> str:\n    return x\n"
    ),
    "loading": lambda body: (
        HEAD
        + TAIL
        + "  def __getstate__(self: __torch__.Net) -> Tensor:\n    return torch.zeros([1])\n"
        + "  def __setstate__(self: __torch__.Net,\n    x: Tensor) -> NoneType:\n"
        + _block(body)
        + "    return None\n"
    ),
}


def _placed(body: str, name: str) -> str:
    place = name.rpartition(" in ")[2]
    return PLACES.get(place, PLACES["forward"])(body)


def _block(body: str, by: int = 4) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in body.splitlines())


def _indented(body: str, head: str, by: int, end: str) -> str:
    return head + _block(body, by) + f"else:\n{end}"


# --- how the archive is packed ---------------------------------------------------------------------------------------------


def _archives(whole: bytes, path: str) -> Iterator[tuple[str, bytes]]:
    evil = PLACES["forward"](f'torch.save(x, "{path}")')
    good = member(whole, CODE).decode()
    for name, first, second in (("good then evil", good, evil), ("evil then good", evil, good)):
        yield f"a name twice, {name}", repacked(whole, {CODE: first.encode()}, extra=[(CODE, second.encode())])
        yield f"a name in capitals, {name}", repacked(whole, {CODE: first.encode()}, extra=[(CODE.upper(), second.encode())])
    yield "bytes before it", b"MZ" + b"\0" * 510 + with_code(whole, evil)
    yield "bytes after it", with_code(whole, evil) + b"\0" * 64
    yield "a comment", repacked(whole, {CODE: evil.encode()}, comment=b"x" * 100)
    yield (
        "a carriage return hides code",
        with_code(whole, good.replace("return", f'# \rtorch.save(x, "{path}")\r\n    return', 1)),
    )
    yield "a letter that is no ASCII", with_code(whole, good.replace("head", "hеad"))
    yield "code in a text", with_code(whole, HEAD + f'    y = "\\"; torch.save(x, \'{path}\') #"\n' + TAIL)
    yield "an escaped quote", with_code(whole, HEAD + f"    y = 'a\\\\'\n    torch.save(x, \"{path}\")\n" + TAIL)
    yield "deep brackets", with_code(whole, HEAD + f"    y = {'(' * 5000}1{')' * 5000}\n" + TAIL)
    yield "deep sums", with_code(whole, HEAD + f"    y = 1{' + 1' * 50_000}\n" + TAIL)
    yield "a long line", with_code(whole, HEAD + f'    y = "{"a" * 5_000_000}"\n' + TAIL)
    yield "a huge packed text", repacked(whole, {CODE: b" " * 300_000_000})
    yield "a huge packed constant", repacked(whole, {}, extra=[("constants/9", b"\0" * 300_000_000)])
    yield "many entries", repacked(whole, {}, extra=[(f"extra/{i}", b"") for i in range(30_000)])
    yield "a deep pickle", repacked(whole, {"data.pkl": b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."})
    yield "a pickle that calls", repacked(whole, {"data.pkl": b"cos\nsystem\n(S'touch " + path.encode() + b"'\ntR."})
    yield "another class", repacked(whole, {"data.pkl": member(whole, "data.pkl").replace(b"Net", b"Nat")})
    yield (
        "a class in C++",
        repacked(whole, {"data.pkl": b"\x80\x02c__torch__.torch.classes.xnnpack\nConv2dOpContext\n)\x81}b."}),
    )
    yield "no code", repacked(whole, {CODE: b""})
    yield "an import", with_code(whole, "import os\n" + good)
    yield "a program", with_code(whole, "import os\nos.system('touch " + path + "')\n" + good)


if __name__ == "__main__":
    _write_sound(sys.argv[1] == "lite", Path(sys.argv[2]))
