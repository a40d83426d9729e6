"""How much longer an evaluation takes than its forward passes alone: the aim is at most 1.5 times.

    python -m benchmarks.evaluate_overhead [CHECKPOINT or ARTIFACT]

Both are timed in turn on the test split with the same session and batch size. The forward passes get images that were
preprocessed before the clock started; the evaluation starts from decoded images. Prints JSON; exit code 1 above the aim.
"""

from __future__ import annotations

import json
import sys
import time

from udacisense.artifacts import find_subject, open_session
from udacisense.data.dataset import Dataset
from udacisense.data.preprocess import batches
from udacisense.data.sources import load_dataset
from udacisense.evaluation.predictions import answer_all
from udacisense.metrics.stats import median
from udacisense.models.checkpoint import default_checkpoint
from udacisense.provenance import here
from udacisense.records.store import to_json
from udacisense.settings import settings
from udacisense.types import Session

AIM = 1.5
REPEATS = 3


def forward_only(session: Session, data: Dataset) -> float:
    """Seconds of the forward passes alone."""
    seconds = 0.0
    for images, _ in batches(data, settings().eval_batch):
        started = time.perf_counter()
        session.predict(images)
        seconds += time.perf_counter() - started
    return seconds


def whole_evaluation(session: Session, data: Dataset, name: str) -> float:
    """Seconds from decoded images to logits."""
    started = time.perf_counter()
    answer_all(session, data, name)
    return time.perf_counter() - started


def measure(wanted: str | None) -> dict[str, object]:
    """Both times, in turn, and their ratio."""
    subject = find_subject(wanted) if wanted else default_checkpoint()[0]
    data = load_dataset("test")
    session = open_session(subject, settings().threads)
    forward_only(session, data)  # warm-up
    pairs = [(forward_only(session, data), whole_evaluation(session, data, subject.id)) for _ in range(REPEATS)]
    ratios = [whole / forward for forward, whole in pairs]
    return {
        "subject": subject.id,
        "images": len(data),
        "batch": settings().eval_batch,
        "forward_s": [round(forward, 3) for forward, _ in pairs],
        "evaluation_s": [round(whole, 3) for _, whole in pairs],
        "ratio": round(median(ratios), 3),
        "aim": AIM,
        "made": to_json(here("python -m benchmarks.evaluate_overhead")),
    }


def main() -> int:
    found = measure(sys.argv[1] if len(sys.argv) > 1 else None)
    print(json.dumps(found, indent=1))
    return int(float(str(found["ratio"])) > AIM)


if __name__ == "__main__":
    sys.exit(main())
