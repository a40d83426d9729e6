from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from udacisense import provenance


def test_here_names_the_command_the_machine_and_the_seed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = provenance.here("python -m udacisense evaluate x")
    assert made.command == "python -m udacisense evaluate x"
    assert made.created.endswith("Z")
    assert made.seed == 42
    assert made.machine.logical_cores >= made.machine.physical_cores >= 1
    assert made.machine.memory_bytes > 2**28
    assert made.versions["numpy"]


def test_provenance_imports_no_library_that_it_names() -> None:
    code = "import sys; from udacisense import provenance; provenance.here('x'); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_cpu_is_the_first_device() -> None:
    first = provenance.devices()[0]
    assert first.kind == "cpu"
    assert first.name


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        pytest.param({"cpu.max": "150000 100000"}, 1.5, id="v2 limit"),
        pytest.param({"cpu.max": "max 100000"}, None, id="v2 no limit"),
        pytest.param({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2.0, id="v1 limit"),
        pytest.param({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None, id="v1 no limit"),
        pytest.param({}, None, id="no cgroup"),
    ],
)
def test_container_cpu_limit(tmp_path: Path, files: dict[str, str], cores: float | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert provenance._cpu_quota_cores(tmp_path) == cores


@pytest.mark.parametrize(("text", "limit"), [("1073741824", 2**30), ("max", None), ("9223372036854771712", None), ("", None)])
def test_container_memory_limit(tmp_path: Path, text: str, limit: int | None) -> None:
    (tmp_path / "memory.max").write_text(text)
    assert provenance._memory_limit_bytes(tmp_path) == limit
