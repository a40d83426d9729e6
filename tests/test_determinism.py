"""One seed makes every random draw again, also in the workers of a loader."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
import torch

from udacisense.determinism import set_deterministic_mode


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    for name in ("deterministic", "benchmark"):
        monkeypatch.setattr(torch.backends.cudnn, name, getattr(torch.backends.cudnn, name))


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_the_same_seed_draws_the_same_and_another_seed_does_not() -> None:
    set_deterministic_mode(1)
    first = draws()
    assert draws() != first
    set_deterministic_mode(1)
    assert draws() == first
    assert os.environ["PYTHONHASHSEED"] == "1", "child processes hash alike"
    set_deterministic_mode(2)
    assert all(new != old for new, old in zip(draws(), first, strict=True))


def test_each_worker_draws_its_own_and_the_same_again() -> None:
    def of_worker(number: int) -> tuple[float, float]:
        set_deterministic_mode(7)(number)
        return random.random(), float(np.random.rand())

    assert of_worker(0) == of_worker(0)
    assert not set(of_worker(0)) & set(of_worker(1))
