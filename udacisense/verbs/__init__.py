"""The verbs of the product as functions: what the command line and the background jobs do, importable.

Ids or paths are accepted for checkpoints and artifacts. Verbs that compute hold one machine-wide lock, so that two of them
never share the processor: no timing is taken beside other work.
"""

from udacisense.verbs.inside import inspect
from udacisense.verbs.judge import Judgement, Report, ready, report, write_report
from udacisense.verbs.look import DataInfo, Environment, ModelsInfo, data_info, download_data, env, models_info
from udacisense.verbs.whole import Run, run
from udacisense.verbs.work import benchmark, convert, evaluate, train, verify

__all__ = [
    "DataInfo",
    "Environment",
    "Judgement",
    "ModelsInfo",
    "Report",
    "Run",
    "benchmark",
    "convert",
    "data_info",
    "download_data",
    "env",
    "evaluate",
    "inspect",
    "models_info",
    "ready",
    "report",
    "run",
    "train",
    "verify",
    "write_report",
]
