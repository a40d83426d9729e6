"""Records as rows of plain values: for the tables on the pages and for the CSV file below each chart. Units in the names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from udacisense.benchmark.quality_grade import trust
from udacisense.classify import Classification
from udacisense.metrics import stats
from udacisense.number_format import MB
from udacisense.types import Readiness, Verification
from udacisense.verify import GOLDEN, input_name
from ui.shared.entries import Stage, SubjectMetrics

Row = dict[str, str | float | int | bool | None]


def to_csv(rows: Sequence[Row]) -> str:
    """Rows as CSV text with a header; what was not measured is an empty cell."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: str | float | int | bool | None) -> str | float | int | bool | None:
    """A value that a spreadsheet shows and does not reckon: text that begins like a formula could ask a foreign address."""
    formula = isinstance(value, str) and (value[:1] in "=@\t\r" or re.match(r"[-+](?![\d.])", value)) and value
    return f"'{value}" if formula else value


def comparison(entries: Sequence[SubjectMetrics]) -> list[Row]:
    """One row per subject: trust, size, accuracy, times; None where nothing was measured."""
    return [{**_standing(e), **_times(e), **_start(e)} for e in entries]


def _standing(e: SubjectMetrics) -> Row:
    return {
        "subject": e.label,
        "trust": trust(e.benchmark).grade if e.benchmark else None,
        "size_mb": None if e.size_bytes is None else e.size_bytes / MB,
        "top1_percent": e.evaluation.top1 * 100 if e.evaluation else None,
        "top5_percent": e.evaluation.top5 * 100 if e.evaluation else None,
        "images": e.evaluation.images if e.evaluation else None,
    }


def _times(e: SubjectMetrics) -> Row:
    found = stats.latency(e.benchmark.steady_s, e.benchmark.batch) if e.benchmark else None
    return {
        "average_ms": found.mean_s * 1000 if found else None,
        "p50_ms": found.p50_s * 1000 if found else None,
        "p95_ms": found.p95_s * 1000 if found else None,
        "p99_ms": found.p99_s * 1000 if found else None,
        "images_per_s": found.images_per_s if found else None,
        "runs": found.runs if found else None,
    }


def _start(e: SubjectMetrics) -> Row:
    b = e.benchmark
    whole = [s for block in b.end_to_end_s for s in block] if b else []
    cpu = [c.cpu_s for c in b.conditions if c.cpu_s is not None] if b else []
    energy = [c.energy_j for c in b.conditions if c.energy_j is not None] if b else []
    images = len(b.steady_s) * b.batch if b else 0
    return {
        "whole_way_ms": stats.median(whole) * 1000 if whole else None,
        "import_ms": b.import_s * 1000 if b and b.import_s is not None else None,
        "load_ms": b.load_s * 1000 if b else None,
        "first_inference_ms": b.first_s * 1000 if b else None,
        "peak_memory_mb": b.peak_rss_bytes / MB if b and b.peak_rss_bytes is not None else None,
        "cpu_ms": sum(cpu) / images * 1000 if cpu else None,
        "energy_mj": sum(energy) / images * 1000 if energy else None,
        "mean_memory_mb": b.mean_rss_bytes / MB if b and b.mean_rss_bytes is not None else None,
        "runtime": f"{b.runtime} {b.runtime_version}" if b else None,
        "id": e.id,
        "benchmark_record": b.id if b else None,
        "evaluation_record": e.evaluation.id if e.evaluation else None,
    }


def raw_times(entries: Sequence[SubjectMetrics]) -> list[Row]:
    """Every steady run, in the order taken."""
    return [
        {"subject": e.label, "id": e.id, "start": start, "block": number, "run": run, "ms": seconds * 1000}
        for e in entries
        if e.benchmark
        for start, blocks in enumerate(e.benchmark.by_start, 1)
        for number, block in enumerate(blocks, 1)
        for run, seconds in enumerate(block, 1)
    ]


def per_class(entries: Sequence[SubjectMetrics]) -> list[Row]:
    """Share of each class recognised, a row per subject and class."""
    return [
        {"subject": e.label, "id": e.id, "class": name, "recognised_percent": None if share is None else share * 100}
        for e in entries
        if e.evaluation
        for name, share in zip(e.evaluation.classes, e.evaluation.per_class, strict=True)
    ]


def confusion(entry: SubjectMetrics) -> list[Row]:
    """The confusion matrix, a row per true class."""
    if entry.evaluation is None:
        return []
    return [
        {"true class": name, **dict(zip(entry.evaluation.classes, row, strict=True))}
        for name, row in zip(entry.evaluation.classes, entry.evaluation.confusion, strict=True)
    ]


def checks(record: Verification) -> list[Row]:
    """The random inputs and the golden images, then the test images, in one shape."""
    rows: list[Row] = [
        {
            "input": name if (name := input_name(c)) == GOLDEN else f"random, {name}",
            "inputs": c.inputs,
            "largest_difference": c.max_abs_diff,
            "mean_difference": c.mean_abs_diff,
            "same_answers": c.predictions_match,
            "within_tolerance": c.outputs_match,
        }
        for c in record.checks
    ]
    rows.append(
        {
            "input": "test images",
            "inputs": record.images,
            "largest_difference": record.max_abs_diff,
            "mean_difference": record.mean_abs_diff,
            "same_answers": not record.flips,
            "within_tolerance": None,
        }
    )
    return rows


def stages(found: Sequence[Stage]) -> list[Row]:
    """Baseline, optimized, mobile with their measured figures."""
    return [
        {
            "stage": s.name,
            "id": s.subject_id,
            "top1_percent": None if s.top1 is None else s.top1 * 100,
            "size_mb": None if s.size_bytes is None else s.size_bytes / MB,
            "average_ms": None if s.latency_s is None else s.latency_s * 1000,
        }
        for s in found
    ]


def verdicts(record: Readiness) -> list[Row]:
    """The verdict of each rule with what it rests on."""
    return [
        {
            "rule": v.rule,
            "title": v.title,
            "status": v.status,
            "measured": v.measured,
            "low": v.interval[0] if v.interval else None,
            "high": v.interval[1] if v.interval else None,
            "limit": v.limit,
            "unit": v.unit,
            "reason": v.reason,
            "evidence": " ".join(v.evidence),
        }
        for v in record.verdicts
    ]


def answer(name: str, found: Classification) -> Row:
    """One classified image: the likeliest class and the times."""
    best, share = found.top(1)[0]
    return {
        "image": name,
        "answer": best,
        "probability_percent": share * 100,
        "decode_ms": None if found.decode_s is None else found.decode_s * 1000,
        "preprocess_ms": found.preprocess_s * 1000,
        "inference_ms": found.inference_s * 1000,
    }


def probabilities(name: str, found: Classification) -> list[Row]:
    """Every class with its probability, likeliest first."""
    return [{"image": name, "class": c, "probability_percent": p * 100} for c, p in found.top(len(found.classes))]
