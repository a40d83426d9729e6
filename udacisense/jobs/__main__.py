"""`python -m udacisense.jobs FOLDER`: the watcher of one job, in a session of its own."""

import sys
from pathlib import Path

from udacisense.jobs.watcher import watch

if __name__ == "__main__":
    watch(Path(sys.argv[1]))
