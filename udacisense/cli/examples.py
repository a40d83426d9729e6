"""A line to copy for each verb, below its help."""

from __future__ import annotations

import typer

RUN = "python -m udacisense"
FILE = "onnx-int8-4ce2fa81-e2cad3"
EXAMPLES = {
    "env": "env",
    "data": "data --source sample",
    "models": "models",
    "train": "train --recipe quick --seed 7",
    "compress": "compress --pipeline pipeline_03 --protocol quick",
    "card": "card models/pipeline_03/final_compressed_model.pth",
    "add": "add model.pt --classes labels.txt --input 96 --mean 0.5 --std 0.5",
    "convert": "convert models/pipeline_03/final_compressed_model.pth --format onnx --precision int8",
    "inspect": "inspect optimized_model_mobile.tflite",
    "package": f"package {FILE} --out packages",
    "classify": f"classify photo.jpg --with {FILE}",
    "evaluate": f"evaluate {FILE} --source folder",
    "verify": f"verify {FILE}",
    "locate": f"locate {FILE} --method values",
    "benchmark": f"benchmark models/baseline_mobilenet/checkpoints/model.pth {FILE} --protocol quick",
    "runs": "runs",
    "history": "history release-1",
    "tag": "tag release-1",
    "selftest": "selftest bench --comparisons 20",
    "ready": f"ready {FILE}",
    "report": f"report {FILE} --format html --out report.html",
    "run": "run --also onnx:int8",
}


def show_examples(app: typer.Typer) -> None:
    """Put each verb's example below its help."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.epilog = f"Example: {RUN} {EXAMPLES[command.callback.__name__]}"
