"""A store in which everything that can carry text carries markup: names, ids, messages, reasons, titles, labels, logs.

It is told by the same stories as the other tests; then every string in its files that no record checks is replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from tests.compression import stories
from tests.fakes import fake_artifact, fake_checkpoint, fake_ref, made
from tests.story import tell
from udacisense.jobs.processes import Process
from udacisense.labels import CLASSES
from udacisense.records import store
from udacisense.types import (
    Checkpoint,
    Compression,
    FailedConversion,
    FailedStep,
    LayerGap,
    Localisation,
    RecipeTrial,
    Unfinished,
)

HOST = "evil.invalid"
NAME = f"![p](http:{HOST}) <img src=x onerror=alert(1)> :red[r] :smile: $x$ **b** www.{HOST}"
"""What a file or folder can be called."""
TEXT = (
    f"![p](http://{HOST}/p.png) [l](http://{HOST}/l) <http://{HOST}/k> http://{HOST}/u www.{HOST}/w a@{HOST} "
    f"<img src=http://{HOST}/i.png> <a href='http://{HOST}/a'>h</a> <script>alert(1)</script> <b>b</b> "
    ":red[r] :small[s] :smile: :material/home: :streamlit: $x$ **b** ~~d~~ %{x} # h | t | &lt;"
)
BARE = (
    "![p]", "](http", "[l]", "<img", "<a href", "<script", "<http", "<b>", f"http://{HOST}", f"www.{HOST}", f"a@{HOST}",
    ":red[r]", ":small[s]", ":smile:", ":material/home:", ":streamlit:", "$x$", "**b**", "~~d~~", "| t |", "&lt;",
)  # fmt: skip
"""What no renderer of Markdown may be given."""

IDS = {"id", "checkpoint_id", "subject_id", "artifact_id", "run_id", "pipeline", "parent_id", "start_id", "baseline_id"}
CHECKED = {
    "kind", "sha256", "checkpoint_sha256", "artifact_sha256", "subject_sha256", "parent_sha256", "start_sha256",
    "rules_sha256", "source", "split", "precision", "verdict", "status", "mode", "method", "format", "path",
    "predictions_path", "created", "interpolation", "trained_on", "trained_on_images", "rule", "image", "data",
}  # fmt: skip
"""Fields that have a form of their own, or that name a file that must be found."""


def tell_hostile(home: Path) -> None:
    """Write the store below `home`, which must be the home of the current settings; see `surroundings` for the rest."""
    story = tell(home)
    _compress(story.checkpoint)
    second = fake_checkpoint(home / "models" / NAME / f"{NAME}.pth", technique="second", seed=5)
    fake_artifact(home / "models" / "mobile", second, "onnx", f"{NAME}.onnx")
    fake_artifact(home / "models" / "mobile", story.checkpoint, "nonsuch", f"{NAME}.bin")
    a, c = story.faithful, story.checkpoint
    gaps = tuple(LayerGap(f"features.{i}", "value", (8, 2, 2), 30.0 - i, 0.1) for i in range(3))
    for record in (
        FailedConversion("failed-1", c.id, "onnx", "int8", "static", "lowering", "no luck", "log", made()),
        Localisation("l-1", a.id, a.sha256, c.id, c.sha256, fake_ref(10), 10, "values", gaps, gaps[:1],
                     "features.1", "step", "why", made(), ("mind this",)),
        Unfinished("u-1", "run-x", a.id, a.sha256, 1, 1, 0, 10, ((0.1,),), (1,), "stopped", made()),
    ):  # fmt: skip
        store.save(record)
    _add_ladder(home, a.id)
    _poison(home)
    (home / "results" / "benchmark" / f"{NAME} damaged.json").write_text("{", encoding="utf-8")
    (home / "results" / "tags.json").write_text(json.dumps({TEXT: f"{NAME} run-20260102T030405-abcdef"}), encoding="utf-8")


def _compress(start: Checkpoint) -> None:
    """A pipeline whose first step is done and whose second failed."""
    step = stories.step(start, 1, (start.id, start.sha256))
    failed = (FailedStep(2, stories.NAMES[1], "prune-weights", "no luck"),)
    run = ("compression-1", step.pipeline, step.mode, stories.NAMES, start.id, start.sha256, (step.id,), failed, made())
    store.save(step)
    store.save(Compression(*run))


def _add_ladder(home: Path, artifact_id: str) -> None:
    path = home / "models" / "mobile" / artifact_id / "artifact.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    plain["record"]["recipe"]["recipe"] = "b"
    rungs = [
        RecipeTrial(n, "does", 4_000_000, 0.9 + i / 100, 0.8, 0.8, 0.01, 0.02, n == "b", "passed") for i, n in enumerate("ab")
    ]
    plain["record"]["ladder"] = [asdict(r) for r in rungs]
    path.write_text(json.dumps(plain), encoding="utf-8")


# --- markup for text ----------------------------------------------------------------------------------------------------


def _poison(home: Path) -> None:
    files = [*(home / "results").glob("*/*.json"), *(home / "models").rglob("*.json")]
    texts = {path: json.loads(path.read_text(encoding="utf-8")) for path in files}
    ids = {i for plain in texts.values() for i in _ids(plain)}
    for path, plain in texts.items():
        changed = _changed(plain, ids)
        if path.name.endswith(".card.json"):
            changed["training"] |= {"pipeline": TEXT, "device": TEXT, "recipe": _recipe()}
            changed["summary"] = _summary()
        path.write_text(json.dumps(changed), encoding="utf-8")
        if path.name == "artifact.json":
            path.parent.rename(path.parent.with_name(changed["record"]["id"]))
        elif not path.name.endswith(".card.json"):
            path.rename(path.with_name(f"{changed['record']['id']}.json"))


def _ids(plain: Any) -> set[str]:
    if isinstance(plain, dict):
        own = {v for k, v in plain.items() if k in IDS and isinstance(v, str)}
        return own.union(*(_ids(v) for v in plain.values()))
    return set().union(*map(_ids, plain)) if isinstance(plain, list) else set()


def _changed(plain: Any, ids: set[str], key: str = "") -> Any:
    if isinstance(plain, dict):
        hostile_keys = key == "versions"
        return {(f"{TEXT} {k}" if hostile_keys else k): _changed(v, ids, k) for k, v in plain.items()}
    if isinstance(plain, list):
        return [_changed(v, ids, key) for v in plain]
    if not isinstance(plain, str) or key in CHECKED:
        return plain
    return f"{NAME} {plain}" if plain in ids else f"{TEXT} {plain}"


def _recipe() -> dict[str, object]:
    stage = {"name": TEXT, "data": TEXT, "input_px": 32, "epochs": 1, "batch": 8, "lr": TEXT}
    return {"name": TEXT, "seed": 42, "remark": TEXT, "teacher": TEXT, "stage": [stage]}


def _summary() -> dict[str, object]:
    layer = {"name": TEXT, "kind": TEXT, "output_shape": [8, 2, 2], "parameters": 9, "macs": 9, "sparsity": 0.25}
    return {"layers": [layer], "parameters": 9, "macs": 9, "size_bytes": 9, "is_quantized": False, "sparsity": 0.25}


# --- what lies around the store -----------------------------------------------------------------------------------------


def surroundings(home: Path) -> dict[str, str]:
    """Rules, images and jobs with the same texts; returns the settings that name them."""
    rules = home / "rules.toml"
    rules.write_text(
        f"[latency]\ntitle = {json.dumps(TEXT)}\nmeasure = 'latency'\nbound = 'below'\nlimit = 200.0\n"
        f"unit = {json.dumps(TEXT)}\n",
        encoding="utf-8",
    )
    for verb in ("convert", "verify", "benchmark", "evaluate", "locate", "train", "compress", "data"):
        _job(home, verb, "failed")
    _job(home, "ready", "cancelled")
    _job(home, "run", None)
    return {"UDACISENSE_RULES_FILE": str(rules), "UDACISENSE_DATA_DIR": str(_images(home / NAME))}


def _job(home: Path, verb: str, state: str | None) -> None:
    """A job that ended, or for None one that runs as long as the test does."""
    folder = home / ".udacisense" / "jobs" / f"{NAME} {verb}"
    folder.mkdir(parents=True)
    asked = {"title": TEXT, "argv": [verb, TEXT], "created": "2026-01-02T03:04:05+00:00"}
    (folder / "job.json").write_text(json.dumps(asked), encoding="utf-8")
    (folder / "log.txt").write_text(f"{TEXT}\n```\n{TEXT}\n", encoding="utf-8")
    (folder / "progress.jsonl").write_text(json.dumps({"fraction": 0.5, "stage": TEXT}) + "\n", encoding="utf-8")
    own = asdict(Process.of(os.getpid()))
    (folder / "watcher.json").write_text(json.dumps(own), encoding="utf-8")
    (folder / "child.json").write_text(json.dumps(own | {"started": "2026-01-02T03:04:06+00:00"}), encoding="utf-8")
    if state is not None:
        end = {"state": state, "error": TEXT, "ended": "2026-01-02T03:04:07+00:00"}
        (folder / "end.json").write_text(json.dumps(end), encoding="utf-8")


def _images(root: Path) -> Path:
    """Four images a class, a folder that is no class, a file that is no image, and one image twice."""
    for number, name in enumerate(CLASSES):
        for split, many in (("train", 2), ("test", 2)):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(many):
                shade = hashlib.sha256(f"{number} {split} {i}".encode()).digest()
                Image.new("RGB", (32, 32), tuple(shade[:3])).save(folder / f"{NAME} {i}.png")
    bed = root / "train" / CLASSES[5]
    (bed / f"{NAME} again.png").write_bytes((bed / f"{NAME} 0.png").read_bytes())
    (bed / f"{NAME} broken.png").write_text("no image", encoding="utf-8")
    (root / "train" / NAME).mkdir()
    Image.new("RGB", (32, 32)).save(root / "train" / NAME / f"{NAME}.png")
    return root
