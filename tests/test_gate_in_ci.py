"""The example for continuous integration stops a build also behind a pipe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from udacisense.settings import PROJECT

PAGE = PROJECT / "docs" / "readiness.md"


def example() -> str:
    found = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_example_ends_with_the_gate_s_code(code: int, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("the example is for bash")
    gate = tmp_path / "python"
    gate.write_text(f'#!/bin/sh\necho "{{\\"asked\\": \\"$*\\"}}"\nexit {code}\n')
    gate.chmod(0o755)
    surroundings = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "ARTIFACT": "onnx-int8"}
    ran = subprocess.run([bash, "-c", example()], cwd=tmp_path, env=surroundings, capture_output=True, check=False)
    assert ran.returncode == code
    assert "-m udacisense ready onnx-int8 --json" in (tmp_path / "verdict.json").read_text()
    without = example().replace("set -euo pipefail\n", "")
    assert (
        subprocess.run([bash, "-c", without], cwd=tmp_path, env=surroundings, capture_output=True, check=False).returncode == 0
    )
