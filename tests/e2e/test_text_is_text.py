"""A store full of markup in a real browser: nothing is fetched from elsewhere, nothing runs, people read what is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.e2e.conftest import Server
from tests.e2e.test_way_through import PAGES, choose, drawn
from tests.hostile import HOST, NAME, TEXT, surroundings, tell_hostile
from udacisense.artifacts import list_artifacts
from udacisense.models.checkpoint import list_checkpoints
from udacisense.plain_text import one_line
from udacisense.report import collect, html_report, with_flips
from udacisense.report.markdown import JOINER

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

VIEWS = {
    "verify": ("Changed answers", "Classes", "Differences", "Layer-by-layer comparison"),
    "benchmark": ("Latency", "Start-up", "Scaling", "Sustained", "Trade-off", "Size and memory", "Accuracy"),
}
TRICKY = (
    TEXT, NAME, "pipeline_03", "__init__ and _x_", "a * b * c < d > e", "1,000 of 2 (5 %), +0.2 to -0.3", "07:15 UTC: done",
    "- a", "+ a", "---", "1. a", "12) a", "# a #", "> a", "a -> b <- c >= d -- e ~= f", "C:\\users\\x", "``a`b", "| a | b |",
    "~~~", "===", "a::b :c[d]{e=f} ::g", "$5 and $6", "x^2 [^1] [ ] [x]", "&amp; &#60; &", "me@here.example, @you, #12",
    "https://here.example/a_b_c?d=*e*", "ftp://x.example", "WWW.here.example", ":+1: :-1: :100:", ":material_home:",
    "tab\there",
)  # fmt: skip
KINDS = ("text", "item", "code", "label", "error", "metric", "bold")
LEADS_AWAY = """() => [...document.querySelectorAll('a[href], img[src], iframe[src], video[src], audio[src]')]
    .map(e => new URL(e.href || e.src, location))
    .filter(u => !['data:', 'blob:'].includes(u.protocol) && (u.host !== location.host || u.protocol === 'mailto:'))
    .map(String)"""


@dataclass
class Watched:
    """What a page did that no page should."""

    page: Page
    local: str = ""
    foreign: list[str] = field(default_factory=list)
    requests: int = 0
    dialogs: int = 0

    def request(self, request: Request) -> None:
        self.requests += 1
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss", "ftp") and parts.netloc != self.local:
            self.foreign.append(request.url)

    def assert_clean(self) -> None:
        """Nothing was asked for elsewhere, nothing was run, and no element stands ready to ask."""
        assert self.foreign == []
        assert self.dialogs == 0
        assert self.page.evaluate(LEADS_AWAY) == []
        for bad in ("svg a", ".katex", "[data-testid=stMain] script"):
            expect(self.page.locator(bad)).to_have_count(0)


@pytest.fixture
def watched(page: Page) -> Iterator[Watched]:
    found = Watched(page)

    def dialog(shown: object) -> None:
        found.dialogs += 1
        shown.dismiss()  # type: ignore[attr-defined]

    def stop(route: Route) -> None:
        route.abort()

    page.on("request", found.request)
    page.on("dialog", dialog)
    page.route(lambda url: HOST in urlsplit(url).netloc, stop)
    yield found
    assert found.requests > 0, "nothing was watched"


@pytest.fixture
def hostile(home: Path, start_app: Server, watched: Watched) -> str:
    tell_hostile(home)
    address = start_app(home, **surroundings(home))
    watched.local = urlsplit(address).netloc
    return address


def look(watched: Watched, address: str) -> None:
    watched.page.goto(address)
    drawn(watched.page)
    watched.page.wait_for_load_state("networkidle")
    expect(watched.page.get_by_test_id("stException")).to_have_count(0)
    watched.assert_clean()


def read(page: Page) -> str:
    """What people read on the page."""
    text: str = page.evaluate("document.body.innerText")
    return text.replace(JOINER, "")


def test_no_page_asks_anybody_else(hostile: str, watched: Watched) -> None:
    for name in ("", *PAGES):
        look(watched, f"{hostile}/{name}")
        for view in VIEWS.get(name, ()):
            choose(watched.page, view)
            drawn(watched.page)
            watched.assert_clean()
        unfold(watched)


def unfold(watched: Watched) -> None:
    """Open all that is folded away."""
    for folded in watched.page.get_by_test_id("stExpander").locator("summary").all():
        if folded.is_visible():
            folded.click()
    watched.assert_clean()


def test_every_file_on_the_pages_that_show_one(hostile: str, watched: Watched) -> None:
    for artifact in list_artifacts().records:
        for name in ("convert", "verify", "readiness"):
            look(watched, f"{hostile}/{name}?artifact={quote(artifact.id, safe='')}")
    for checkpoint in list_checkpoints().records:
        look(watched, f"{hostile}/models?checkpoint={quote(checkpoint.id, safe='')}")
        for tab in watched.page.get_by_role("tab").all():
            tab.click()
            unfold(watched)


def test_people_read_what_is_written(hostile: str, watched: Watched) -> None:
    proved = next(a for a in list_artifacts().records if a.format == "torchscript-lite")
    look(watched, f"{hostile}/verify?artifact={quote(proved.id, safe='')}")
    text = " ".join(read(watched.page).split())
    assert f"{TEXT} " in text
    assert NAME in text


def test_each_sign_is_shown_as_it_is(tmp_path: Path, start_app: Server, watched: Watched) -> None:
    page = watched.page
    script = tmp_path / "signs.py"
    script.write_text(
        f"import json\nimport streamlit as st\nfrom ui.shared.plain_text import code, escape\n"
        f"for i, text in enumerate(json.loads({json.dumps(json.dumps(TRICKY))})):\n"
        "    with st.container(key=f'text{i}'): st.markdown(escape(text))\n"
        "    with st.container(key=f'bold{i}'): st.markdown(f'**{escape(text)}** :gray[{escape(text)}]')\n"
        "    with st.container(key=f'item{i}'): st.markdown(f'- {escape(text)}')\n"
        "    with st.container(key=f'code{i}'): st.markdown(code(text))\n"
        "    with st.container(key=f'label{i}'): st.button(escape(text), key=str(i))\n"
        "    with st.container(key=f'error{i}'): st.error(escape(text))\n"
        "    with st.container(key=f'metric{i}'): st.metric('m', escape(text))\n",
        encoding="utf-8",
    )
    address = start_app(tmp_path, str(script))
    watched.local = urlsplit(address).netloc
    look(watched, address)
    for i in range(len(TRICKY)):  # parts of the page load their renderer on the way
        for kind in KINDS:
            expect(page.locator(f".st-key-{kind}{i}")).not_to_have_text("", use_inner_text=True)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    wrong = []
    for i, text in enumerate(TRICKY):
        for kind in KINDS:
            shown = " ".join(page.locator(f".st-key-{kind}{i}").inner_text().replace(JOINER, "").split())
            wanted = " ".join(one_line(text).split())
            wanted = {"bold": f"{wanted} {wanted}", "metric": f"m {wanted}"}.get(kind, wanted)
            wrong += [] if shown == wanted else [(kind, shown, wanted)]
    assert wrong == []


def test_a_report_asks_nobody(home: Path, watched: Watched, tmp_path: Path) -> None:
    tell_hostile(home)
    report = tmp_path / "report.html"
    report.write_text(html_report(tuple(with_flips(collect(a)) for a in list_artifacts().records)), encoding="utf-8")
    watched.page.goto(report.as_uri())
    watched.page.wait_for_load_state("networkidle")
    watched.assert_clean()
    assert TEXT in " ".join(read(watched.page).split())
    assert watched.requests == 1
    stopped = watched.page.evaluate(
        "url => new Promise(done => {"
        " document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective));"
        " const image = new Image(); image.onload = () => done('nothing'); image.src = url; document.body.append(image); })",
        f"http://{HOST}/x.png",
    )
    assert stopped == "img-src", "the page's own policy lets a request through"
