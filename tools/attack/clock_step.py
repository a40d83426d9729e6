"""A child program: starts a job, moves all that the system derives from the clock, and tells whether it is still the same job.

python -m tools.attack.clock_step ARTIFACT
"""

from __future__ import annotations

import json
import sys
import time
from unittest.mock import patch

import psutil

PATIENCE_S = 90.0


def main() -> None:
    """Start, shift, look, cancel; print one JSON document."""
    from udacisense import jobs

    asked = ["benchmark", sys.argv[1], "--protocol", "standard"]
    job = jobs.submit(asked, "Long")
    true_time, told = psutil.Process.create_time, dict[str, object]()
    try:
        ends = time.monotonic() + PATIENCE_S
        while jobs.get(job.id).state != "running" and time.monotonic() < ends:
            time.sleep(0.1)
        for shift_s in (5.0, -3600.0):
            with patch.object(psutil.Process, "create_time", lambda self, by=shift_s: true_time(self) + by):
                state = jobs.get(job.id).state
                told[str(shift_s)] = {"state": state, "twin": state == "running" and jobs.submit(asked, "Long").id == job.id}
    finally:
        with patch.object(psutil.Process, "create_time", lambda self: true_time(self) + 5.0):
            jobs.cancel(job.id)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
