"""Classify keeps nothing of a visitor's own images for anybody else, and nothing of them beyond the visitor's session."""

from __future__ import annotations

import asyncio
import gc
import hashlib
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.runtime.caching import clear_session_data_cache
from streamlit.runtime.caching.cache_data_api import _data_caches
from streamlit.runtime.caching.cache_resource_api import _resource_caches
from streamlit.testing.v1 import AppTest

from tests.data import hostile
from tests.data.conftest import noise
from tests.driving import app, quick_answers, words  # noqa: F401 - a fixture
from tests.fakes import fake_format, run_in_this_process
from tests.story import Story, tell
from udacisense import formats
from udacisense.errors import CheckpointError
from ui.classify import visitors
from ui.classify.view import NOT_KEPT
from ui.shared import cache

CLASSIFY = "pages/classify.py"
SESSION = "test session id"  # of every session of AppTest


@pytest.fixture
def sample_story(sample_home: Any, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(formats, "FORMATS", {name: fake_format(name) for name in ("torch", "torchscript", "torchscript-lite")})
    run_in_this_process(monkeypatch)
    return tell(sample_home, source="sample")


def held(root: object, wanted: bytes) -> bool:
    """Whether anything that can be reached from an object holds these bytes."""
    known, left = {id(root)}, [root]
    while left:
        one = left.pop()
        if isinstance(one, str):
            one = one.encode("utf-8", "replace")
        if isinstance(one, np.ndarray):
            one = one.tobytes()
        if isinstance(one, bytes) and wanted in one:
            return True
        for other in gc.get_referents(one):
            if id(other) not in known and not isinstance(other, type | ModuleType | FunctionType):
                known.add(id(other))
                left.append(other)
    return False


def of_all_visitors() -> list[object]:
    return [caches._function_caches.get(None) for caches in (_data_caches, _resource_caches)]


def marks(pixels: np.ndarray, raw: bytes) -> dict[str, bytes]:
    """What would tell that an image is still here."""
    preview = cache.shrunk(pixels, 320)
    found = {"file": raw[-90:-30], "pixels": pixels.tobytes()[:48], "preview": preview[-90:-30]}
    return found | {"hash": hashlib.sha256(raw).hexdigest().encode()}


def from_upload(at: AppTest, raw: bytes) -> None:
    at.segmented_control(key="from").set_value("upload").run()
    at.file_uploader(key="uploads").upload("secret.webp", raw, "image/webp")
    at.run()
    assert "secret.webp" in words(at)


def from_camera(at: AppTest, raw: bytes) -> None:
    at.segmented_control(key="from").set_value("camera").run()
    at.camera_input(key="camera").upload("shot.jpg", raw).run()
    assert "photo" in words(at)


@pytest.mark.parametrize("bring", [from_upload, from_camera])
def test_what_a_visitor_brings_is_in_no_cache_of_all_visitors(bring: Callable[..., None], sample_story: Story) -> None:
    pixels = noise(9, 60, 80)
    raw = hostile.encoded(Image.fromarray(pixels), "WEBP", lossless=True)
    at = app(CLASSIFY)
    bring(at, raw)
    assert not at.exception
    wanted = marks(pixels, raw)
    assert not [what for what, mark in wanted.items() if held(of_all_visitors(), mark)]
    own = _data_caches._function_caches[SESSION]
    assert held(own, wanted["preview"]), "the visitor's own cache holds it, or this test looks in the wrong place"
    clear_session_data_cache(SESSION)  # as Streamlit does when a browser is gone
    everywhere = [_data_caches._function_caches, _resource_caches._function_caches]
    assert not [what for what, mark in wanted.items() if held(everywhere, mark)]


def test_what_is_wrong_with_the_model_is_said_once_for_all_images(sample_story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise CheckpointError("It calls aten::save, which is not allowed.")

    monkeypatch.setattr("ui.classify.cached_sessions.open_classifier", refuse)
    at = app(CLASSIFY)
    at.segmented_control(key="from").set_value("upload").run()
    uploads = [(f"{i}.png", hostile.encoded(Image.fromarray(noise(i, 30, 40))), "image/png") for i in range(3)]
    for upload in (*uploads, ("broken.png", b"no image", "image/png")):
        at.file_uploader(key="uploads").upload(*upload)
    at.run()
    assert not at.exception
    assert [str(e.value).count("save, which") for e in at.error] == [1, 0], "and the image that is none is named beside it"


def test_an_answer_on_an_upload_is_not_made_twice(sample_story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    at = app(CLASSIFY)
    from_upload(at, hostile.encoded(Image.fromarray(noise(9, 60, 80))))
    monkeypatch.setattr("ui.classify.cached_sessions.decode_upload", lambda *_: pytest.fail("decoded again"))
    at.run()
    assert not at.exception
    assert "secret.webp" in words(at)


def test_a_telephones_photograph_is_answered_and_its_size_told(sample_story: Story) -> None:
    at = app(CLASSIFY)
    from_upload(at, hostile.photograph(6016, 4032))
    assert not at.error
    assert "3008 × 2016 pixels, smaller than the file's" in words(at)


def test_the_page_says_for_how_long(sample_story: Story) -> None:
    at = app(CLASSIFY)
    at.segmented_control(key="from").set_value("upload").run()
    said = at.file_uploader(key="uploads").help
    assert NOT_KEPT in said
    assert "HEIC" in said
    assert visitors.GRACE_S <= 60, "the page says: a minute or so"


# --- leaving -----------------------------------------------------------------------------------------------------------


class Server:
    """In the place of Streamlit's runtime: one session, which may or may not have a browser."""

    def __init__(self) -> None:
        self.active = True
        self.closed: list[str] = []
        self.session = SimpleNamespace(id="ann", session_state={"uploads": b"..."})

    def get_app_session(self, session_id: str) -> Any:
        return self.session if session_id == "ann" and self.active else None

    def is_active_session(self, session_id: str) -> bool:
        return self.active

    def close_session(self, session_id: str) -> None:
        self.closed.append(session_id)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    found = Server()
    monkeypatch.setattr(visitors, "runtime", SimpleNamespace(exists=lambda: True, get_instance=lambda: found))
    monkeypatch.setattr(visitors, "GRACE_S", 0.0)
    return found


async def leave(server: Server, comes_back: bool) -> None:
    visitors._left("ann")
    server.active = comes_back
    await asyncio.sleep(0.01)


def test_a_session_is_closed_when_its_browser_does_not_come_back(server: Server) -> None:
    asyncio.run(leave(server, comes_back=False))
    assert server.closed == ["ann"]
    assert not server.session.session_state


def test_a_browser_that_comes_back_finds_its_session(server: Server) -> None:
    asyncio.run(leave(server, comes_back=True))
    assert not server.closed
    assert server.session.session_state


def test_clearing_the_caches_closes_nothing(server: Server) -> None:
    visitors._left("ann")
    st.cache_resource.clear()
    assert not server.closed


def test_the_time_to_come_back_is_shorter_than_streamlits_own() -> None:
    assert (st.get_option("server.disconnectedSessionTTL") or 120) > visitors.GRACE_S  # 120 s where nothing is set
