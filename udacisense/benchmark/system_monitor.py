"""Monitor of the machine while a block runs: other programs, core clocks, heat, energy. Read from outside the process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from udacisense.types import Conditions

POWER = Path("/sys/class/powercap")
CPU = Path("/sys/devices/system/cpu")
_PACKAGES = "intel-rapl:[0-9]*"  # AMD's driver gives them this name too


class Energy:
    """The energy counters of the processor packages (RAPL), or the reason why there is no reading."""

    def __init__(self, root: Path = POWER) -> None:
        self._zones = [zone for zone in sorted(root.glob(_PACKAGES)) if ":" not in zone.name.removeprefix("intel-rapl:")]
        self.note = self._why_not()

    def joules(self) -> float | None:
        """The counters now, in joules; only differences mean something. None = see `note`."""
        if self.note:
            return None
        return sum(int((zone / "energy_uj").read_text()) for zone in self._zones) / 1e6

    def since(self, before: float | None) -> float | None:
        """Joules since an earlier reading; a counter that began again at 0 is set right."""
        now = self.joules()
        if now is None or before is None:
            return None
        return now - before if now >= before else now - before + self._range_j()

    def _range_j(self) -> float:
        return sum(int((zone / "max_energy_range_uj").read_text()) for zone in self._zones) / 1e6

    def _why_not(self) -> str:
        if not self._zones:
            return "This machine shows no energy counter (powercap/RAPL); virtual machines and macOS have none."
        try:
            for zone in self._zones:
                (zone / "energy_uj").read_text()
        except OSError as exc:
            return f"The energy counter may not be read: {exc.strerror}. Run as root, or allow reading of energy_uj."
        return ""


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    busy: float
    idle: float
    throttles: int | None
    joules: float | None


class MachineWatch:
    """Watches one run; `block` runs one step of it and says under which conditions."""

    def __init__(self, energy: Energy | None = None, cpu: Path = CPU) -> None:
        self.energy = energy or Energy()
        self._cpu = cpu
        self._began = time.perf_counter()
        self._wall = time.time()

    def block(self, work: Callable[[], Mapping[str, Any]]) -> tuple[Mapping[str, Any], Conditions]:
        """Do `work`, which answers with the child's own figures, and put the machine's beside them."""
        before = self._read()
        answer = work()
        after = self._read()
        return answer, Conditions(
            at_s=before.at - self._began,
            wall_s=answer["wall_s"],
            cpu_s=answer["cpu_s"],
            run_queue_wait_s=answer["waited_s"],
            other_cpu_share=_others(before, after, answer["cpu_s"], answer["wall_s"]),
            mhz=self._mhz(),
            throttles=None if None in (before.throttles, after.throttles) else after.throttles - before.throttles,  # type: ignore[operator]
            energy_j=self.energy.since(before.joules),
        )

    def clock_step_s(self) -> float:
        """Seconds by which the date of this machine was set back (below 0) or forth since the watch began."""
        return (time.time() - self._wall) - (time.perf_counter() - self._began)

    def _read(self) -> _Reading:
        t = psutil.cpu_times()
        idle = t.idle + getattr(t, "iowait", 0.0)
        busy = t.user + t.system + getattr(t, "nice", 0.0) + getattr(t, "irq", 0.0) + getattr(t, "softirq", 0.0)
        steal = getattr(t, "steal", 0.0)
        return _Reading(time.perf_counter(), busy + steal, idle, self._throttles(), self.energy.joules())

    def _throttles(self) -> int | None:
        found = [int(p.read_text()) for p in self._cpu.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")]
        return sum(found) if found else None

    def _mhz(self) -> float | None:
        found = [int(p.read_text()) / 1000 for p in self._cpu.glob("cpu[0-9]*/cpufreq/scaling_cur_freq")]
        return sum(found) / len(found) if found else None


def _others(before: _Reading, after: _Reading, own_s: float | None, wall_s: float) -> float | None:
    """Share of all cores that neither the child nor nobody used; the system counts in hundredths of a second.

    The reading spans unrecorded runs too, which keep the child as busy as the recorded ones.
    """
    busy, idle = after.busy - before.busy, after.idle - before.idle
    if own_s is None or busy + idle <= 0 or wall_s <= 0:
        return None
    own = own_s / wall_s * (after.at - before.at)
    return min(max((busy - own) / (busy + idle), 0.0), 1.0)
