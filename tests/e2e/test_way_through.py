"""A person's way through the house, in a browser: convert, verify, benchmark, readiness, and an image of one's own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PROJECT, Server
from udacisense.labels import CLASSES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

BASELINE = Path("models/baseline_mobilenet/checkpoints")
PAGES = ("dataset", "models", "convert", "verify", "benchmark", "history", "readiness", "classify")
JOB_MS = 240_000


@pytest.fixture
def with_baseline(tmp_path: Path) -> Path:
    """A home that holds the shipped baseline and nothing else."""
    home = tmp_path / "home"
    shutil.copytree(PROJECT / BASELINE, home / BASELINE)
    return home


def go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    drawn(page)


def drawn(page: Page) -> None:
    """Wait until the page's script has ended: a press while it is still drawing may be lost."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def no_traceback(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)


def press(page: Page, label: str) -> None:
    """Press the page's main button; its accessible name also holds its icon's."""
    page.get_by_test_id("stMain").get_by_test_id("stBaseButton-primary").filter(has_text=label).first.click()


def choose(page: Page, label: str) -> None:
    """Choose one of a segmented control's options."""
    page.get_by_test_id("stMain").get_by_role("radio").filter(has_text=label).first.click()


def finish_job(page: Page, title: str) -> None:
    expect(page.get_by_text(f"{title} · done").first).to_be_visible(timeout=JOB_MS)
    no_traceback(page)


def test_from_a_checkpoint_to_a_verdict(page: Page, start_app: Server, with_baseline: Path) -> None:
    page.goto(start_app(with_baseline))
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()

    go(page, "Convert")
    page.locator(".st-key-cell_torchscript_fp32").get_by_role("button").click()
    expect(page.get_by_role("heading", name="TorchScript (PyTorch Mobile) · fp32")).to_be_visible()
    press(page, "Convert to TorchScript fp32")
    finish_job(page, "Convert to TorchScript (PyTorch Mobile) fp32")
    (artifact,) = (with_baseline / "models" / "mobile").glob("*/artifact.json")
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").locator("button").first.click()
    assert download.value.path().read_bytes() == next(artifact.parent.glob("*.ptl")).read_bytes()

    go(page, "Verify")
    press(page, "Verify")
    finish_job(page, f"Verify {artifact.parent.name}")
    expect(page.get_by_text(re.compile(r"Equivalent$")).first).to_be_visible()
    choose(page, "Layer-by-layer comparison")
    page.get_by_role("button").filter(has_text="Compare layers").first.click()
    finish_job(page, f"Compare the layers of {artifact.parent.name}")
    expect(page.get_by_text("No layer diverges", exact=False).first).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()

    go(page, "Benchmark")
    page.get_by_test_id("stExpander").get_by_text("Benchmark models").click()
    choose(page, "Quick")
    press(page, "Run benchmark")
    finish_job(page, "Benchmark 2 models")
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()

    go(page, "Readiness")
    expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    expect(page.get_by_text("sample", exact=False).first).to_be_visible()  # figures on the sample say so
    no_traceback(page)
    assert len(list((with_baseline / "results" / "benchmark").glob("*.json"))) == 2
    assert list((with_baseline / "results").rglob("*.part")) == []


def test_an_image_of_ones_own_and_a_file_that_is_none(
    page: Page, start_app: Server, with_baseline: Path, tmp_path: Path
) -> None:
    page.goto(f"{start_app(with_baseline)}/classify")
    choose(page, "Upload")
    photo = next((PROJECT / "udacisense" / "data" / "sample").rglob("*.webp"))
    liar = tmp_path / "holiday.png"
    liar.write_text("this is no image")
    page.locator('input[type="file"]').set_input_files([str(photo), str(liar)])
    expect(page.get_by_text("preprocessing", exact=False).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("holiday.png", exact=False).first).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    no_traceback(page)


def test_a_photograph_of_48_megapixels_as_an_iphone_writes_it_is_classified_on_a_phone(
    browser: Browser, start_app: Server, with_baseline: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "IMG_0001.HEIC"
    bed = Image.open(next((PROJECT / "docs" / "sample_pack").glob("bed.webp"))).convert("RGB")
    pillow_heif.from_pillow(bed.resize((8064, 6048))).save(photo, quality=40)
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{start_app(with_baseline)}/classify")
    choose(page, "Upload")
    page.locator('input[type="file"]').set_input_files([str(photo)])
    expect(page.get_by_text("preprocessing", exact=False).first).to_be_visible(timeout=60_000)
    answer = re.compile(f"^({'|'.join(CLASSES)}) · ")
    expect(page.get_by_role("heading", name=answer)).to_be_visible()
    expect(page.get_by_text("smaller than the file's", exact=False)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    no_traceback(page)
    context.close()


def test_a_job_survives_a_page_switch_and_a_reload_and_can_be_cancelled(
    page: Page, start_app: Server, with_baseline: Path
) -> None:
    page.goto(start_app(with_baseline))
    press(page, "Run full pipeline")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("Full pipeline", exact=False).first).to_be_visible()
    go(page, "Dataset")
    expect(sidebar.get_by_text("Full pipeline", exact=False).first).to_be_visible()
    page.reload()
    expect(sidebar.get_by_text("Full pipeline", exact=False).first).to_be_visible()
    go(page, "Overview")
    page.get_by_role("button").filter(has_text="Cancel").first.click()
    expect(page.get_by_text("Full pipeline · cancelled", exact=False).first).to_be_visible()
    assert list((with_baseline / "results").rglob("*.part")) == []
    assert list((with_baseline / "models").rglob("*.part")) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_deep_link_on_the_first_visit_after_a_restart(page: Page, start_app: Server, with_baseline: Path, name: str) -> None:
    page.goto(f"{start_app(with_baseline)}/{name}")
    expect(page.get_by_role("heading", name=name.capitalize(), exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_role("link", name="Overview")).to_be_visible()
    no_traceback(page)
    assert name.capitalize() in page.title()


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_every_page_fits_a_phone(page: Page, start_app: Server, appearance: str) -> None:
    """The shipped records, on a screen 390 pixels wide: nothing sticks out, nothing breaks."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=appearance)  # type: ignore[arg-type]
    address = start_app(PROJECT)
    for name in ("", *PAGES):
        page.goto(f"{address}/{name}")
        expect(page.get_by_role("heading", name=name.capitalize() or "Overview", exact=True)).to_be_visible()
        page.wait_for_load_state("networkidle")
        no_traceback(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
