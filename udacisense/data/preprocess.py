"""Preprocessing of images into the network's input, for evaluation, calibration, timing and uploads.

Training has its own, with augmentation: training/augment.py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from udacisense.data.dataset import Dataset
from udacisense.errors import DataError
from udacisense.types import HOUSEHOLD, Checkpoint, Images, Pixels, Preprocessing

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def preprocess(samples: Sequence[Pixels] | NDArray[np.uint8], preprocessing: Preprocessing = HOUSEHOLD.preprocessing) -> Images:
    """Images (N, 3, *input_size) from N images (H, W, 3) uint8 of any sizes: resized, 0..1, minus mean, by std.

    Equals torchvision's Resize (and CenterCrop) + ToTensor + Normalize on PIL images; needs neither of the two.

    Raises:
        DataError: an image that is not uint8 (H, W, 3) with at least one pixel.
    """
    p = preprocessing
    images = np.empty((len(samples), 3, *p.input_size), np.float32)
    scale = (1.0 / (255.0 * np.asarray(p.std, np.float64))).astype(np.float32)[:, None, None]
    shift = (-np.asarray(p.mean, np.float64) / np.asarray(p.std, np.float64)).astype(np.float32)[:, None, None]
    for image, pixels in zip(images, samples, strict=True):
        np.multiply(fit(pixels, p).transpose(2, 0, 1), scale, out=image)
        image += shift
    return images


def fit(pixels: Pixels, preprocessing: Preprocessing = HOUSEHOLD.preprocessing) -> Pixels:
    """The image at the network's input size: what the network sees, as uint8.

    Raises:
        DataError: not uint8 (H, W, 3) with at least one pixel.
    """
    found = before_crop(pixels, preprocessing)
    height, width = preprocessing.input_size
    if preprocessing.crop_pct is None:
        return found
    top, left = (round((have - want) / 2) for have, want in zip(found.shape, (height, width), strict=False))
    return found[top : top + height, left : left + width]


def before_crop(pixels: Pixels, preprocessing: Preprocessing) -> Pixels:
    """The image resized for a network whose preprocessing may crop it then; resized once more it stays as it is.

    Raises:
        DataError: not uint8 (H, W, 3) with at least one pixel.
    """
    wanted = preprocessing.input_size
    if preprocessing.crop_pct is not None:
        _check_image(pixels)
        scale = max(math.floor(w / preprocessing.crop_pct) / have for w, have in zip(wanted, pixels.shape, strict=False))
        wanted = (max(wanted[0], round(pixels.shape[0] * scale)), max(wanted[1], round(pixels.shape[1] * scale)))
    return resize(pixels, wanted, preprocessing.interpolation)


def resize(
    pixels: Pixels, input_px: tuple[int, int] = HOUSEHOLD.preprocessing.input_size, interpolation: str = "bicubic"
) -> Pixels:
    """The image squeezed to height and width `input_px` by PIL's filter, as uint8.

    Raises:
        DataError: not uint8 (H, W, 3) with at least one pixel.
    """
    _check_image(pixels)
    if pixels.shape[:2] == input_px:
        return pixels
    height, width = input_px
    return np.asarray(Image.fromarray(pixels).resize((width, height), _FILTERS[interpolation]))


def _check_image(pixels: Pixels) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise DataError(
            f"An image must be uint8 (H, W, 3) with at least one pixel, got {pixels.dtype} {pixels.shape}. "
            "Decode it with decode_image first."
        )


def batches(dataset: Dataset, size: int) -> Iterator[tuple[Images, NDArray[np.int64]]]:
    """Preprocessed images (n, 3, H, W) and labels (n), `size` at a time in the dataset's order; the last batch may be smaller.

    Raises:
        DataError: `size` is not positive.
    """
    if size < 1:
        raise DataError(f"A batch needs at least one image, got a size of {size}. Set UDACISENSE_EVAL_BATCH to 1 or more.")
    for start in range(0, len(dataset), size):
        yield preprocess(dataset.images[start : start + size], dataset.preprocessing), dataset.labels[start : start + size]


def describe_preprocessing(checkpoint: Checkpoint) -> dict[str, object]:
    """Preprocessing that an app has to do: `preprocess` in words and JSON values, with the label order of the answer."""
    return {
        "colour": "RGB",
        "input_px": list(checkpoint.input_px),
        "resize": describe_resize(checkpoint.preprocessing),
        "scale": "value / 255",
        "mean": list(checkpoint.mean),
        "std": list(checkpoint.std),
        "layout": "NCHW",
        "dtype": "float32",
        "labels": list(checkpoint.classes),
        "output": "logits, before softmax",
    }


def describe_resize(p: Preprocessing) -> str:
    """How an image is brought to the input's size, in words."""
    if p.crop_pct is None:
        return f"{p.interpolation}, antialiased, squeezed to the input size without a crop"
    return f"{p.interpolation}, antialiased, to the input size over {p.crop_pct:g} with its sides' ratio kept, then the middle"
