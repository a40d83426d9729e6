"""Provenance of a record: command, time, machine, versions, seed. Reads metadata only, so it imports no library it names."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from udacisense.formats import FORMATS
from udacisense.records.store import now
from udacisense.settings import settings
from udacisense.types import Machine, Provenance

SHARED = ("udacisense", "numpy", "pillow", "pydantic", "psutil", "streamlit", "plotly", "pandas", "torch-pruning")
"""The libraries that no one format brings."""

_CGROUP = Path("/sys/fs/cgroup")
_CPU = Path("/sys/devices/system/cpu")
_GOVERNOR = _CPU / "cpu0" / "cpufreq" / "scaling_governor"


@dataclass(frozen=True, slots=True)
class Device:
    """Something that torch can compute on."""

    kind: str  # "cpu", "cuda:0", "mps"
    name: str


def here(command: str) -> Provenance:
    """The provenance of work that begins now on this machine; `command` is the command line that does it again."""
    return Provenance(
        command=command,
        created=now(),
        machine=machine(),
        versions=versions(),
        seed=settings().seed,
        load_1min=_load_1min(),
        memory_free_bytes=_memory_free_bytes(),
    )


@lru_cache(maxsize=1)
def machine() -> Machine:
    """The machine that this process runs on, with the limits of its container."""
    import psutil

    logical = psutil.cpu_count() or 1
    return Machine(
        cpu=_cpu_name(),
        physical_cores=psutil.cpu_count(logical=False) or logical,
        logical_cores=logical,
        memory_bytes=psutil.virtual_memory().total,
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        governor=_text(_GOVERNOR),
        cpu_quota_cores=_cpu_quota_cores(),
        memory_limit_bytes=_memory_limit_bytes(),
        usable_cores=usable_cores(),
        hypervisor=_hypervisor(),
        turbo=_turbo(),
    )


def usable_cores() -> int:
    """Cores that this process may run on: all of them, unless it is pinned."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores() -> int:
    """Cores whose work this process may really use: those it may run on, within the quota of its container."""
    return max(1, int(min(usable_cores(), _cpu_quota_cores() or usable_cores())))


def _hypervisor(cpuinfo: Path = Path("/proc/cpuinfo"), vendor: Path = Path("/sys/class/dmi/id/sys_vendor")) -> str | None:
    """The maker of the virtual machine, "none" on bare metal, None where Linux does not tell."""
    found = re.search(r"^flags\s*:(.*)$", _text(cpuinfo) or "", re.MULTILINE)
    if found is None:
        return None
    return (_text(vendor) or "unnamed") if "hypervisor" in found.group(1).split() else "none"


def _turbo(cpu: Path = _CPU) -> bool | None:
    boost, no_turbo = _text(cpu / "cpufreq" / "boost"), _text(cpu / "intel_pstate" / "no_turbo")
    if boost is not None:
        return boost == "1"
    return None if no_turbo is None else no_turbo == "0"


def libraries() -> tuple[str, ...]:
    """The libraries whose versions travel with a record: those of every format, and the rest of the product's."""
    return tuple(dict.fromkeys((*SHARED, *(name for fmt in FORMATS.values() for name in fmt.libraries))))


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Version of each installed library."""
    found: dict[str, str] = {}
    for name in libraries():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def devices() -> tuple[Device, ...]:
    """Every device that torch sees here, the CPU first; without torch, the CPU alone. Imports torch."""
    found = [Device("cpu", _cpu_name())]
    try:
        import torch
    except ModuleNotFoundError:
        return tuple(found)
    found += [Device(f"cuda:{i}", torch.cuda.get_device_name(i)) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(Device("mps", f"Apple Metal on {_cpu_name()}"))
    return tuple(found)


def _load_1min() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):  # Windows has none
        return None


def _memory_free_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().available)


@lru_cache(maxsize=1)
def _cpu_name() -> str:
    for line in (_text(Path("/proc/cpuinfo")) or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        if asked.stdout.strip():
            return asked.stdout.strip()
    return platform.processor() or platform.machine()


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _cpu_quota_cores(root: Path = _CGROUP) -> float | None:
    """The container's CPU limit in cores (cgroup v2, then v1); None = no limit, or not available."""
    quota, _, period = (_text(root / "cpu.max") or "").partition(" ")
    if not quota:
        quota = _text(root / "cpu" / "cpu.cfs_quota_us") or ""
        period = _text(root / "cpu" / "cpu.cfs_period_us") or ""
    if not (quota.isdigit() and period.isdigit()):  # "max" or -1: no limit
        return None
    return int(quota) / int(period)


def _memory_limit_bytes(root: Path = _CGROUP) -> int | None:
    """The container's memory limit (cgroup v2, then v1); None = no limit, or not available."""
    limit = _text(root / "memory.max") or _text(root / "memory" / "memory.limit_in_bytes") or ""
    # cgroup v1 says "no limit" by a number near 2**63
    return int(limit) if limit.isdigit() and int(limit) < 2**62 else None
