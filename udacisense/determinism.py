"""One deterministic mode for all verbs."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import numpy as np


def set_deterministic_mode(seed: int) -> Callable[[int], None]:
    """Seed Python, numpy and torch, and ask cuDNN for repeatable kernels; returns a DataLoader's `worker_init_fn`."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    os.environ["PYTHONHASHSEED"] = str(seed)

    def seed_worker(worker_id: int) -> None:
        np.random.seed(seed + worker_id)
        random.seed(seed + worker_id)

    return seed_worker
