"""The course's names answer as its notebooks expect, and notebook 4 runs to its end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from udacisense import notebook
from udacisense.errors import CheckpointError, DataError, ExportError, NotFoundError

CELLS = Path(__file__).with_name("notebook_cells.py")
PROJECT = CELLS.parents[1]


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return notebook.MobileNetV3_Household().eval()


@pytest.fixture
def two_layers() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 10)).eval()


@pytest.mark.slow
def test_the_notebook_runs_to_its_end_and_writes_its_files(sample_home: Path, network: nn.Module) -> None:
    notebook.save_model(network, sample_home / "models" / "pipeline_03" / "final_compressed_model.pth")
    folder = sample_home / "notebooks"
    folder.mkdir()
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "MPLBACKEND": "Agg"}
    ended = subprocess.run([sys.executable, "-P", str(CELLS)], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "Optimized model loaded successfully" in ended.stdout
    assert "NEXT STEPS" in ended.stdout
    mobile = sample_home / "models" / "mobile"
    assert (mobile / "deployment_pipeline_summary.png").read_bytes().startswith(b"\x89PNG")
    metrics = json.loads((mobile / "mobile_deployment_metrics.json").read_text())
    assert metrics["consistency_check"] is True
    for name in ("optimized_model_mobile.ptl", "optimized_model_mobile_lite.ptl"):
        assert (mobile / name).stat().st_size > 5_000_000


def test_only_import_lines_of_the_cells_name_the_product() -> None:
    lines = [line for line in CELLS.read_text().splitlines() if "udacisense" in line.lower() and not line.startswith('"""')]
    assert lines
    assert all(re.match(r"from udacisense\.notebook import ", line) for line in lines)


def test_loaders_give_normalised_images_of_the_asked_size(sample_home: Path) -> None:
    train, test = notebook.get_household_loaders("CIFAR", batch_size=4, num_workers=0)
    images, labels = next(iter(test))
    assert images.shape == (4, 3, 32, 32)
    assert notebook.get_input_size("CIFAR") == (1, 3, 32, 32)
    assert notebook.get_input_size("IMAGENET") == (1, 3, 224, 224)
    assert labels.dtype == torch.int64
    assert test.dataset.classes[0] == "clock"
    again, _ = notebook.get_household_loaders("CIFAR", batch_size=4, num_workers=0)
    assert next(iter(train))[1].tolist() == next(iter(again))[1].tolist(), "shuffling is seeded"
    with pytest.raises(DataError, match="CIFAR, IMAGENET"):
        notebook.get_household_loaders("HUGE")


def test_stats_and_images_of_a_loader(
    sample_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib import pyplot

    _, test = notebook.get_household_loaders("CIFAR", batch_size=8, num_workers=0)
    notebook.print_dataloader_stats(test, "Test set")
    out = capsys.readouterr().out
    assert out.startswith(f"Test set: {len(test.dataset)} images in {len(test)} batches")
    assert "wardrobe: 16" in out
    pyplot.switch_backend("Agg")
    shown: list[int] = []
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(len(pyplot.gcf().axes)))
    notebook.visualize_batch(test, num_images=6)
    pyplot.close("all")
    assert shown == [6]


def test_a_saved_model_loads_as_it_was(home: Path, network: nn.Module) -> None:
    path = notebook.save_model(network, home / "models" / "mine" / "model.pth")
    loaded = notebook.load_model(path, model_class=notebook.MobileNetV3_Household, num_classes=10)
    images = torch.randn(2, 3, 224, 224)
    assert notebook.compare_model_outputs(network, loaded, images)["max_difference"] == 0.0
    bare = home / "models" / "bare.pth"
    torch.save(network.state_dict(), bare)  # of the course: without a card, and the class that is asked for says what it is
    assert notebook.compare_model_outputs(network, notebook.load_model(bare), images)["max_difference"] == 0.0
    with pytest.raises(NotFoundError):
        notebook.load_model(home / "nothing.pth")
    with pytest.raises(DataError, match="with 7"):
        notebook.load_model(path, num_classes=7)
    path.write_bytes(b"no weights")
    with pytest.raises(CheckpointError):
        notebook.load_model(path)


def test_what_a_model_is_made_of(network: nn.Module, two_layers: nn.Module, capsys: pytest.CaptureFixture[str]) -> None:
    assert notebook.get_model_size(network) == pytest.approx(5.96, abs=0.02)
    notebook.print_model_summary(network)
    assert "Parameters: 1,528,106" in capsys.readouterr().out
    assert not notebook.is_quantized(network)
    with torch.no_grad():
        two_layers[1].weight.zero_()
    assert notebook.calculate_sparsity(two_layers) == pytest.approx(100 * 96 / (96 + 80))


def test_accuracy_counts_first_and_fifth_places() -> None:
    class Fixed(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.arange(10.0, 0.0, -1.0).expand(len(images), 10)

    batch = (torch.zeros(4, 3, 8, 8), torch.tensor([0, 4, 5, 0]))
    assert notebook.evaluate_accuracy(Fixed(), [batch]) == {"top1_acc": 50.0, "top5_acc": 75.0}
    with pytest.raises(DataError, match="no images"):
        notebook.evaluate_accuracy(Fixed(), [])


def test_time_is_measured_after_the_warm_up() -> None:
    class Counting(nn.Module):
        runs = 0

        def forward(self, images: Tensor) -> Tensor:
            self.runs += 1
            return images

    model = Counting()
    timing = notebook.measure_inference_time(model, (2, 3, 8, 8), num_runs=5, num_warmup=3)["cpu"]
    assert model.runs == 8
    assert timing["avg_time_ms"] == pytest.approx(timing["total_time_ms"] / 5)
    assert timing["fps"] == pytest.approx(2 * 1000 / timing["avg_time_ms"])


def test_a_converted_model_answers_alike(two_layers: nn.Module, tmp_path: Path) -> None:
    plain = notebook.convert_model_for_mobile(two_layers, (1, 3, 2, 2), mobile_optimize=False)
    mobile = notebook.convert_model_for_mobile(two_layers, (1, 3, 2, 2))
    for module in (plain, mobile):
        compared = notebook.compare_model_outputs(two_layers, module, torch.randn(4, 3, 2, 2))
        assert compared["outputs_match"] is True
        assert compared["predictions_match"] is True
    file = tmp_path / "model.ptl"
    file.write_bytes(b"x" * 1024 * 1024)
    assert notebook.get_mobile_model_size(file) == 1.0


def test_models_that_differ_are_told_apart(two_layers: nn.Module) -> None:
    other = nn.Sequential(nn.Flatten(), nn.Linear(12, 10)).eval()
    compared = notebook.compare_model_outputs(two_layers, other, torch.randn(64, 3, 2, 2))
    assert compared["outputs_match"] is False
    assert compared["predictions_match"] is False
    assert compared["max_difference"] > compared["mean_difference"] > compared["tolerance_used"]


def test_what_cannot_be_converted_is_told() -> None:
    class Restless(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images * torch.rand(1, generator=torch.Generator().manual_seed(id(images) % 97))

    with pytest.raises(ExportError, match="could not be converted"):
        notebook.convert_model_for_mobile(Restless())
