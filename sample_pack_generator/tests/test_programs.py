"""The programs: what they refuse, and the exit code by which a check or a person knows how it went."""

import numpy as np
import pytest
from PIL import Image

import check
import render
from check import PACK
from household import pack
from household.manifest import plans


@pytest.fixture
def renderer(monkeypatch):
    """Stands in for Mitsuba: takes note of the threads and renders nothing."""
    monkeypatch.setattr(render, "find_spec", lambda name: name)
    monkeypatch.setattr("household.tracer.use_threads", lambda count: None)


def shown(plan, change=0):
    """The pixels of a shipped image, made lighter or darker."""
    with Image.open(PACK / plan.file) as image:
        return np.clip(np.asarray(image, dtype=int) + change, 0, 255).astype(np.uint8)


@pytest.mark.usefixtures("renderer")
@pytest.mark.parametrize(("change", "code"), [(0, 0), (40, 1)])
def test_comparing_fails_where_an_image_comes_out_another(monkeypatch, capsys, change, code):
    plan = plans()[0]
    monkeypatch.setattr(pack, "picture", lambda name, seed: (shown(plan, change), {}))
    monkeypatch.setattr(pack, "TOLERANCE", 5.0)  # the shipped image is compressed once more here
    assert render.main(["--out", str(PACK), "--compare", "1"]) == code
    assert plan.file in capsys.readouterr().out


@pytest.mark.usefixtures("renderer")
def test_rendering_fails_where_the_pack_is_not_whole(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(pack, "render_pack", lambda out, only: iter(()))
    assert render.main(["--out", str(tmp_path)]) == 1
    assert "400 things are missing or wrong" in capsys.readouterr().out
    assert render.main(["--out", str(tmp_path), "--only", "lamp"]) == 0, "one class was asked for, not the pack"
    assert render.main(["--out", str(PACK)]) == 0


def test_without_the_renderer_the_way_out_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(render, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        render.main(["--out", str(tmp_path)])
    assert "pip install -r requirements.txt" in capsys.readouterr().err


@pytest.mark.usefixtures("renderer")
def test_comparing_needs_a_pack(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        render.main(["--out", str(tmp_path), "--compare", "6"])
    assert "no pack to compare with" in capsys.readouterr().err


def test_the_quick_check_needs_no_renderer_and_no_type_checker():
    quick, whole = (str(check.checks(quick)) for quick in (True, False))
    assert "render.py" in whole
    assert "mypy" in whole
    assert "render.py" not in quick
    assert "mypy" not in quick
