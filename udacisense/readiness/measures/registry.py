"""The registry of measures: what readiness.toml can name. Rules, documents and pages take theirs from here."""

from __future__ import annotations

from collections.abc import Mapping

from udacisense.readiness.measures.accuracy import ACCURACY_CHANGE, ACCURACY_LOSS
from udacisense.readiness.measures.answers import CALIBRATION_ERROR, WORST_CLASS
from udacisense.readiness.measures.latency import LATENCY, P95_LATENCY, P99_LATENCY, TIME_SAVING
from udacisense.readiness.measures.measure import Measure
from udacisense.readiness.measures.sameness import SAMENESS
from udacisense.readiness.measures.size import PACKAGE_SIZE, SIZE_INCREASE, SIZE_SAVING
from udacisense.readiness.measures.start_up import COLD_START, LOAD_TIME, PEAK_MEMORY

MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        SAMENESS,
        ACCURACY_CHANGE,
        ACCURACY_LOSS,
        WORST_CLASS,
        CALIBRATION_ERROR,
        SIZE_INCREASE,
        SIZE_SAVING,
        PACKAGE_SIZE,
        LATENCY,
        P95_LATENCY,
        P99_LATENCY,
        TIME_SAVING,
        LOAD_TIME,
        COLD_START,
        PEAK_MEMORY,
    )
}
"""Name -> measure."""
