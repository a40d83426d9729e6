"""Times as machines make them, for tests: blocks with noise that resembles its neighbours, and records around them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.fakes import made
from udacisense.types import Benchmark, Conditions

QUIET = Conditions(0.0, 0.5, 0.499, 0.001, 0.01, None, None, None)


def ar1(rng: np.random.Generator, n: int, rho: float, sd: float) -> NDArray[np.float64]:
    """A series of n values with standard deviation sd whose neighbours correlate by rho."""
    noise = rng.normal(size=n + 50) * sd * math.sqrt(1 - rho**2)
    series = np.zeros(n + 50)
    for i in range(1, n + 50):
        series[i] = rho * series[i - 1] + noise[i]
    return series[50:]


def blocks(
    levels: NDArray[np.float64] | list[float], runs: int = 20, spread: float = 0.01, seed: int = 0
) -> tuple[tuple[float, ...], ...]:
    """A block of runs around each level."""
    rng = np.random.default_rng(seed)
    return tuple(tuple(float(v) for v in level * (1 + spread * np.abs(rng.normal(size=runs)))) for level in levels)


def bench(levels: NDArray[np.float64] | list[float], **changes: Any) -> Benchmark:
    """A record of a quiet machine with blocks around these levels, from 8 starts where they divide; blocks begin every 5 s."""
    starts = int(changes.pop("starts", 1 if len(levels) % 8 else 8))
    conditions = tuple(replace(QUIET, at_s=5.0 * i) for i in range(len(levels)))
    record = Benchmark(
        id="bench-torchscript-fp32-9bfd99f6-02c253",
        run_id="run-1",
        subject_id="torchscript-fp32-9bfd99f6-02c253",
        subject_sha256="a" * 64,
        runtime="torch.jit",
        runtime_version="2.13.0",
        threads=1,
        batch=1,
        input_px=(224, 224),
        import_s=1.0,
        load_s=0.05,
        first_s=0.03,
        warmup_s=(0.02, 0.01),
        blocks_s=blocks(levels, seed=int(changes.pop("seed", 0))),
        preprocess_s=(0.001,),
        rss_before_bytes=2**27,
        peak_rss_bytes=2**28,
        size_bytes=6_000_000,
        made=made(),
        warmup_stable=True,
        conditions=conditions,
        timer_resolution_s=1e-7,
        blocks_per_start=(len(levels) // starts,) * starts,
    )
    return replace(record, **changes)


def sped(record: Benchmark, factor: float, **changes: Any) -> Benchmark:
    """The same record with every steady time multiplied."""
    return replace(record, blocks_s=tuple(tuple(s * factor for s in b) for b in record.blocks_s), **changes)


def protocol_file(folder: Path, text: str, name: str = "mine") -> Path:
    """A protocol file."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path
