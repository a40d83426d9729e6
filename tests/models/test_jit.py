"""A torch network as a Session, and the narrow silence around torch.jit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from tests.networks import Small, images
from udacisense.errors import RunError
from udacisense.models.torchscript_session import NetworkSession
from udacisense.torchscript.load import quiet_jit


def test_a_session_answers_float32_logits_for_any_array_of_images() -> None:
    session = NetworkSession(Small().eval(), threads=1)
    plain = images(3)
    frozen = plain.copy()
    frozen.flags.writeable = False
    strided = np.ascontiguousarray(plain.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    expected = session.predict(plain)
    assert (expected.shape, expected.dtype) == ((3, 10), np.float32)
    for other in (frozen, strided, plain.astype(np.float64)):
        np.testing.assert_array_equal(session.predict(other), expected)


def test_a_session_runs_with_its_own_number_of_threads() -> None:
    seen = []

    def network(x: torch.Tensor) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return torch.zeros(len(x), 10)

    before = torch.get_num_threads()
    one, two = NetworkSession(network, 1), NetworkSession(network, 2)
    for session in (one, two, one):
        session.predict(images(1))
    torch.set_num_threads(before)
    assert seen == [1, 2, 1]


@pytest.mark.parametrize("shape", [(3, 224, 224), (1, 1, 224, 224), (0, 3, 224, 224), (2, 10)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RunError, match=r"shape \(N, 3, H, W\)"):
        NetworkSession(Small(), 1).predict(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("answer", "message"),
    [(torch.zeros(10), r"got \(10,\)"), (torch.zeros(2, 10), r"got \(2, 10\)"), ({"out": 1}, "got dict")],
    ids=["flat", "other count", "dict"],
)
def test_an_answer_that_is_no_logits_is_told(answer: object, message: str) -> None:
    with pytest.raises(RunError, match=message):
        NetworkSession(lambda x: answer, 1).predict(images(1))


def test_a_runtime_that_fails_is_a_run_error() -> None:
    with pytest.raises(RunError, match="failed on images of shape"):
        NetworkSession(torch.nn.Conv2d(5, 1, 3), 1).predict(images(1))


@pytest.mark.parametrize("notice", ["`torch.jit.trace` is deprecated. Please switch", "Lite Interpreter is deprecated. Please"])
def test_torch_jits_own_notices_are_silenced_inside_the_block_only(notice: str) -> None:
    with quiet_jit():
        warnings.warn(notice, DeprecationWarning, stacklevel=1)  # an error outside, as every warning here
    with pytest.warns(DeprecationWarning, match=notice[:10]):
        warnings.warn(notice, DeprecationWarning, stacklevel=1)


def test_every_other_warning_passes() -> None:
    with quiet_jit(), pytest.raises(DeprecationWarning, match="another thing"):
        warnings.warn("another thing is deprecated", DeprecationWarning, stacklevel=1)
    with quiet_jit(), pytest.raises(UserWarning, match=r"torch\.jit"):
        warnings.warn("`torch.jit.trace` is deprecated.", UserWarning, stacklevel=1)
