"""Mixed images hold what their labels say, and a network learns from them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.training.test_fit import stage, three_colours, tiny_net
from udacisense.training.batch_targets import TrainingBatch, loss_of
from udacisense.training.fit import accuracy, fit_stage
from udacisense.training.mixing import mix


def samples() -> torch.Tensor:
    """Each image has one value everywhere, so that its share in a mixture can be read off."""
    return torch.arange(8.0).view(8, 1, 1, 1).expand(8, 3, 32, 32).clone()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("mixup", "cutmix"), [(0.4, 0.0), (0.0, 1.0), (0.4, 1.0)])
def test_the_share_is_what_the_images_hold(mixup: float, cutmix: float, seed: int) -> None:
    images = samples()
    mixed, share = mix(images, mixup=mixup, cutmix=cutmix, generator=torch.Generator().manual_seed(seed))
    expected = share * images + (1 - share) * images.flip(0)
    assert 0 <= share <= 1
    assert torch.allclose(mixed.mean(dim=(1, 2, 3)), expected.mean(dim=(1, 2, 3)), atol=1e-4)


def test_both_kinds_are_drawn_and_repeat_with_their_generator() -> None:
    drawn = []
    for seed in range(20):
        first, again = (mix(samples(), mixup=0.4, cutmix=1.0, generator=torch.Generator().manual_seed(seed)) for _ in range(2))
        assert torch.equal(first[0], again[0])
        values = first[0][0].unique()
        drawn.append("pasted" if len(values) == 2 else "blended")
    assert set(drawn) == {"pasted", "blended"}


def test_without_mixing_images_stay_as_they_are() -> None:
    mixed, share = mix(samples(), mixup=0, cutmix=0, generator=torch.Generator())
    assert share == 1.0
    assert torch.equal(mixed, samples())


def test_the_loss_of_a_mixture_is_the_mixture_of_losses() -> None:
    data, net = three_colours(6), tiny_net().eval()
    plain = stage(1)
    index = torch.arange(6)
    images = data.pixels.float() / 255
    mixed = TrainingBatch.of(images, data, index, 0.3, plain)
    first = loss_of(net, None, TrainingBatch.of(images, data, index, 1.0, plain), plain)
    second = loss_of(net, None, TrainingBatch.of(images, replace(data, labels=data.labels.flip(0)), index, 1.0, plain), plain)
    assert torch.allclose(loss_of(net, None, mixed, plain), 0.3 * first + 0.7 * second, rtol=1e-5)


def test_parts_of_a_lesson_are_the_lesson() -> None:
    data = replace(three_colours(7), teacher=torch.randn(7, 3), features=torch.randn(7, 5))
    asked = stage(1).model_copy(update={"distil": 0.5, "feature_distil": 1.0})
    whole = TrainingBatch.of(data.pixels.float(), data, torch.arange(7), 0.6, asked)
    parts = whole.pieces(3)
    assert [len(p) for p in parts] == [3, 2, 2]
    for name in ("images", "labels", "teacher", "features", "others"):
        assert torch.equal(torch.cat([getattr(p, name) for p in parts]), getattr(whole, name))
    assert {p.share for p in parts} == {0.6}


def test_it_learns_from_mixed_images() -> None:
    net, data = tiny_net(), three_colours()
    fit_stage(net, stage(10).model_copy(update={"mixup": 0.2, "cutmix": 0.5}), data, None, seed=1)
    assert accuracy(net, data, 32) > 0.9
