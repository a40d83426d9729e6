"""Folding batch norms into the convolutions before them: the file has a bias where a batch norm was, and loads as any other."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from udacisense.compression.step import FoldBatchNorm
from udacisense.compression.work import Outcome, Work


def apply(_step: FoldBatchNorm, network: nn.Module, _work: Work) -> Outcome:
    """The same network without batch norms."""
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    return Outcome(fold(network), notes={"folded": norms})


def fold(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode, each batch norm folded into the convolution just before it."""
    network = deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm2d):
            conv: Any = module[0]
            module[0], module[1] = fuse_conv_bn_eval(conv, module[1]), nn.Identity()
    return network
