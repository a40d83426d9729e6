"""The evidence on real files, in real runtimes: one checkpoint, its TorchScript file, every verb of proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import fake_dataset
from udacisense.benchmark.protocol import get_protocol
from udacisense.benchmark.run import benchmark
from udacisense.conversion.convert import convert
from udacisense.data.preprocess import preprocess
from udacisense.evaluation.evaluate import evaluate
from udacisense.evaluation.predictions import load_predictions
from udacisense.models.checkpoint import BASELINE
from udacisense.models.writing import save_checkpoint
from udacisense.readiness.judge import judge
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import Benchmark, Checkpoint
from udacisense.verify import verify

pytestmark = pytest.mark.slow

SHORT = get_protocol("quick").model_copy(
    update={"starts": 2, "shared_starts": 1, "rounds": 3, "block_s": 0.05, "min_runs": 20, "min_s": 0.2, "warmup_max_s": 0.5}
)


@pytest.fixture
def checkpoint(home: Path) -> Checkpoint:
    """An untrained baseline whose batch norms have seen images, so that its answers differ from image to image."""
    import torch

    from udacisense.models.network import MobileNetV3_Household

    torch.manual_seed(0)
    network = MobileNetV3_Household()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # the plain average of all batches
    with torch.no_grad():
        for seed in range(4):
            network.train()(torch.from_numpy(preprocess(fake_dataset(16, seed=seed).images)))
    place = settings().models_dir / BASELINE
    return save_checkpoint(
        network, place, technique="baseline", parent_id=None, trained_hashes=("0" * 16,), training={"curves": []}
    )


def test_from_checkpoint_to_verdict(checkpoint: Checkpoint) -> None:
    data = fake_dataset(40)
    artifact = convert(checkpoint, "torchscript")
    before, after = evaluate(checkpoint, data), evaluate(artifact, data)
    assert load_predictions(before).logits.std(axis=0).max() > 1e-3  # a network that answers anything at all
    assert before.overlap_images == after.overlap_images == 0

    proof = verify(artifact, data)
    assert proof.verdict == "same", proof.reason
    assert proof.max_abs_diff < 1e-3
    assert proof.agreement == 1.0

    old, new = benchmark([checkpoint, artifact], SHORT)
    assert (old.runtime, new.runtime) == ("torch", "torch.jit")
    for record in (old, new):
        assert record.import_s is not None
        assert record.import_s > record.load_s  # torch takes longer to import than a small file to load
        assert record.peak_rss_bytes is not None
        assert record.rss_before_bytes is not None
        assert record.peak_rss_bytes > record.rss_before_bytes > 50 * 2**20
    assert len(store.records(Benchmark).records) == 2

    judged = {v.rule: v for v in judge(artifact).verdicts}
    assert judged["same_model"].status == "pass"
    assert judged["latency"].status == "pass" or "quality D" in judged["latency"].reason  # on a busy machine
    assert judged["smaller_than_baseline"].status == "fail"
    assert judged["faster_than_baseline"].measured is not None
    assert judged["accuracy_kept"].measured == 0
