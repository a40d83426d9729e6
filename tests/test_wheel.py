"""What `pip install` brings: the pinned packages, the console command, every file that the product reads, and the app."""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from tests.data.conftest import noise
from tests.networks import saved
from udacisense.settings import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
META = PYPROJECT["project"]
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
APART = {"udacisense[executorch]", "udacisense[onnx]"}
"""Entries of an extra that name other extras."""
SHIPPED = (
    "app.py",
    "readiness.toml",
    "docs/glossary.md",
    ".streamlit",
    "pages",
    "ui",
    "recipes",
    "pipelines",
    "benchmarks/protocols",
)
SOURCES = (*SHIPPED, "udacisense", "pyproject.toml", "README.md", "LICENSE")


def files_in(place: str) -> list[Path]:
    root = PROJECT / place
    found = [root] if root.is_file() else [p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return sorted(p.relative_to(PROJECT) for p in found)


def requirements() -> list[str]:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return sorted(line for line in lines if line and not line.startswith("#"))


def test_the_core_and_the_extras_together_are_the_requirements() -> None:
    extras = {name: pins for name, pins in META["optional-dependencies"].items() if name not in ("all", "timm")}
    listed = [*META["dependencies"], *(pin for pins in extras.values() for pin in pins if pin not in APART)]
    assert sorted(listed) == requirements()
    (everything,) = META["optional-dependencies"]["all"]
    assert set(everything.removeprefix("udacisense[").removesuffix("]").split(",")) == set(extras)


def test_the_console_command_is_the_command_line() -> None:
    module, _, name = META["scripts"]["udacisense"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_every_file_beside_the_package_is_shipped_at_its_place() -> None:
    for path in (path for place in SHIPPED for path in files_in(place)):
        globs = SETUPTOOLS["data-files"].get(Path("share", "udacisense", path.parent).as_posix(), [])
        assert any(fnmatch.fnmatchcase(path.as_posix(), glob) for glob in globs), f"{path} would not be in the wheel"


def test_every_file_inside_the_package_is_shipped() -> None:
    folders = [PROJECT / name.replace(".", "/") for name in SETUPTOOLS["package-data"]]
    carried = {p for f in folders for glob in SETUPTOOLS["package-data"][_dotted(f)] for p in f.glob(glob) if p.is_file()}
    packages = {p.parent for p in (PROJECT / "udacisense").rglob("__init__.py")}
    for path in (PROJECT / path for path in files_in("udacisense")):
        assert path in carried or (path.suffix == ".py" and path.parent in packages), f"{path} would not be in the wheel"


def _dotted(folder: Path) -> str:
    return ".".join(folder.relative_to(PROJECT).parts)


# --- a wheel, really ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in (path for place in SOURCES for path in files_in(place)):
        (folder / "src" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / path, folder / "src" / path)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(folder / "src")], check=True, timeout=200)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """An environment with the wheel alone in it; the packages that it needs are this environment's."""
    venv = wheel.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=100)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(venv / "bin" / "python"),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, str(wheel)], check=True, timeout=100)
    (places,) = venv.glob("lib/python*/site-packages")
    (places / "needed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return venv


def told(installed: Path, home: Path, *command: str) -> str:
    """What a command of the environment prints where nothing but `home` is at hand."""
    done = subprocess.run([str(installed / "bin" / command[0]), *command[1:]], cwd=home, capture_output=True, text=True,
                          check=False, timeout=250, env={"PATH": "/usr/bin:/bin", "HOME": str(home)})  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_the_wheel_carries_what_the_product_reads(wheel: Path) -> None:
    carried = {name.partition(".data/data/")[2] or name for name in zipfile.ZipFile(wheel).namelist()}
    for path in (path for place in SHIPPED for path in files_in(place)):
        assert f"share/udacisense/{path.as_posix()}" in carried
    assert {path.as_posix() for path in files_in("udacisense")} <= carried


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_installed_wheel_classifies_and_draws_every_page(installed: Path, tmp_path: Path) -> None:
    saved(tmp_path / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    Image.fromarray(noise(1, 40, 60)).save(tmp_path / "photo.png")
    assert "photo.png" in told(installed, tmp_path, "udacisense", "classify", "photo.png", "--with",
                               "models/baseline_mobilenet/checkpoints/model.pth")  # fmt: skip
    program = (
        "from streamlit.testing.v1 import AppTest\n"
        "from udacisense.settings import SHARED, settings\n"
        "from udacisense.benchmark.protocol import protocol_names\n"
        "from udacisense.training.recipe import load_recipe\n"
        "at = AppTest.from_file(str(SHARED / 'app.py'), default_timeout=120).run()\n"
        "drawn = [not at.exception]\n"
        "for page in sorted((SHARED / 'pages').glob('*.py')):\n"
        "    at.switch_page(f'pages/{page.name}').run()\n"
        "    drawn.append(not at.exception and not at.error)\n"
        "print(settings().home, SHARED, all(drawn), len(drawn), 'standard' in protocol_names(), load_recipe('baseline').name)\n"
    )
    home, shared, *found = told(installed, tmp_path, "python", "-c", program).split()
    assert (Path(home), Path(shared)) == (tmp_path, installed / "share" / "udacisense")
    assert found == ["True", str(len(list((PROJECT / "pages").glob("*.py"))) + 1), "True", "baseline"]
