"""Weights load from the files that training scripts write, and a choice between two sets is never made in silence."""

from __future__ import annotations

import argparse
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils import prune

from tests.models.test_loading import load, logits, weights
from tests.networks import network
from udacisense.errors import CheckpointError, UnsafeFileError
from udacisense.models.weight_sets import Inert

Weights = dict[str, torch.Tensor]


def saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


def spoilt() -> Weights:
    return {k: v + 1 if v.is_floating_point() else v for k, v in weights().items()}


def prefixed(prefix: str) -> Weights:
    return {prefix + k: v for k, v in weights().items()}


def bare() -> Weights:
    """As torchvision's own network calls them."""
    return {k.removeprefix("model."): v for k, v in weights().items()}


SGD = {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}

LOADS: dict[str, Callable[[], Any]] = {
    "compiled": lambda: prefixed("_orig_mod."),
    "compiled in parallel": lambda: prefixed("module._orig_mod."),
    "parallel and compiled": lambda: prefixed("_orig_mod.module."),
    "torchvision's names": bare,
    "a backbone": lambda: {f"net.backbone.{k}": v for k, v in bare().items()},
    "lightning": lambda: {
        "state_dict": {**{f"model.{k}": v for k, v in weights().items()}, "criterion.weight": torch.ones(10)},
        "pytorch-lightning_version": "2.4", "optimizer_states": [SGD], "hyper_parameters": {"lr": 0.1}, "loops": {"fit": {}},
    },
    "a script's model": lambda: {"epoch": 12, "model": weights(), "optimizer": SGD, "best_acc": 81.9},
    "numpy numbers": lambda: {"epoch": 12, "state_dict": weights(), "best": np.float64(81.9), "seen": np.int64(3)},
    "settings and a path": lambda: {"model": weights(), "args": argparse.Namespace(lr=0.1, out=Path("runs")), "out": Path("x")},
    "two levels": lambda: {"checkpoint": OrderedDict(model=weights(), epoch=3)},
    "an average alone": lambda: {"n_averaged": torch.tensor(9), **prefixed("module.")},
}  # fmt: skip


@pytest.mark.parametrize("wrapped", LOADS, ids=str)
def test_the_weights_load_with_the_same_answers(tmp_path: Path, wrapped: str) -> None:
    path = saved(LOADS[wrapped](), tmp_path / "model.pth")
    assert torch.equal(logits(load(path)), logits(network()))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (lambda: {"state_dict": spoilt(), "state_dict_ema": weights(), "arch": "mobilenetv3_small_100"}, "['state_dict_ema']"),
        (lambda: {"model": spoilt(), "model_ema": prefixed("module."), "args": argparse.Namespace(lr=1)}, "['model_ema']"),
        (lambda: {"teacher": spoilt(), "student": weights()}, "['teacher']"),
    ],
    ids=["timm", "torchvision", "distillation"],
)
def test_two_sets_are_named_and_none_is_taken(tmp_path: Path, content: Callable[[], Any], named: str) -> None:
    path = saved(content(), tmp_path / "both.pth")
    with pytest.raises(CheckpointError, match=r"holds 2 sets of weights \(") as caught:
        load(path)
    assert f"torch.load('both.pth', weights_only=False){named}" in str(caught.value)


def test_the_masks_of_pruning_are_applied(tmp_path: Path) -> None:
    pruned = network()
    prune.l1_unstructured(pruned.model.features[1].block[0][0], "weight", amount=0.5)  # type: ignore[union-attr, index]
    path = saved(pruned.state_dict(), tmp_path / "pruned.pth")
    assert any(key.endswith("weight_mask") for key in pruned.state_dict())
    assert torch.equal(logits(load(path)), logits(pruned))
    assert not torch.equal(logits(load(path)), logits(network()))


def test_timms_names_are_recognised(tmp_path: Path) -> None:
    path = saved({"conv_stem.weight": torch.ones(16, 3, 3, 3), "conv_head.weight": torch.ones(9, 9, 1, 1)}, tmp_path / "t.pth")
    with pytest.raises(CheckpointError, match=r"timm's MobileNetV3.*add t\.pth --architecture timm:mobilenetv3_small_100"):
        load(path)


def test_a_quantised_network_behind_a_wrapper_is_named(tmp_path: Path) -> None:
    path = saved(
        {"model": {"model.fc.scale": torch.tensor(0.1), "model.fc._packed_params.dtype": torch.qint8}}, tmp_path / "q.pth"
    )
    with pytest.raises(CheckpointError, match="quantised network"):
        load(path)


class Runs:
    """Unpickled in earnest, it calls `print`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("ran",))


def test_what_stands_in_for_objects_runs_nothing_and_others_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = argparse.Namespace(lr=0.1)
    found = torch.load(saved({"args": args, "n": np.float64(1)}, tmp_path / "a.pth"), weights_only=True)
    assert {type(v) for v in found.values()} == {Inert}
    with pytest.raises(UnsafeFileError):
        load(saved({"model": weights(), "hook": Runs()}, tmp_path / "b.pth"))
    args.hook = Runs()
    with pytest.raises(UnsafeFileError):
        load(saved({"model": weights(), "args": args}, tmp_path / "c.pth"))
    assert "ran" not in capsys.readouterr().out
