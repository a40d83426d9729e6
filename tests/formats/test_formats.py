"""The registry: every format is listed, describes itself without its runtime, and refuses clearly."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import fake_checkpoint
from udacisense import formats
from udacisense.errors import FormatError, UnavailableError
from udacisense.formats import FORMATS, get_format
from udacisense.types import Conversion, Format


def test_every_format_of_every_file_is_listed() -> None:
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(formats.__path__):
        assert module.name.startswith("fmt_"), f"{module.name}: this folder holds formats only"
        content = vars(importlib.import_module(f"udacisense.formats.{module.name}")).values()
        found |= {f.name: f for f in content if isinstance(f, Format)}
    assert found == FORMATS


def test_names_and_files_are_told_apart() -> None:
    assert all(name == fmt.name for name, fmt in FORMATS.items())
    assert len({fmt.file_name for fmt in FORMATS.values()}) == len(FORMATS)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
def test_a_format_describes_itself(fmt: Format) -> None:
    assert fmt.title
    assert fmt.target
    assert fmt.precisions
    assert fmt.runtime_version()[0].isdigit()
    reason = fmt.unavailable("run")
    assert reason is None or (fmt.name == "coreml" and "macOS" in reason)


def test_listing_the_formats_imports_no_runtime() -> None:
    """How long it takes is measured by benchmarks/cold_start.py."""
    code = (
        "import sys\n"
        "from udacisense.formats import FORMATS\n"
        "for f in FORMATS.values(): f.name, f.unavailable('export'), f.unavailable('run'), f.runtime_version()\n"
        "print('torch' in sys.modules, len(FORMATS))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said == ["False", str(len(FORMATS))]


def test_an_unknown_name_is_told_with_the_names_there_are() -> None:
    with pytest.raises(FormatError, match=r"no format 'onxx'.*torch, .*torchscript, torchscript-lite"):
        get_format("onxx")
    assert get_format("torchscript").file_name == "optimized_model_mobile.ptl"
    assert get_format("torchscript-lite").file_name == "optimized_model_mobile_lite.ptl"


def test_the_reference_has_nothing_to_convert(tmp_path: Path) -> None:
    reason = get_format("torch").unavailable("export")
    assert reason is not None
    assert "nothing to convert" in reason
    checkpoint = fake_checkpoint(tmp_path / "m.pth")
    with pytest.raises(UnavailableError, match="nothing to convert"):
        get_format("torch").export(checkpoint, Conversion("fp32"), tmp_path / "out")


@pytest.mark.parametrize("name", FORMATS)
def test_without_torch_each_says_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    reason = FORMATS[name].unavailable("run")
    assert reason is not None
    assert "pip install -r requirements.txt" in reason
