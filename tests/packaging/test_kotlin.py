"""The Kotlin code of the packages, compiled against the signatures that it calls, and run on a JVM.

It needs a JDK and a Kotlin compiler: `kotlinc` on the path, or KOTLINC naming it. Without them it is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.story import Story
from udacisense import verbs
from udacisense.data.preprocess import preprocess
from udacisense.packaging.contents import code
from udacisense.types import Artifact

KOTLINC = os.environ.get("KOTLINC") or shutil.which("kotlinc")
STUBS = Path(__file__).parent / "stubs"
ANDROID = ("executorch", "litert", "onnx", "torchscript-lite")
Run = Callable[[str, Path, Path], list[str]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (KOTLINC and shutil.which("javac")), reason="needs kotlinc and a JDK"),
]


def compiled(seeded_home: Story, out: Path) -> Run:
    """Every classifier in one program; returns what runs it."""
    sources = out / "src"
    shutil.copytree(STUBS, sources)
    for format in ANDROID:
        for place, text in code(replace(seeded_home.faithful, format=format), seeded_home.checkpoint).items():
            if place.endswith(".kt"):
                (sources / Path(place).name).write_text(text, encoding="utf-8")
    java, kotlin = (sorted(map(str, sources.rglob(kind))) for kind in ("*.java", "*.kt"))
    subprocess.run(["javac", "-d", str(out / "java"), *java], check=True, capture_output=True)
    jar = out / "kotlin.jar"
    said = subprocess.run(
        [str(KOTLINC), "-Werror", "-d", str(jar), "-include-runtime", *kotlin, *java],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr

    def run(format: str, assets: Path, scratch: Path) -> list[str]:
        scratch.mkdir()
        command = ["java", "-cp", f"{jar}:{out / 'java'}", "udacisense.MainKt", format, str(assets), str(scratch)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    return run


def test_it_compiles_and_tells_right_from_wrong(artifact: Artifact, seeded_home: Story, tmp_path: Path) -> None:
    package = verbs.package(artifact.id, tmp_path / "package").path
    run = compiled(seeded_home, tmp_path)
    for format in ANDROID:
        right, wrong = run(format, package, tmp_path / format)
        assert right == "passed"
        assert wrong.startswith("0-clock.png: the logits differ by")
    given = np.frombuffer((tmp_path / "onnx" / "input.bin").read_bytes(), "<f4").reshape(1, 3, 224, 224)
    image = np.asarray(Image.open(package / "golden" / "resize-0.png"))
    np.testing.assert_allclose(given, preprocess([image]), atol=1e-6)
    shutil.copy(package / "golden" / "resized-1.png", package / "golden" / "resized-0.png")
    right, _ = run("onnx", package, tmp_path / "resized")
    assert right.startswith("resize-0.png: resized pixels differ by"), "a wrong resize is told"
