"""The names of the course's notebooks, with their arguments and answers, as a thin face over the package.

    from udacisense.notebook import get_household_loaders, load_model, evaluate_accuracy, convert_model_for_mobile

Importing it makes `import torchvision` work beside a CPU-only torch. Times taken here run inside the notebook's own process;
for a decision use `python -m udacisense benchmark`, which gives every file a process of its own.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from udacisense.data.dataset import Dataset
from udacisense.data.preprocess import preprocess
from udacisense.data.sources import load_dataset
from udacisense.determinism import set_deterministic_mode
from udacisense.errors import DataError, ExportError
from udacisense.foreign import in_brief
from udacisense.formats import fmt_torchscript
from udacisense.labels import CLASSES, IMAGENET_MEAN, IMAGENET_STD
from udacisense.models import summary
from udacisense.models.checkpoint import WEIGHTS, described_as, read_checkpoint
from udacisense.models.loading import load_network
from udacisense.models.network import MobileNetV3_Household
from udacisense.models.writing import save_checkpoint
from udacisense.number_format import MB, count, mb, millions
from udacisense.settings import settings
from udacisense.torchscript.load import quiet_jit
from udacisense.types import HOUSEHOLD, Preprocessing
from udacisense.vision import torchvision

__all__ = [
    "MobileNetV3_Household",
    "calculate_sparsity",
    "compare_model_outputs",
    "convert_model_for_mobile",
    "evaluate_accuracy",
    "get_household_loaders",
    "get_input_size",
    "get_mobile_model_size",
    "get_model_size",
    "is_quantized",
    "load_model",
    "measure_inference_time",
    "print_dataloader_stats",
    "print_model_summary",
    "save_model",
    "set_deterministic_mode",
    "visualize_batch",
]

IMAGE_SIZES: Mapping[str, tuple[int, int]] = {"CIFAR": (32, 32), "IMAGENET": (224, 224)}

torchvision()  # notebooks import torchvision themselves; after this line they can


# --- data ----------------------------------------------------------------------------------------------------------------


class HouseholdImages(TorchDataset[tuple[NDArray[np.float32], int]]):
    """A split as the course's loaders give it: normalised images (3, H, W) with their labels, and `classes`."""

    def __init__(self, data: Dataset, input_px: tuple[int, int]) -> None:
        self.data = data
        self.input_px = input_px
        self.classes = list(data.classes)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], int]:
        return preprocess([self.data.images[index]], Preprocessing(self.input_px))[0], int(self.data.labels[index])


Loader = DataLoader[tuple[NDArray[np.float32], int]]


def get_household_loaders(image_size: str = "IMAGENET", batch_size: int = 32, num_workers: int = 2) -> tuple[Loader, Loader]:
    """Loaders of the training (shuffled, seeded) and test images of the default source; neither augments.

    Raises:
        DataError: an unknown image size, or images that are missing.
    """
    input_px = _pixels(image_size)
    shuffle = torch.Generator().manual_seed(settings().seed)
    train, test = (HouseholdImages(load_dataset(split), input_px) for split in ("train", "test"))
    return (
        DataLoader(train, batch_size=batch_size, num_workers=num_workers, shuffle=True, generator=shuffle),
        DataLoader(test, batch_size=batch_size, num_workers=num_workers),
    )


def get_input_size(image_size: str = "IMAGENET") -> tuple[int, int, int, int]:
    """The shape of one image as a batch, such as (1, 3, 224, 224)."""
    return (1, 3, *_pixels(image_size))


def _pixels(image_size: str) -> tuple[int, int]:
    if image_size not in IMAGE_SIZES:
        raise DataError(f"There is no image size {image_size!r}. Use one of {', '.join(IMAGE_SIZES)}.")
    return IMAGE_SIZES[image_size]


def print_dataloader_stats(loader: Loader, name: str = "Dataset") -> None:
    """Print how many images, batches and classes a loader has."""
    images = cast(HouseholdImages, loader.dataset)
    print(f"{name}: {len(images)} images in {len(loader)} batches of up to {loader.batch_size}, {images.input_px} pixels")
    print(f"  source: {images.data.ref.source}, split {images.data.ref.scheme}, dataset {images.data.ref.dataset_id}")
    for label, here in images.data.counts().items():
        print(f"  {label}: {here}")


def visualize_batch(loader: Loader, num_images: int = 6) -> None:
    """Show the first images of a loader as the network sees them, with their classes."""
    from matplotlib import pyplot

    images, labels = next(iter(loader))
    shown = min(num_images, len(images))
    figure, axes = pyplot.subplots(1, shown, figsize=(2.5 * shown, 3), squeeze=False)
    for axis, image, label in zip(axes[0], images, labels, strict=False):
        pixels = image.permute(1, 2, 0).numpy() * IMAGENET_STD + IMAGENET_MEAN
        axis.imshow(pixels.clip(0, 1))
        axis.set_title(CLASSES[int(label)])
        axis.axis("off")
    figure.tight_layout()
    pyplot.show()


# --- models --------------------------------------------------------------------------------------------------------------


def load_model(
    model_path: str | Path, model_class: type[nn.Module] = MobileNetV3_Household, num_classes: int = 10, device: str = "cpu"
) -> nn.Module:
    """The model of a weight file, in evaluation mode; what the file does not fit is told, not loaded in part.

    Raises:
        NotFoundError: there is no such file. CheckpointError: it is not a ten-class MobileNetV3_Household or TorchScript.
            DataError: another class of network was asked for.
    """
    if model_class is not MobileNetV3_Household or num_classes != len(CLASSES):
        raise DataError(
            f"load_model knows MobileNetV3_Household with {len(CLASSES)} classes, not {model_class.__name__} with "
            f"{num_classes}. Load other models with torch.load(path, weights_only=True)."
        )
    found = read_checkpoint(Path(model_path))
    if found.architecture == WEIGHTS:
        found = described_as(found, HOUSEHOLD)  # the class that was asked for says of which network they are
    return load_network(found).to(device)


