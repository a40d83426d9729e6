"""What the tests of jobs run instead of a real verb: `python job_child.py KIND [...] --json`, told by the same machinery."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import typer

from udacisense.cli.perform import perform
from udacisense.errors import ExportError
from udacisense.processes.locks import heavy_work
from udacisense.progress import report
from udacisense.records.store import replace_file


def work(kind: str, *args: str) -> Any:
    if kind == "echo":
        report(0.5, "half way")
        print("printed by a library")
        return {"id": args[0] if args else "nothing", "kind": "echo"}
    if kind == "refuse":
        raise ExportError("The model could not be traced. Try another format.")
    if kind == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "linger":  # starts a grandchild, begins a file, and stays
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(args[0]).write_text(str(child.pid))
        with replace_file(Path(args[1])) as part:
            part.write_text("half")
            report(0.25, "writing")
            time.sleep(600)
    if kind == "lock":
        with heavy_work("a long measurement"):
            report(0.1, "measuring")
            time.sleep(float(args[0]))
        return {"slept": args[0]}
    return {"unknown": kind}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        perform("--json" in sys.argv, sys.argv[1], lambda _: work(*[a for a in sys.argv[1:] if a != "--json"]))
    except typer.Exit as end:
        sys.exit(end.exit_code)
