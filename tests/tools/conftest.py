"""The tools are programs, not parts of the package: their folders are put on the path for their tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "sample_pack"))