def save_model(model: nn.Module, model_path: str | Path) -> Path:
    """Save a model's weights with their card beside them; returns the path."""
    path = Path(model_path)
    return save_checkpoint(model, path, technique=path.stem, parent_id=None, trained_hashes=(), training={}).path


def print_model_summary(model: nn.Module) -> None:
    """Print layers, parameters, multiply-accumulates, size and sparsity."""
    found = summary.describe(model, _bytes_of(model))
    for layer in found.layers:
        if layer.parameters:
            print(f"  {layer.name:<45} {layer.kind:<18} {layer.parameters:>9,}")
    parameters = "folded into the graph" if found.parameters is None else count(found.parameters)
    macs = "not counted" if found.macs is None else millions(found.macs)
    print(f"Parameters: {parameters}; multiply-accumulates of one image: {macs}; size: {mb(found.size_bytes)}")


def get_model_size(model: nn.Module) -> float:
    """Size of the model's weights as a file, in MB of 1,048,576 bytes."""
    return _bytes_of(model) / MB


def _bytes_of(model: nn.Module) -> int:
    buffer = io.BytesIO()
    if isinstance(model, torch.jit.ScriptModule):
        with quiet_jit():
            torch.jit.save(model, buffer)
    else:
        torch.save(model.state_dict(), buffer)
    return buffer.getbuffer().nbytes


def get_mobile_model_size(model_path: str | Path) -> float:
    """Size of a saved file in MB of 1,048,576 bytes; a missing file is an error, not 0."""
    return Path(model_path).stat().st_size / MB


def is_quantized(model: nn.Module) -> bool:
    """Whether any layer computes in integers."""
    return summary.is_quantized(model)


def calculate_sparsity(model: nn.Module) -> float:
    """Share of zeros among the weights of convolutions and linear layers, percent; not a number where none are shown."""
    share = summary.sparsity(model)
    return float("nan") if share is None else share * 100


# --- measuring -----------------------------------------------------------------------------------------------------------


def evaluate_accuracy(model: nn.Module, loader: Loader, device: torch.device | str = "cpu") -> dict[str, float]:
    """{"top1_acc", "top5_acc"} of a model on a loader, percent.

    Raises:
        DataError: the loader has no images.
    """
    model.eval()
    hits, images = np.zeros(2), 0
    with torch.inference_mode():
        for inputs, labels in loader:
            best = model(cast(Tensor, inputs).to(device)).topk(5, dim=1).indices.cpu()
            right = best == cast(Tensor, labels)[:, None]
            hits += (int(right[:, :1].sum()), int(right.sum()))
            images += len(right)
    if not images:
        raise DataError("The loader has no images, so there is no accuracy. Check the dataset behind it.")
    top1, top5 = (float(h) for h in hits / images * 100)
    return {"top1_acc": top1, "top5_acc": top5}


def measure_inference_time(
    model: nn.Module, input_size: Sequence[int] = (1, 3, 224, 224), num_runs: int = 50, num_warmup: int = 5
) -> dict[str, dict[str, float]]:
    """{"cpu": {"total_time_ms", "avg_time_ms", "fps"}} of a model in this process, after a warm-up that does not count."""
    model.eval()
    images = torch.randn(*input_size, generator=torch.Generator().manual_seed(settings().seed))
    with torch.inference_mode():
        for _ in range(num_warmup):
            model(images)
        started = time.perf_counter()
        for _ in range(num_runs):
            model(images)
        total_s = time.perf_counter() - started
    fps = num_runs * input_size[0] / total_s
    return {"cpu": {"total_time_ms": total_s * 1000, "avg_time_ms": total_s * 1000 / num_runs, "fps": fps}}


# --- mobile --------------------------------------------------------------------------------------------------------------


def convert_model_for_mobile(
    model: nn.Module, input_size: Sequence[int] = (1, 3, 224, 224), mobile_optimize: bool = True
) -> torch.jit.ScriptModule:
    """The model as TorchScript: traced, or scripted where tracing fails; then made faster where asked for.

    Raises:
        ExportError: neither tracing nor scripting works.
    """
    model.eval()
    probe = torch.randn(2, *input_size[1:], generator=torch.Generator().manual_seed(settings().seed))
    try:
        with quiet_jit():
            module, capture, _ = fmt_torchscript.capture(model, probe)
            print(f"Captured by: {capture}")
            if mobile_optimize:
                module, optimiser, why = fmt_torchscript.optimise(module, model, probe)
                print(f"Optimised by: {optimiser}. {why or ''}")
    except RuntimeError as exc:
        raise ExportError(
            f"The model could not be converted: {in_brief(exc)}. Use plain tensor operations in its forward."
        ) from exc
    return cast(torch.jit.ScriptModule, module)


def compare_model_outputs(
    model1: nn.Module, model2: nn.Module, input_tensor: Tensor, tolerance: float = 1e-5
) -> dict[str, bool | float]:
    """Differences of the outputs of two models on the same input, and whether their predictions are equal."""
    model1.eval()
    model2.eval()
    with torch.inference_mode():
        before, after = model1(input_tensor), model2(input_tensor)
    difference = (before - after).abs()
    return {
        "outputs_match": bool(difference.max() < tolerance),
        "predictions_match": torch.equal(before.argmax(dim=1), after.argmax(dim=1)),
        "max_difference": float(difference.max()),
        "mean_difference": float(difference.mean()),
        "tolerance_used": tolerance,
    }
