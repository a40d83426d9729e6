"""A person opens a checkpoint that would write a file: one sentence on each page, and no file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server
from tests.e2e.test_way_through import drawn, no_traceback
from tools.hostile_archives import with_code
from tools.hostile_scripts import PLACES, sound
from udacisense.models.checkpoint import read_checkpoint
from udacisense.torchscript.load import quiet_jit

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SENTENCE = "Hostile.pt was not loaded: it calls torch.save"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The file that the checkpoint would write."""
    return tmp_path / "written"


@pytest.fixture
def hostile(tmp_path: Path, target: Path) -> Path:
    """A home that holds the hostile checkpoint alone."""
    path = tmp_path / "home" / "models" / "Hostile.pt"
    path.parent.mkdir(parents=True)
    path.write_bytes(with_code(sound(), PLACES["forward"](f'torch.save(x, "{target}")')))
    return path


def said_once(page: Page) -> None:
    """Exactly one box speaks of the file, in one sentence."""
    told = page.get_by_test_id("stAlert").filter(has_text="Hostile.pt")
    expect(told).to_have_count(1, timeout=120_000)
    drawn(page)
    expect(page.get_by_text(SENTENCE)).to_have_count(1)
    expect(told).to_contain_text(SENTENCE)
    assert "Traceback" not in page.locator("body").inner_text()
    no_traceback(page)


def test_one_sentence_and_no_file(page: Page, start_app: Server, hostile: Path, target: Path) -> None:
    address = start_app(hostile.parents[1])
    checkpoint = quote(read_checkpoint(hostile).id, safe="")
    page.goto(f"{address}/models?checkpoint={checkpoint}")
    said_once(page)
    page.goto(f"{address}/classify?subject={checkpoint}")
    page.locator(".st-key-sample_chair button").click()
    said_once(page)
    assert not target.exists()
    with quiet_jit():  # what proves that it would have been written
        torch.jit.load(str(hostile))(torch.zeros(1, 3, 8, 8))
    assert target.exists()
