"""The verbs of the product as functions: what the command line and the background jobs do, importable.

Checkpoints and artifacts are named by their record, their id or the path of their file. Verbs that compute hold one
machine-wide lock, so that two of them never share the processor: no timing is taken beside other work.
"""

from udacisense.verbs.add import add
from udacisense.verbs.batch import Conversions, Verifications, convert_all, verify_all
from udacisense.verbs.benchmarks import Tag, history, runs, selftest, tag
from udacisense.verbs.classify import Classifications, classify
from udacisense.verbs.compress import Compressing, ModelCard, card, compress
from udacisense.verbs.info import (
    DataInfo,
    Environment,
    ModelsInfo,
    data_info,
    download_data,
    env,
    forget_source,
    models_info,
    name_source,
    unreadable,
)
from udacisense.verbs.inspect import inspect, package
from udacisense.verbs.judge import Judgement, Report, ready, report, write_report
from udacisense.verbs.measure import benchmark, convert, evaluate, locate, train, verify
from udacisense.verbs.run import Run, run

__all__ = [
    "Classifications",
    "Compressing",
    "Conversions",
    "DataInfo",
    "Environment",
    "Judgement",
    "ModelCard",
    "ModelsInfo",
    "Report",
    "Run",
    "Tag",
    "Verifications",
    "add",
    "benchmark",
    "card",
    "classify",
    "compress",
    "convert",
    "convert_all",
    "data_info",
    "download_data",
    "env",
    "evaluate",
    "forget_source",
    "history",
    "inspect",
    "locate",
    "models_info",
    "name_source",
    "package",
    "ready",
    "report",
    "run",
    "runs",
    "selftest",
    "tag",
    "train",
    "unreadable",
    "verify",
    "verify_all",
    "write_report",
]
