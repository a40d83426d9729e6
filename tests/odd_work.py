"""Every verb that computes, asked in a home of odd files: its lists, look-ups and cards are the real ones, its work is quick.

Formats, times and techniques are fakes, as in the tests of each verb. What is left is what a file can break.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import odd_files, story
from tests.fakes import fake_format
from tests.networks import saved
from udacisense import formats
from udacisense.labels import CLASSES
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import Benchmark, Checkpoint, Images, IntermediateReader, ModelFile, SelfTest, Subject

CHECKPOINT = "models/baseline_mobilenet/checkpoints/model.pth"
NETWORK, PIPELINE, IMAGE, PROTOCOL = "models/net/net.pth", "pipeline.toml", "images/test/bed/0.png", "quick"
BY_ID, DRIFTING, OUT = "<checkpoint>", "<drifting>", "<out>"
FAITHFUL = "<faithful>"
WORK: tuple[tuple[str, ...], ...] = (
    ("train", "--recipe", "quick"), ("train", "--recipe", "none"),
    ("compress", "--pipeline", PIPELINE, "--protocol", PROTOCOL), ("compress", "--table"),
    ("compress", "--pipeline", "pipeline_03"),
    ("convert", CHECKPOINT, "--format", "fake"), ("convert", BY_ID, "--format", "all", "--precision", "all"),
    ("inspect", FAITHFUL), ("inspect", DRIFTING, "--json"),
    ("package", FAITHFUL, "--out", OUT),
    ("classify", IMAGE, "--with", CHECKPOINT), ("classify", IMAGE, "--with", FAITHFUL, "--json"),
    ("evaluate", BY_ID), ("evaluate", DRIFTING, "--json"), ("evaluate", FAITHFUL, "--fresh"),
    ("verify", DRIFTING), ("verify", "all", "--json"),
    ("locate", DRIFTING), ("locate", FAITHFUL, "--against", BY_ID),
    ("benchmark", CHECKPOINT, DRIFTING, "--protocol", PROTOCOL, "--against", "first"),
    ("selftest",), ("tag", "second"), ("tag", "third", "first"),
    ("ready", FAITHFUL), ("report", DRIFTING, "--format", "html"), ("history", "first", "--json"), ("card", BY_ID),
    ("add", CHECKPOINT, "--classes", "cat,dog", "--input", "96", "--mean", "0.5", "--std", "0.5"),
    ("run", "--protocol", PROTOCOL, "--json"),
)  # fmt: skip
"""How each is asked; places in the home are told by what they begin with."""


def furnish(home: Path) -> None:
    """Add what work needs beside the records: images to see, a network to compress, a pipeline for it."""
    rng = np.random.default_rng(0)
    for split, name, number in ((s, n, i) for s in ("train", "test") for n in CLASSES for i in range(2)):
        path = home / "images" / split / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)
    saved(home / NETWORK)
    step = '[[step]]\nname = "a"\ntechnique = "prune-weights"\nsparsity = 0.1\n'
    (home / PIPELINE).write_text(f'name = "odd"\nstart = "{home / NETWORK}"\nvalidation_per_class = 1\n{step}')


def quick(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Put fakes where minutes would go by, and the images above for those of the machine."""
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(home / "images"))
    settings.cache_clear()
    for name in ("torchscript", "torchscript-lite"):
        monkeypatch.setitem(formats.FORMATS, name, fake_format(name))
    for name, fmt in tuple(formats.FORMATS.items()):
        monkeypatch.setitem(formats.FORMATS, name, replace(fmt, intermediates=f"{__name__}:shown"))
    for place, attribute, instead in (
        ("udacisense.benchmark.run", "benchmark", _timed),
        ("udacisense.benchmark.aa_test", "selftest", _tested),
        ("udacisense.compression.pipeline", "apply", _changed),
        ("udacisense.compression.pipeline", "accuracy", lambda *_: 0.5),
        ("udacisense.training.train", "_run_stages", lambda *_: (_network(), [], "random")),
        ("udacisense.verify.localise", "reference_values", lambda _checkpoint, images: _inside(images)),
    ):
        monkeypatch.setattr(import_module(place), attribute, instead)


def shown(_file: ModelFile) -> IntermediateReader:
    """A reader of inner values that are those of the fake network."""
    return lambda image: _inside(image).items()


def _timed(subjects: Sequence[Subject], protocol: Any, **_: object) -> tuple[Benchmark, ...]:
    run_id, made = store.new_id("run"), []
    for place, subject in enumerate(subjects):
        record = story.benchmark(subject, "fake", 0.005 + place / 1000, np.random.default_rng(place))
        told = {"name": protocol.name}
        made.append(replace(record, id=store.new_id(f"bench-{subject.id}"), run_id=run_id, protocol=told))
        store.save(made[-1])
    return tuple(made)


def _tested(subject: Subject, **_: object) -> SelfTest:
    from udacisense.provenance import here

    return SelfTest("selftest-2", subject.id, subject.sha256, {"name": "quick"}, (), 3.0, True, here("python -m udacisense"))


def _changed(step: Any, network: Any, work: Any) -> Any:
    from udacisense.compression.work import Outcome

    network.model.classifier[3].bias.data.add_(step.sparsity)
    return Outcome(network, notes={})


def _network() -> Any:
    from udacisense.models.network import MobileNetV3_Household

    return MobileNetV3_Household()


def _inside(images: Images) -> dict[str, np.ndarray]:
    flat = images.reshape(len(images), -1)[:, :64].astype(np.float32)
    return {f"features.{place}": (flat + place).reshape(len(images), 4, 4, 4) for place in range(3)}


# --- asking ---------------------------------------------------------------------------------------------------------------


def asked_verbs() -> set[str]:
    """The verbs that this file and `odd_files` ask."""
    return {argv[0] for argv in (*odd_files.VERBS, *WORK)}


def ask(ids: dict[str, str]) -> dict[str, tuple[int, str]]:
    """What came of every verb that computes: its code and its words."""
    return {" ".join(argv): odd_files.verb(*(_placed(word, ids) for word in argv)) for argv in WORK}


def traces_of_work(ids: dict[str, str]) -> list[str]:
    """What went wrong in a way that nobody foresaw."""
    return [
        f"{asked} ended with {code}:\n{said[-3000:]}"
        for asked, (code, said) in ask(ids).items()
        if code not in range(4) or "Traceback" in said or "nobody foresaw" in said
    ]


def refused(ids: dict[str, str]) -> set[str]:
    """The verbs that did no work."""
    return {asked.partition(" ")[0] for asked, (code, _) in ask(ids).items() if code == 3}


def names(home: Path) -> dict[str, str]:
    """The ids that the sound home gives to its files."""
    from udacisense.artifacts import list_artifacts
    from udacisense.models.checkpoint import find_checkpoint

    checkpoint: Checkpoint = find_checkpoint(home / CHECKPOINT)
    files = {a.format: a.id for a in list_artifacts().records}
    return {BY_ID: checkpoint.id, FAITHFUL: files["torchscript"], DRIFTING: files["torchscript-lite"], OUT: str(home / "out")}


def _placed(word: str, ids: dict[str, str]) -> str:
    if word in ids:
        return ids[word]
    return str(settings().home / word) if word in (CHECKPOINT, NETWORK, PIPELINE, IMAGE) else word
