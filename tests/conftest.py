"""Fixtures for every test: a clean environment, a home of one's own, fake formats, and a store with one whole story."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis_settings

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported: thread pools of two processes would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.fakes import convert_in_this_process, fake_format, run_in_this_process
from tests.story import Story, tell
from udacisense.settings import settings
from udacisense.types import Format

# a busy machine is no failure: the time of an example is not what the property tests are about
hypothesis_settings.register_profile("house", deadline=None)
hypothesis_settings.load_profile("house")

if TYPE_CHECKING:
    from tests.real_files import RealFiles

KEPT = {"UDACISENSE_DATA_DIR", "UDACISENSE_PRETRAIN_FILE"}
"""Settings that a machine may give to the tests: where its real images lie."""

REAL_IMAGES = Path(__file__).resolve().parents[2] / "shared" / "data" / "household"
"""Where a developer keeps the real images, beside the checkout; without them the tests run on the sample pack."""

if REAL_IMAGES.is_dir():
    os.environ.setdefault("UDACISENSE_DATA_DIR", str(REAL_IMAGES))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the slow tests: a file stays whole, since its fixtures convert for minutes; walks go one by one."""
    for item in items:
        converted_once = "real_files" in getattr(item, "fixturenames", ())
        alone = item.nodeid if item.path.parent.name == "walk" else str(item.path)
        item.add_marker(pytest.mark.xdist_group("real files" if converted_once else alone))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the person who runs the tests changes a result."""
    for name in [n for n in os.environ if n.startswith("UDACISENSE_") and n not in KEPT]:
        monkeypatch.delenv(name)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; its images are the sample pack unless UDACISENSE_DATA_DIR names a folder."""
    monkeypatch.setenv("UDACISENSE_HOME", str(tmp_path))
    settings.cache_clear()
    return tmp_path


@pytest.fixture
def sample_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home whose images are the sample pack on every machine."""
    monkeypatch.delenv("UDACISENSE_DATA_DIR", raising=False)
    settings.cache_clear()
    return home


@pytest.fixture
def fake_formats(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Format]]:
    """FORMATS holds "torch" and "fake" only, both fakes; afterwards the real ones stand in their order again."""
    from udacisense import formats

    fakes = {"torch": fake_format("torch"), "fake": fake_format("fake")}
    for name in reversed(list(formats.FORMATS)):  # backwards, so that undoing puts them back in their order
        monkeypatch.delitem(formats.FORMATS, name)
    for name, fake in fakes.items():
        monkeypatch.setitem(formats.FORMATS, name, fake)
    convert_in_this_process(monkeypatch)
    run_in_this_process(monkeypatch)
    yield fakes
    formats.FORMATS.clear()  # what a test put there by hand; monkeypatch brings the rest back, its own changes first


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process loads TorchScript itself, as a bound child does: for tests of what happens in one, on files of their own."""
    from udacisense.processes import limits

    monkeypatch.setattr(limits, "_bound", True)


@pytest.fixture
def seeded_home(home: Path) -> Story:
    """A store with one baseline, two artifacts and every record on them; `.home` is its folder. See tests/story.py."""
    return tell(home)


@pytest.fixture
def furnished(sample_home: Path) -> Path:
    """A home with a record of every kind, a whole card, a named run and a job; see tests/odd_files.py."""
    from tests.odd_files import furnish

    return furnish(sample_home)


@pytest.fixture(scope="session")
def real_files(tmp_path_factory: pytest.TempPathFactory) -> RealFiles:
    """Files of the real converters, shared by all slow tests: `real_files.of("litert", "int8")`."""
    from tests.real_files import RealFiles

    return RealFiles(tmp_path_factory.mktemp("real"))
