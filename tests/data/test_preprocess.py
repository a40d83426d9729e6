from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.data.conftest import noise
from udacisense.data.preprocess import batches, preprocess, resize
from udacisense.data.sources import load_dataset
from udacisense.errors import DataError
from udacisense.labels import IMAGENET_MEAN, IMAGENET_STD, INPUT_PX
from udacisense.types import Pixels, Preprocessing
from udacisense.vision import torchvision


def hundred_odd_sizes() -> list[Pixels]:
    """Noise, the hardest case, in sizes below, at and above the network's input."""
    rng = np.random.default_rng(0)
    return [noise(i, int(rng.integers(1, 320)), int(rng.integers(1, 320))) for i in range(99)] + [noise(99, *INPUT_PX)]


def test_equals_torchvision_on_pil_images_over_200_images(home: object) -> None:
    """100 images of the default source (real ones where they are), then 100 made-up ones of odd sizes."""
    transforms = torchvision().transforms
    bicubic = transforms.InterpolationMode.BICUBIC
    reference = transforms.Compose([transforms.Resize(INPUT_PX, bicubic), transforms.ToTensor()])
    images = [*load_dataset("train").images[:100], *hundred_odd_sizes()]
    assert len(images) == 200
    mean, std = np.array(IMAGENET_MEAN)[:, None, None], np.array(IMAGENET_STD)[:, None, None]
    for image in images:
        wanted = reference(Image.fromarray(image)).numpy()
        found = preprocess([image])[0]
        assert np.abs(found * std + mean - wanted).max() < 1e-6  # far inside 1/255: the same pixels, rounded alike
        np.testing.assert_allclose(found, (wanted - mean) / std, atol=2e-6)


def test_takes_an_array_and_gives_contiguous_float32() -> None:
    stack = np.stack([noise(1), noise(2)])
    found = preprocess(stack)
    assert found.shape == (2, 3, *INPUT_PX)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, preprocess(list(stack)))


def test_another_size_mean_and_std() -> None:
    found = preprocess([np.full((5, 7, 3), 255, np.uint8)], Preprocessing((4, 6), mean=(0.5, 0.5, 0.0), std=(0.5, 0.25, 1.0)))
    assert found.shape == (1, 3, 4, 6)
    np.testing.assert_allclose(found[0, :, 0, 0], (1.0, 2.0, 1.0), rtol=1e-6)


def test_no_image_gives_no_image() -> None:
    assert preprocess([]).shape == (0, 3, *INPUT_PX)


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_image_is_refused(wrong: Pixels) -> None:
    with pytest.raises(DataError, match=r"uint8 \(H, W, 3\).*Decode it"):
        preprocess([wrong])


def test_what_the_network_sees_is_pils_bicubic() -> None:
    image = noise(3, 20, 50)
    wanted = np.asarray(Image.fromarray(image).resize((60, 40), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize(image, (40, 60)), wanted)


def test_batches_cover_the_dataset_in_order(sample_home: object) -> None:
    data = load_dataset("test", "sample")
    found = list(batches(data, 7))
    assert [len(labels) for _, labels in found] == [7] * 22 + [6]
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in found]), data.labels)
    np.testing.assert_array_equal(np.concatenate([images for images, _ in found]), preprocess(data.images))


def test_a_batch_of_nothing_is_refused(sample_home: object) -> None:
    with pytest.raises(DataError, match="at least one image, got a size of 0"):
        next(batches(load_dataset("test", "sample"), 0))


def test_reading_and_preprocessing_need_no_torch(sample_home: object) -> None:
    code = (
        "import sys; from udacisense.data import download, health, preprocess, pretraining, sources\n"
        "data = sources.load_dataset('test', 'sample'); preprocess.preprocess(data.images); health.check_health('sample')\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'torchvision', 'pandas', 'matplotlib', 'streamlit')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
