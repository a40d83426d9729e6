"""A package: everything in it, the same each time, and code that prepares an image as training did."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.fakes import fixed_logits
from tests.packaging.conftest import IMAGES
from tests.story import Story
from udacisense import verbs
from udacisense.data.preprocess import preprocess, resize
from udacisense.errors import FormatError, NotFoundError, StoreError
from udacisense.labels import CLASSES
from udacisense.packaging import build as building
from udacisense.packaging.contents import app_code_of, check_names, code, packed_formats
from udacisense.records import queries
from udacisense.settings import settings
from udacisense.types import Artifact


def unpacked(artifact: Artifact, folder: Path) -> Path:
    return verbs.package(artifact.id, folder).path


def test_a_package_holds_all_that_an_app_needs(artifact: Artifact, tmp_path: Path) -> None:
    place = unpacked(artifact, tmp_path / "out")
    assert place == tmp_path / "out" / artifact.id
    names = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
    platform_files = {name for platform in app_code_of(artifact).platforms for name in platform.places}
    assert names >= platform_files | {
        artifact.path.name, "README.md", "REPORT.md", "LICENSE", "labels.txt", "preprocessing.json", "metrics.json",
        "record.json", "selftest.py", "golden/golden.json", "golden/golden.npz", "golden/0-clock.png",
        "golden/1-television.png", "golden/2-wardrobe.png", "golden/resize-0.png", "golden/resized-1.png",
    }  # fmt: skip
    assert (place / artifact.path.name).read_bytes() == artifact.path.read_bytes()
    assert (place / "labels.txt").read_text(encoding="utf-8").split() == list(CLASSES)
    texts = [
        p.read_text(encoding="utf-8") for p in place.rglob("*") if p.suffix in (".md", ".kt", ".swift", ".js", ".html", ".py")
    ]
    readme = (place / "README.md").read_text(encoding="utf-8")
    assert readme.count(r"optimized\_model\_mobile.ptl is fp32 of torchscript. Why. What to do.") == 1
    assert not [found for text in texts for found in re.findall(r"\{\{\w+\}\}", text)], "a template was not filled"


def test_the_golden_images_are_the_pixels_and_the_files_own_answers(artifact: Artifact, tmp_path: Path) -> None:
    place = unpacked(artifact, tmp_path)
    with np.load(place / "golden" / "golden.npz") as held:
        np.testing.assert_array_equal(held["pictures"], IMAGES)
        np.testing.assert_allclose(held["images"], preprocess(IMAGES), atol=1e-6)
        np.testing.assert_allclose(held["logits"], fixed_logits(preprocess(IMAGES), shift=0.1))
        np.testing.assert_allclose(held["checkpoint_logits"], fixed_logits(preprocess(IMAGES)))
    told = json.loads((place / "golden" / "golden.json").read_text(encoding="utf-8"))
    assert [p["label"] for p in told["pictures"]] == ["clock", "television", "wardrobe"]
    assert 0 < told["tolerance"] < 0.01 * np.ptp([p["logits"] for p in told["pictures"]])
    assert told["model_sha256"] == artifact.sha256


def test_golden_images_that_were_never_written_are_made_anew(artifact: Artifact, tmp_path: Path) -> None:
    (artifact.path.parent / "golden.npz").unlink()
    told = json.loads((unpacked(artifact, tmp_path) / "golden" / "golden.json").read_text(encoding="utf-8"))
    assert [p["label"] for p in told["pictures"]] == list(CLASSES), "one of the sample pack for each class"


def test_the_resize_is_tested_in_both_directions(artifact: Artifact, tmp_path: Path) -> None:
    golden = unpacked(artifact, tmp_path) / "golden"
    told = json.loads((golden / "golden.json").read_text(encoding="utf-8"))
    sizes = []
    for pair in told["resize"]:
        given, wanted = (np.asarray(Image.open(golden / pair[key])) for key in ("file", "expected"))
        np.testing.assert_array_equal(resize(given), wanted)
        sizes.append(given.shape[:2])
    (higher, wider), (lower, narrower) = sizes
    assert min(higher, wider) > 224 > max(lower, narrower)
    assert higher != wider


def test_metrics_name_their_records_and_leave_out_what_was_not_measured(artifact: Artifact, tmp_path: Path) -> None:
    metrics = json.loads((unpacked(artifact, tmp_path) / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["artifact"] == artifact.id
    assert metrics["sameness"]["record"].startswith("verify-")
    assert {"accuracy", "latency", "ready"} <= set(metrics)
    for path in (settings().results_dir / "verification").glob("*.json"):
        path.unlink()
    again = json.loads((unpacked(artifact, tmp_path / "again") / "metrics.json").read_text(encoding="utf-8"))
    assert {name for name in metrics if metrics[name] is not None and again[name] is None} == {"sameness"}


def test_the_same_artifact_gives_the_same_zip(artifact: Artifact, tmp_path: Path) -> None:
    one, two = (verbs.package(artifact.id, tmp_path / f"{n}.zip").path for n in "ab")
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {artifact.id}
        assert archive.testzip() is None


def test_a_package_is_kept_as_a_record_of_its_size(artifact: Artifact, tmp_path: Path) -> None:
    made = verbs.package(artifact.id, tmp_path)
    (record,) = queries.packages_of(artifact.sha256)
    written = [p for p in made.path.rglob("*") if p.is_file()]
    assert (record.id, record.files) == (made.record_id, len(written))
    assert record.size_bytes == made.size_bytes == sum(p.stat().st_size for p in written)


def test_a_package_is_made_where_no_record_can_be_kept(artifact: Artifact, tmp_path: Path) -> None:
    (settings().results_dir / "package").write_text("a file where the folder belongs")
    made = verbs.package(artifact.id, tmp_path)
    assert made.record_id is None
    assert (made.path / "README.md").exists()


def test_a_folder_that_is_there_keeps_what_is_beside_the_package(artifact: Artifact, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    unpacked(artifact, tmp_path)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_what_cannot_be_packed_is_told(artifact: Artifact, tmp_path: Path) -> None:
    (artifact.path.parent / "golden.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(NotFoundError, match=r"golden\.npz is damaged"):
        verbs.package(artifact.id, tmp_path)
    artifact.path.write_bytes(b"another file")
    with pytest.raises(StoreError, match="is not the file that its record describes"):
        verbs.package(artifact.id, tmp_path)


def test_a_format_without_code_is_refused(artifact: Artifact, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(FormatError, match="no package for torch files"):
        building.build(replace(artifact, format="torch"), tmp_path)


@pytest.mark.parametrize(
    "name", ['a"); evil(); ("', "${evil()}.ptl", "a\nb.ptl", "`x`.ptl", "<b>.ptl", "../x.ptl", "a\\.ptl", ""]
)
def test_a_name_that_would_run_or_lead_elsewhere_in_an_app_is_refused(
    artifact: Artifact, seeded_home: Story, name: str
) -> None:
    from dataclasses import replace

    of_file = replace(artifact, path=SimpleNamespace(name=name))  # type: ignore[arg-type]
    pairs = [(of_file, seeded_home.checkpoint)]
    if name:  # no record takes a class without a name
        pairs.append((artifact, replace(seeded_home.checkpoint, classes=(name, *CLASSES[1:]))))
    for pair in pairs:
        with pytest.raises(FormatError, match="cannot stand in an app's code"):
            check_names(*pair)
    check_names(artifact, replace(seeded_home.checkpoint, classes=("écran", "night table", *CLASSES[2:])))


def test_the_readme_of_a_package_shows_names_as_text(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    found = replace(artifact, made=replace(artifact.made, created="![x](http://evil.invalid/x.png)"))
    finding = SimpleNamespace(what="<img src=http://evil.invalid/y>", why="$x$", what_to_do="[z](http://evil.invalid)")
    monkeypatch.undo()
    monkeypatch.setattr(building, "inspect_file", lambda *_: SimpleNamespace(findings=[finding]))
    golden = SimpleNamespace(ran_here=True, pixels=[1])
    checkpoint = SimpleNamespace(id="a`b", classes=CLASSES, input_px=(224, 224), mean=(0.5,), std=(0.5,))
    text = building._readme(found, checkpoint, golden)  # type: ignore[arg-type]
    assert "``a`b``" in text
    assert f"`{artifact.path.name}`" in text
    assert r"!\[x\](http" in text
    assert r"- \<img src" in text
    assert "http://" not in text


# --- the code prepares images as training did --------------------------------------------------------------------------

NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="needs node")
@pytest.mark.parametrize("size", [(224, 224), (150, 301), (640, 480), (31, 47), (224, 500)])
def test_the_browsers_code_gives_pillows_pixels(size: tuple[int, int], seeded_home: Story, tmp_path: Path) -> None:
    from dataclasses import replace

    onnx = replace(seeded_home.faithful, format="onnx")
    (tmp_path / "image.mjs").write_text(code(onnx, seeded_home.checkpoint)["web/picture.js"], encoding="utf-8")
    height, width = size
    image = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    (tmp_path / "rgb.bin").write_bytes(image.tobytes())
    script = f"""
    import {{ readFileSync, writeFileSync }} from "node:fs";
    import {{ normalise, resize }} from "./image.mjs";
    const out = resize(new Uint8Array(readFileSync("rgb.bin")), {width}, {height});
    writeFileSync("resized.bin", out);
    writeFileSync("input.bin", Buffer.from(normalise(out).buffer));
    """
    (tmp_path / "run.mjs").write_text(script, encoding="utf-8")
    subprocess.run([str(NODE), "run.mjs"], cwd=tmp_path, check=True, capture_output=True)
    resized = np.frombuffer((tmp_path / "resized.bin").read_bytes(), np.uint8).reshape(224, 224, 3)
    np.testing.assert_array_equal(resized, resize(image))
    given = np.frombuffer((tmp_path / "input.bin").read_bytes(), "<f4").reshape(1, 3, 224, 224)
    np.testing.assert_allclose(given, preprocess([image]), atol=1e-6)


@pytest.mark.parametrize("format", packed_formats())
def test_the_code_of_every_format_is_whole(format: str, seeded_home: Story) -> None:
    from dataclasses import replace

    texts = code(replace(seeded_home.faithful, format=format), seeded_home.checkpoint)
    for name, text in texts.items():
        assert "{{" not in text, name
        assert text.count("{") == text.count("}"), name
        assert text.count("(") == text.count(")"), name
        if "Classifier" in name:
            assert "selftest" in text.lower()
    compile(texts["selftest.py"], "selftest.py", "exec")
    prepared = [text for name, text in texts.items() if "Picture." in name or "picture." in name]
    assert prepared
    assert all('"clock", "keyboard"' in text and "0.485" in text and "0.229" in text for text in prepared)


def test_the_self_test_tells_right_from_wrong(artifact: Artifact, tmp_path: Path) -> None:
    """With a stand-in for the runtime, which is what a test of the runtimes themselves replaces."""
    place = unpacked(artifact, tmp_path)
    text = (place / "selftest.py").read_text(encoding="utf-8")
    stand_in = (
        "def load(path):\n    from tests.fakes import fixed_logits\n"
        "    return lambda image: fixed_logits(image, shift=SHIFT)[0]\n\n\n"
    )
    start, end = text.index("def load(path)"), text.index("def main()")
    root = Path(__file__).resolve().parents[2]
    for shift, said in ((0.1, "RIGHT: 3 of 3"), (0.5, "WRONG")):
        (place / "selftest.py").write_text(text[:start] + stand_in.replace("SHIFT", str(shift)) + text[end:], encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(place / "selftest.py")],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(root)},
        )
        assert said in done.stdout, done.stderr
        assert done.returncode == (shift != 0.1)
    (place / artifact.path.name).write_bytes(b"swapped")
    done = subprocess.run([sys.executable, str(place / "selftest.py")], capture_output=True, text=True, check=False)
    assert "not the one" in done.stdout
    assert done.returncode == 1
