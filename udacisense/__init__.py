"""UdaciSense: a checkpoint goes in, evidence comes out.

Convert a compressed image classifier for phones, verify its equivalence, benchmark it, and check its readiness:

    >>> import udacisense
    >>> checkpoint = udacisense.open("models/baseline_mobilenet/checkpoints/model.pth")
    >>> artifact = udacisense.convert(checkpoint, "onnx", "fp32")

    >>> proof = udacisense.verify(artifact)
    >>> proof.verdict, proof.agreement
    ('same', 1.0)

    >>> of_checkpoint, of_artifact = udacisense.benchmark(checkpoint, artifact, protocol="quick")
    >>> max(of_artifact.steady_s) < 60  # seconds of each run
    True

    >>> readiness = udacisense.judge(artifact)
    >>> readiness.status
    'fail'
    >>> "At least 30 % smaller than the baseline" in [rule.title for rule in readiness.verdicts if rule.status == "fail"]
    True

    >>> found = udacisense.classify("photo.png", artifact)
    >>> [(label, probability)] = found.top(1)
    >>> label in checkpoint.classes
    True

A checkpoint or artifact is given as its record, its id, or the path of its file. Every error is a `UdaciSenseError`. The
command line has more verbs, as functions of `udacisense.verbs`. Importing this package imports no heavy library.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from udacisense.api import benchmark, classify, convert, judge, open, verify
    from udacisense.classify import Classification
    from udacisense.errors import UdaciSenseError
    from udacisense.types import Artifact, Benchmark, Checkpoint, Readiness, Verification

__all__ = [
    "Artifact",
    "Benchmark",
    "Checkpoint",
    "Classification",
    "Readiness",
    "UdaciSenseError",
    "Verification",
    "benchmark",
    "classify",
    "convert",
    "judge",
    "open",
    "verify",
]

__version__ = "0.1.0"

_ELSEWHERE = {"Classification": "udacisense.classify", "UdaciSenseError": "udacisense.errors"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = _ELSEWHERE.get(name, "udacisense.types" if name[0].isupper() else "udacisense.api")
    return getattr(import_module(place), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """A package whose functions keep their names where a module in it is called alike, such as `udacisense.verify`.

    Whoever imports such a module would put it in the function's place. The module is found as ever by
    `from udacisense.verify import ...`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
