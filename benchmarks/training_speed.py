"""What a training step costs, and how much of it is the network's own work.

    python -m benchmarks.training_speed [--repeats 5]

Times, in turn within one process, a batch of 128 noise images at several input sizes:

- `step`: a whole step of the training loop (augmentation, loss, optimiser, averaged weights);
- `network`: forward and backward of the same network on a batch that is ready;
- the same network with tensors in the contiguous layout, and in bfloat16.

the teacher's features of 32 images by PyTorch and by ONNX Runtime, and, in processes that take turns, the network where
freed memory is kept for the next step and where it goes back to the system. Prints JSON: medians in images
per second of processor time, which other work on the machine distorts less than wall clock, and the ratios.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from udacisense.metrics.stats import median
from udacisense.models.network import MobileNetV3_Household
from udacisense.provenance import here
from udacisense.records.store import to_json
from udacisense.training import teacher
from udacisense.training.augment import normalise, resize
from udacisense.training.batch_targets import TrainingImages
from udacisense.training.fit import _lesson, _step
from udacisense.training.memory import keep_freed_memory
from udacisense.training.recipe import TrainingStage
from udacisense.training.state import Run

SIZES = (64, 128, 224)
BATCH = 128
TEACHER_BATCH = 32
MEMORY = ("kept", "returned")


def samples(count: int) -> TrainingImages:
    """Noise of the size of the real images: the time does not depend on what they show."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return TrainingImages.of(images, np.arange(count) % 100, torch.device("cpu"))


def ways(px: int) -> dict[str, Callable[[], object]]:
    """What is timed at one size."""
    data = samples(BATCH)
    stage = TrainingStage(name="timed", data="household", input_px=px, epochs=1, batch=BATCH, lr=1e-4)
    net = MobileNetV3_Household(num_classes=100).model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    run = Run.begin(net, None, stage)
    plain = MobileNetV3_Household(num_classes=100).model.train()
    ready = torch.randn(BATCH, 3, px, px)
    last = ready.contiguous(memory_format=torch.channels_last)

    def step() -> None:
        lesson = _lesson(data, torch.arange(BATCH), stage, torch.Generator().manual_seed(0))
        _step(run, lesson, stage)
        run.average.update(net)

    def network(own: Any, images: torch.Tensor, dtype: torch.dtype | None = None) -> None:
        own.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
            loss = functional.cross_entropy(own(images), data.labels)
        loss.backward()  # type: ignore[no-untyped-call]

    return {
        "step": step,
        "network": lambda: network(net, last),
        "network, contiguous": lambda: network(plain, ready),
        "network, bfloat16": lambda: network(net, last, torch.bfloat16),
    }


def teachers() -> dict[str, Callable[[], object]]:
    """The teacher's features of some images, by both runtimes."""
    network = teacher._Pooled(teacher._network()).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = normalise(resize(samples(TEACHER_BATCH).pixels, teacher.INPUT_PX))
    run = teacher._runner()

    def by_torch() -> None:
        with torch.inference_mode():
            network(images.contiguous(memory_format=torch.channels_last))

    return {"teacher, PyTorch": by_torch, "teacher, ONNX Runtime": lambda: [run(i[None]) for i in images.numpy()]}


def in_turn(tasks: dict[str, Callable[[], object]], images: int, repeats: int) -> dict[str, float]:
    """Images per second of the processor, of each the median of rounds in which they take turns; the first is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(repeats + 1):
        for name, task in tasks.items():
            began = time.process_time()
            task()
            if number:
                seconds[name].append(time.process_time() - began)
    return {name: images / median(found) for name, found in seconds.items()}


def network_alone(px: int, repeats: int) -> float:
    """Images per second of the network in this process."""
    return in_turn({"network": ways(px)["network"]}, BATCH, repeats)["network"]


def memory(px: int, repeats: int) -> dict[str, float]:
    """The network alone with freed memory kept and returned: the median of three processes each, which take turns."""
    found: dict[str, list[float]] = {way: [] for way in MEMORY}
    for _ in range(3):
        for way in MEMORY:
            command = [
                sys.executable,
                "-m",
                "benchmarks.training_speed",
                "--repeats",
                str(repeats),
                "--one",
                str(px),
                "--memory",
                way,
            ]
            found[way].append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    kept, returned = (median(found[way]) for way in MEMORY)
    return {"kept": round(kept), "returned": round(returned), "kept_over_returned": round(kept / returned, 2)}


def measure(repeats: int) -> dict[str, object]:
    """Every size and the teacher, with the ratios that the loop's design rests on."""
    keep_freed_memory()  # as the training loop does
    found: dict[str, object] = {"threads": torch.get_num_threads(), "batch": BATCH}
    for px in SIZES:
        speed = in_turn(ways(px), BATCH, repeats)
        found[f"{px} px"] = {name: round(value) for name, value in speed.items()} | {
            "network_share_of_step": round(speed["step"] / speed["network"], 3),
            "channels_last_over_contiguous": round(speed["network"] / speed["network, contiguous"], 2),
            "bfloat16_over_float32": round(speed["network, bfloat16"] / speed["network"], 2),
            "memory": memory(px, repeats),
        }
    speed = in_turn(teachers(), TEACHER_BATCH, repeats)
    found["teacher"] = {name: round(value, 1) for name, value in speed.items()} | {
        "onnxruntime_over_pytorch": round(speed["teacher, ONNX Runtime"] / speed["teacher, PyTorch"], 2)
    }
    return found


def main() -> None:
    """Print what was measured, with the machine."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--repeats", type=int, default=5)
    asked.add_argument("--one", type=int, help="time the network alone at this size, for the comparison of memory")
    asked.add_argument("--memory", choices=MEMORY, default="kept")
    args = asked.parse_args()
    torch.set_num_threads(1)  # so that the processor's time is that of the work
    if args.one:
        if args.memory == "kept":
            keep_freed_memory()
        print(network_alone(args.one, args.repeats))
        return
    made = here(f"python -m benchmarks.training_speed --repeats {args.repeats}")
    print(json.dumps(measure(args.repeats) | {"made": to_json(made)}, indent=1))


if __name__ == "__main__":
    main()
