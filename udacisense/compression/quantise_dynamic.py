"""Dynamic quantisation: the linear layers' weights in int8, their inputs rounded as they come. Kept for comparison.

Two layers of this network are linear, and nearly all its work is in convolutions: the file shrinks, the time hardly does.
Quantised modules do not fit a state_dict, so the result is a TorchScript file.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from udacisense.compression.step import QuantiseDynamic
from udacisense.compression.work import Outcome, Work
from udacisense.errors import CompressionError
from udacisense.labels import INPUT_PX
from udacisense.torchscript.load import quiet_jit


def apply(step: QuantiseDynamic, network: nn.Module, _work: Work) -> Outcome:
    """The network as a ScriptModule with linear layers in int8.

    Raises:
        CompressionError: this build of torch has no int8 kernels for this processor.
    """
    engines = [name for name in ("x86", "fbgemm", "qnnpack") if name in torch.backends.quantized.supported_engines]
    if not engines:
        raise CompressionError(f"Step {step.name!r} needs torch's int8 kernels, which this build lacks. Leave the step out.")
    torch.backends.quantized.engine = engines[0]
    with warnings.catch_warnings():
        for category in (DeprecationWarning, UserWarning):
            warnings.filterwarnings("ignore", message=".*deprecated", category=category)
        quantise: Any = torch.ao.quantization.quantize_dynamic
        quantised = quantise(deepcopy(network).eval(), {nn.Linear}, dtype=torch.qint8)
    with quiet_jit(), torch.no_grad():
        script = torch.jit.trace(quantised, torch.zeros(1, 3, *INPUT_PX))  # type: ignore[no-untyped-call]
    return Outcome(script, kind="torchscript", notes={"int8_layers": ["classifier.0", "classifier.3"], "engine": engines[0]})
