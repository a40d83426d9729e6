"""A child program: writes hostile weight files. `python -m tools.attack.make_weights KIND FOLDER TARGET [--short]`.

TARGET is a path outside that no file may read or write. Nothing here opens what it writes.
"""

from __future__ import annotations

import io
import pickle
import random
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from tools.hostile_archives import with_code
from tools.hostile_scripts import BOUNDS, HEAD, PLACES, TAIL, sound

GROWN_BYTES = {True: 300_000_000, False: 3_000_000_000}
"""What a small archive unpacks to, in the short form and in the whole."""


class Calls:
    """Unpickled in earnest, it calls something."""

    def __init__(self, function: Callable[..., Any], argument: str) -> None:
        self.asked = function, argument

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return self.asked[0], (self.asked[1],)


def saved(thing: Any, **options: Any) -> bytes:
    """What `torch.save` writes."""
    out = io.BytesIO()
    torch.save(thing, out, **options)
    return out.getvalue()


def pickles(target: str) -> Mapping[str, bytes]:
    """Eight files that would run code if they were unpickled."""
    import os

    import numpy as np

    system = Calls(os.system, f"touch {target}-system")
    evaluated = Calls(eval, f"open({target + '-eval'!r}, 'w')")
    executed = Calls(exec, f"open({target + '-exec'!r}, 'w')")
    whole = torch.nn.Sequential(torch.nn.Linear(3, 10))
    old = {"_use_new_zipfile_serialization": False}
    return {
        "system_raw.pth": pickle.dumps(system, protocol=2),
        "system_zip_4.pth": saved(system, pickle_protocol=4),
        "eval_legacy.pth": saved(evaluated, **old),
        "exec_zip.pth": saved(executed),
        "in_a_state_dict.pth": saved({"state_dict": {"model.classifier.3.weight": torch.zeros(10, 1024), "x": system}}),
        "whole_module.pth": saved(whole),
        "whole_module_legacy.pth": saved(whole, **old),
        "numpy.pth": saved({"a": np.zeros(3)}),
    }


def damaged(_target: str) -> Mapping[str, bytes]:
    """Twelve files that are cut off, drawn at random, or that ask for more than there is."""
    plain, old = saved({"a": torch.zeros(77777)}), saved({"a": torch.zeros(77777)}, _use_new_zipfile_serialization=False)
    flipped = bytearray(plain)
    for at in random.Random(1).sample(range(len(flipped)), 40):
        flipped[at] ^= 255
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"m/{number}", b"")
    deep = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    numel, huge = (b"J" + struct.pack("<i", n) for n in (77777, 750_000_000))
    return {
        "cut.pth": plain[:100_000],
        "cut_legacy.pth": old[:200],
        "changed.pth": bytes(flipped),
        "random.pth": random.Random(2).randbytes(50_000),
        "empty.pth": b"",
        "page.pth": b"<!DOCTYPE html><html>404</html>",
        "many_entries.pth": many.getvalue(),
        "stride_0.pth": saved({"model.classifier.3.weight": torch.zeros(1).expand(1_000_000, 1_000_000)}),
        "declares_3_gb.pth": rewritten(plain, {"data.pkl": lambda raw: raw.replace(numel, huge)}),
        "declares_3_gb_legacy.pth": old.replace(numel, huge),
        "deep.pth": rewritten(plain, {"data.pkl": lambda _: deep}),
        "deep_raw.pth": deep,
    }


def rewritten(archive: bytes, changes: Mapping[str, Callable[[bytes], bytes]]) -> bytes:
    """An archive with members changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            raw, change = old.read(name), changes.get(name.partition("/")[2])
            new.writestr(name, change(raw) if change else raw)
    return out.getvalue()


def bombs(folder: Path, short: bool) -> None:
    """Two small archives that unpack to gigabytes: a storage, and a pickle."""
    numel = GROWN_BYTES[short] // 4
    plain = saved({"a": torch.zeros(77777)})
    patched = rewritten(
        plain, {"data.pkl": lambda raw: raw.replace(b"J" + struct.pack("<i", 77777), b"J" + struct.pack("<i", numel))}
    )
    for name, member, piece in (("storage.pth", "data/0", bytes(1 << 20)), ("pickle.pth", "data.pkl", b"]" * (1 << 20))):
        with zipfile.ZipFile(io.BytesIO(patched)) as old, zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as new:
            for part in old.namelist():
                if part.partition("/")[2] != member:
                    new.writestr(part, old.read(part), zipfile.ZIP_STORED)
                    continue
                with new.open(part, "w", force_zip64=True) as grown:
                    for _ in range(GROWN_BYTES[short] >> 20):
                        grown.write(piece)


BODIES: Mapping[str, str] = {
    "Write": 'y = torch.copy_(torch.from_file("{P}", True, 4, dtype=0), torch.fill_(torch.zeros([4], dtype=0), 33))',
    "WriteNew": 'y = torch.from_file("{P}-new.py", True, 40, dtype=0)',
    "Read": 'y = torch.from_file("{P}", False, 10, dtype=0)\nreturn torch.unsqueeze(torch.to(y, 6), 0)',
    "Save": 'torch.save(x, "{P}-saved")',
    "Loop": BOUNDS["loops for ever"],
    "LoopOnImages": "if torch.gt(int(torch.sum(torch.abs(x))), 0):\n"
    "  i = 0\n  while True:\n    i = torch.add(i, 1)\nelse:\n  pass",
    "Ask100GB": BOUNDS["asks for 100 GB"],
    "Grow": BOUNDS["asks for 1.4 GB in parts"].replace("range(140)", "range(1400)"),
    "Raise": BOUNDS["raises"],
    "Print": BOUNDS["prints"],
    "NaN": BOUNDS["answers NaN"],
    "Classes1e7": "return torch.zeros([1, 10000000])",
}
"""What the TorchScript files do when they are run."""


def scripts(target: str) -> Mapping[str, bytes]:
    """TorchScript files that reach for files, time, memory, or answer nonsense."""
    whole = sound()
    return {f"{name}.pt": with_code(whole, PLACES["forward"](body.replace("{P}", target))) for name, body in BODIES.items()}


def sound_script(_target: str) -> Mapping[str, bytes]:
    """A TorchScript file that does no harm: what proves that the others are refused for what they do."""
    return {"Sound.pt": with_code(sound(), HEAD + TAIL)}


KINDS: Mapping[str, Callable[[str], Mapping[str, bytes]]] = {
    "pickles": pickles, "damaged": damaged, "scripts": scripts, "sound": sound_script,
}  # fmt: skip


def main() -> None:
    """Write the files of a kind."""
    kind, folder, target = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "bombs":
        bombs(folder, "--short" in sys.argv)
        return
    for name, content in KINDS[kind](target).items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
