"""A process that starts a child and waits: `python -m tests.processes.parent`; prints the child's number."""

from __future__ import annotations

import threading
import time

from udacisense.processes.rpc import Child
from udacisense.processes.spawn import module

found: list[Child] = []
thread = threading.Thread(target=lambda: found.append(Child(module("tests.processes.child"))))
thread.start()
thread.join()  # the thread that asked for the child has ended, and the child lives
found[0].ask("echo", timeout_s=60)
print(found[0].pid, flush=True)
time.sleep(600)
