"""The converting process with a fake format in place of the real ones: `python -m tests.conversion.child`."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tests.fakes import fake_format, write_fake
from udacisense import formats
from udacisense.conversion.worker import main
from udacisense.processes.limits import Bounds, limit_resources
from udacisense.progress import report
from udacisense.types import Checkpoint, Conversion, ConversionRecipe, Exported

RECIPES = tuple(
    ConversionRecipe(n, n) for n in ("sound", "crash", "killed", "leaves", "hang", "chatter", "greedy", "foreign", "noisy")
)


def export(checkpoint: Checkpoint, asked: Conversion, out: Path) -> Exported:
    """Do what the recipe's name says."""
    report(0.5, "lowering")
    name = asked.recipe.name
    out.write_text("half")
    if name == "crash":
        print("about to crash", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "leaves":
        os._exit(0)
    if name == "hang":
        time.sleep(60)
    while name == "chatter":
        report(0.5, "still lowering")
        time.sleep(0.05)
    if name == "greedy":
        limit_resources(Bounds(memory_bytes=256 << 20))
        held = [b"x" * (1 << 24) for _ in range(64)]
        raise AssertionError(f"{len(held)} blocks of 16 MiB were given")
    if name == "foreign":
        raise ZeroDivisionError("its own trouble")
    if name == "noisy":
        print("printed where the answers go", flush=True)
        print("and here", file=sys.stderr, flush=True)
    write_fake(out)
    return Exported({"process": os.getpid()}, ("a warning.",))


if __name__ == "__main__":
    formats.FORMATS.clear()
    formats.FORMATS.update({"torch": fake_format("torch")})
    formats.FORMATS["other"] = fake_format("other")
    formats.FORMATS["fake"] = fake_format("fake", export=export, recipes={"fp32": RECIPES})
    main(sys.argv[1])
