"""The loop learns, repeats itself, and goes on after a kill as if nothing had happened."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from udacisense.data.preprocess import preprocess
from udacisense.errors import RecipeError, StoreError
from udacisense.labels import IMAGENET_MEAN, IMAGENET_STD
from udacisense.training import fit
from udacisense.training.augment import cubic_weights, random_view, resize
from udacisense.training.fit import Curve, TrainingImages, accuracy, fit_stage, one_cycle
from udacisense.training.recipe import TrainingStage

CPU = torch.device("cpu")


def tiny_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(8, 3),
    )


def three_colours(count: int = 60) -> TrainingImages:
    """Images that are mostly red, green or blue: a task that a tiny network learns at once."""
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 3
    images = rng.integers(0, 90, (count, 16, 16, 3), dtype=np.uint8)
    images[np.arange(count), :, :, labels] += 120
    return TrainingImages.of(images, labels.astype(np.int64), CPU)


def stage(epochs: int = 4) -> TrainingStage:
    return TrainingStage(name="tiny", data="household", input_px=32, epochs=epochs, batch=16, lr=0.02, ema_decay=0.5)


def weights(net: nn.Module) -> torch.Tensor:
    return torch.cat([v.double().flatten() for v in net.state_dict().values()])


def test_it_learns_a_task_that_can_be_learnt() -> None:
    net, data = tiny_net(), three_colours()
    assert accuracy(net, data, 32) < 0.7
    curves = fit_stage(net, stage(8), data, data, seed=1)
    assert curves[-1].train_loss < curves[0].train_loss
    assert accuracy(net, data, 32) > 0.95
    assert curves[-1].validation_top1 == pytest.approx(accuracy(net, data, 32))


def test_a_killed_run_goes_on_with_the_same_result(tmp_path: Path) -> None:
    whole = tiny_net()
    fit_stage(whole, stage(), three_colours(), None, seed=7)

    def die_after_two(curve: Curve) -> None:
        if curve.epoch == 3:
            raise KeyboardInterrupt

    state = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        fit_stage(tiny_net(), stage(), three_colours(), None, seed=7, state_path=state, on_epoch=die_after_two)
    resumed = tiny_net()
    curves = fit_stage(resumed, stage(), three_colours(), None, seed=7, state_path=state)
    assert [c.epoch for c in curves] == [1, 2, 3, 4]
    assert torch.equal(weights(whole), weights(resumed))


@pytest.mark.parametrize("damage", [b"not a state", b"", b"PK\x03\x04 half a zip"], ids=["text", "empty", "truncated"])
def test_a_damaged_state_file_is_told_and_kept(tmp_path: Path, damage: bytes) -> None:
    state = tmp_path / "state.pt"
    state.write_bytes(damage)
    with pytest.raises(StoreError, match="Delete it to start afresh"):
        fit_stage(tiny_net(), stage(), three_colours(), None, seed=7, state_path=state)
    assert state.read_bytes() == damage


def test_a_run_killed_at_any_step_goes_on_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, taught = tiny_net(), stage().model_copy(update={"mixup": 0.4, "cutmix": 0.5})
    unbroken = fit_stage(whole, taught, three_colours(), None, seed=7)
    monkeypatch.setattr(fit, "SAVE_EVERY_S", 0.0)

    class Dies:
        steps = 0

        def __call__(self, _: nn.Module) -> None:
            self.steps += 1
            if self.steps == 6:  # in the second epoch, two steps after what was saved last
                raise KeyboardInterrupt

    state = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        fit_stage(tiny_net(), taught, three_colours(), None, seed=7, state_path=state, after_step=Dies())
    resumed = tiny_net()
    torch.rand(5)  # whatever else drew from the global generator in between
    curves = fit_stage(resumed, taught, three_colours(), None, seed=7, state_path=state)
    assert torch.equal(weights(whole), weights(resumed))
    assert [c.train_loss for c in curves] == [c.train_loss for c in unbroken]


class Small(nn.Module):
    """A device whose memory holds so many images at a time."""

    def __init__(self, net: nn.Module, room: int) -> None:
        super().__init__()
        self.net, self.room = net, room
        self.seen: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.seen.append(len(x))
        return self.net(x)


def test_where_memory_is_short_the_batch_goes_through_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(fit, "report", lambda fraction, words: said.append(words))
    net = Small(tiny_net(), room=5)
    fit_stage(net, stage(2), three_colours(32), None, seed=1)
    assert net.seen == [4] * 16  # two epochs, two batches of 16 each, in quarters
    assert "each batch in 4 parts for want of memory" in said[-1]


def test_progress_tells_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(fit.time, "perf_counter", lambda: float(next(clock)))  # each step takes a second
    said: list[str] = []
    monkeypatch.setattr(fit, "report", lambda fraction, words: said.append(words))
    fit_stage(tiny_net(), stage(60), three_colours(32), None, seed=1)
    assert "2 min left of this stage" in said[0]
    assert "60 s left of this stage" in said[59]
    assert "0 s left of this stage" in said[-1]


def test_memory_for_not_even_two_images_is_told() -> None:
    with pytest.raises(RecipeError, match=r"ran out of memory with 2 images at a time\. Take a smaller input_px"):
        fit_stage(Small(tiny_net(), room=1), stage(1), three_colours(32), None, seed=1)


def test_a_full_disk_keeps_the_state_that_was_saved_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state.pt"
    fit_stage(tiny_net(), stage(1), three_colours(), None, seed=7, state_path=state)
    before = state.read_bytes()

    def full(*_: object) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file data/1: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(StoreError, match="Free some space"):
        fit_stage(tiny_net(), stage(2), three_colours(), None, seed=7, state_path=state)
    assert state.read_bytes() == before


def test_a_last_batch_of_one_image_is_left_out() -> None:
    net = Small(tiny_net(), room=99)
    fit_stage(net, stage(1), three_colours(17), None, seed=1)
    assert net.seen == [16]


def test_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = [one_cycle(step, 100, 0.1, 0.2) for step in range(100)]
    assert max(rates) == pytest.approx(0.1)
    assert rates.index(max(rates)) in (19, 20)
    assert all(a < b for a, b in pairwise(rates[:20]))
    assert all(a > b for a, b in pairwise(rates[20:]))
    assert rates[-1] < 0.001


def test_the_training_resize_is_the_products_preprocessing() -> None:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    reference = preprocess(list(images))
    pixels = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    ours = resize(pixels, 224).numpy()
    theirs = reference * np.array(IMAGENET_STD).reshape(1, 3, 1, 1) + np.array(IMAGENET_MEAN).reshape(1, 3, 1, 1)
    assert np.abs(ours - theirs).max() <= 1.01 / 255


def test_views_repeat_with_their_generator_and_keep_the_range() -> None:
    pixels = three_colours().pixels
    first, again, other = (
        random_view(pixels, 48, min_crop=0.6, jitter=0.3, generator=torch.Generator().manual_seed(s)) for s in (5, 5, 6)
    )
    assert first.shape == (60, 3, 48, 48)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1


def test_crops_are_what_torch_samples_from_the_plane() -> None:
    """Two products of matrices against torch's own bicubic sampling of the same places."""
    images = torch.rand(6, 3, 16, 20)
    scale, shift = torch.tensor([1, 0.6, -0.6, -1, 0.5, 0.9]), torch.tensor([0, 0.3, -0.4, 0, 0.5, 0.1])
    theta = torch.zeros(6, 2, 3)
    theta[:, 0, 0], theta[:, 0, 2], theta[:, 1, 1], theta[:, 1, 2] = scale, shift, scale.abs(), -shift
    grid = functional.affine_grid(theta, [6, 3, 48, 48], align_corners=False)
    wanted = functional.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False)
    across, down = cubic_weights(20, 48, scale, shift), cubic_weights(16, 48, scale.abs(), -shift)
    assert torch.allclose(down[:, None] @ images @ across.transpose(1, 2)[:, None], wanted, atol=1e-5)


def test_without_crop_and_jitter_a_view_is_the_image_or_its_mirror() -> None:
    pixels = three_colours(8).pixels
    view = random_view(pixels, 16, min_crop=1.0, jitter=0.0, generator=torch.Generator().manual_seed(2)) * 255
    plain = pixels.float()
    for got, want in zip(view, plain, strict=True):
        assert min(float((got - want).abs().max()), float((got - want.flip(-1)).abs().max())) < 0.01
