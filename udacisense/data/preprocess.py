"""Preprocessing of images into the network's input, for evaluation, calibration, timing and uploads.

Training has its own, with augmentation: training/augment.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from udacisense.data.dataset import Dataset
from udacisense.errors import DataError
from udacisense.labels import IMAGENET_MEAN, IMAGENET_STD, INPUT_PX
from udacisense.types import Checkpoint, Images, Pixels


def preprocess(
    samples: Sequence[Pixels] | NDArray[np.uint8],
    input_px: tuple[int, int] = INPUT_PX,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> Images:
    """Images (N, 3, *input_px) from N images (H, W, 3) uint8 of any sizes: bicubic resize, 0..1, minus mean, by std.

    Equals torchvision's Resize(bicubic) + ToTensor + Normalize on PIL images; needs neither of the two.

    Raises:
        DataError: an image that is not uint8 (H, W, 3) with at least one pixel.
    """
    images = np.empty((len(samples), 3, *input_px), np.float32)
    scale = (1.0 / (255.0 * np.asarray(std, np.float64))).astype(np.float32)[:, None, None]
    shift = (-np.asarray(mean, np.float64) / np.asarray(std, np.float64)).astype(np.float32)[:, None, None]
    for image, pixels in zip(images, samples, strict=True):
        np.multiply(resize(pixels, input_px).transpose(2, 0, 1), scale, out=image)
        image += shift
    return images


def resize(pixels: Pixels, input_px: tuple[int, int] = INPUT_PX) -> Pixels:
    """The image squeezed to height and width `input_px` by PIL's bicubic filter: what the network sees, as uint8.

    Raises:
        DataError: not uint8 (H, W, 3) with at least one pixel.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise DataError(
            f"An image must be uint8 (H, W, 3) with at least one pixel, got {pixels.dtype} {pixels.shape}. "
            "Decode it with decode_image first."
        )
    if pixels.shape[:2] == input_px:
        return pixels
    height, width = input_px
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def batches(dataset: Dataset, size: int) -> Iterator[tuple[Images, NDArray[np.int64]]]:
    """Preprocessed images (n, 3, H, W) and labels (n), `size` at a time in the dataset's order; the last batch may be smaller.

    Raises:
        DataError: `size` is not positive.
    """
    if size < 1:
        raise DataError(f"A batch needs at least one image, got a size of {size}. Set UDACISENSE_EVAL_BATCH to 1 or more.")
    for start in range(0, len(dataset), size):
        yield preprocess(dataset.images[start : start + size]), dataset.labels[start : start + size]


def describe_preprocessing(checkpoint: Checkpoint) -> dict[str, object]:
    """Preprocessing that an app has to do: `preprocess` in words and JSON values, with the label order of the answer."""
    return {
        "colour": "RGB",
        "input_px": list(checkpoint.input_px),
        "resize": "bicubic, antialiased, squeezed to the input size without a crop",
        "scale": "value / 255",
        "mean": list(checkpoint.mean),
        "std": list(checkpoint.std),
        "layout": "NCHW",
        "dtype": "float32",
        "labels": list(checkpoint.classes),
        "output": "logits, before softmax",
    }
