"""Torch networks and TorchScript modules as a Session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from udacisense.errors import RunError
from udacisense.foreign import in_brief
from udacisense.types import Images, Logits


class NetworkSession:
    """A Session over anything torch can call: eager network, TorchScript module, lite interpreter module."""

    def __init__(self, network: Callable[[Any], Any], threads: int) -> None:
        self._network = network
        self._threads = threads

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W).

        Raises:
            RunError: the images have another shape, or the runtime fails on them.
        """
        import torch

        if images.ndim != 4 or images.shape[1] != 3 or len(images) == 0:
            raise RunError(f"Images must have the shape (N, 3, H, W) with N of at least 1, got {images.shape}.")
        if torch.get_num_threads() != self._threads:  # one setting for the whole process: whoever runs, sets it
            torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                out = self._network(torch.from_numpy(np.require(images, np.float32, ["C", "W"])))
        except RuntimeError as exc:
            raise RunError(f"The network failed on images of shape {images.shape}: {in_brief(exc)}.") from exc
        return self._logits(out, len(images))

    @staticmethod
    def _logits(out: Any, images: int) -> Logits:
        import torch

        if not isinstance(out, torch.Tensor) or out.ndim != 2 or len(out) != images:
            got = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
            raise RunError(f"The network must answer {images} images with ({images}, classes) logits, got {got}.")
        logits: Logits = out.detach().cpu().numpy().astype(np.float32, copy=False)
        return logits
