from __future__ import annotations

import json
import math
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from tests.data import hostile
from tests.data.conftest import noise
from udacisense.data import apart, decode_child
from udacisense.data.apart import decode_apart
from udacisense.data.images import decode_image
from udacisense.data.turns import Turns
from udacisense.errors import ImageError

LIMIT = 16_000_000


def child(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """In the place of the decoding process, another one."""
    monkeypatch.setattr(apart, "COMMAND", (sys.executable, "-c", program))


def answered(shape: tuple[int, ...], seconds: object = 1, kind: str = "|u1") -> bytes:
    """An answer with pixels of a shape, as the process writes it."""
    told = {"seconds": seconds, "arrays": [{"kind": kind, "shape": shape}]}
    size = math.prod(shape) * np.dtype(kind).itemsize
    return json.dumps(told).encode() + b"\n" + bytes(size if 0 <= size < 1 << 20 else 3)


def test_the_process_gives_the_same_pixels() -> None:
    for raw in (hostile.encoded(Image.fromarray(noise(1, 50, 30))), hostile.with_scans(60), hostile.photograph(1280, 960)):
        pixels, seconds = decode_apart(raw, "a", LIMIT)
        np.testing.assert_array_equal(pixels, decode_image(raw, "a"))
        assert seconds > 0


def test_the_process_says_what_is_wrong_with_a_file() -> None:
    raw = hostile.encoded(Image.fromarray(noise(1, 50, 30)))
    with pytest.raises(ImageError, match=r"half.png is cut off or damaged.*again"):
        decode_apart(raw[: len(raw) // 2], "half.png", LIMIT)
    with pytest.raises(ImageError, match="text, not an image"):
        decode_apart(b"words", "words.png", LIMIT)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this system does not bound the memory of a process")
def test_a_process_that_fills_its_memory_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    child(
        monkeypatch,
        "import sys; from udacisense.data import decode_child as c; c.bind();"
        f"x = bytearray(2 * c.MEMORY_BYTES); sys.stdout.buffer.write({answered((1, 1, 3))!r})",
    )
    with pytest.raises(ImageError, match=r"more memory or time.*was stopped\. Make it smaller"):
        decode_apart(hostile.png(4, 4), "a.png", LIMIT)


def test_memory_that_is_refused_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decode_child, "decode_here", refuse)
    with pytest.raises(ImageError, match=r"a\.png does not fit into memory\. Make it smaller and try again"):
        decode_child.answer({"name": "a.png", "max_pixels": 99}, [np.frombuffer(hostile.png(4, 4), np.uint8)])


def test_a_process_that_goes_on_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "WALL_S", 0.5)
    child(monkeypatch, "import time; time.sleep(600)")
    with pytest.raises(ImageError, match="was stopped"):
        decode_apart(hostile.png(4, 4), "a.png", LIMIT)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]\n", b"{}\n", b"not json\n", b"x" * 100_000, b'{"seconds": 1}\n', b'{"arrays": [], "seconds": 1}\n',
        answered((1, 1, 3), seconds="a"), answered((1, 1, 3), seconds=None), answered((1, 1, 4)), answered((3,)),
        answered((0, 1, 3)), answered((-1, -1, 3)), answered((9000, 9000, 3)), answered((2, 2, 3))[:-3],
        answered((1, 1, 3), kind="<f4"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_image_error(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, f"import sys; sys.stdout.buffer.write({answer!r})")
    with pytest.raises(ImageError, match="was stopped"):
        decode_apart(hostile.png(4, 4), "a.png", LIMIT)


def test_a_process_that_does_not_listen_is_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "pass")
    with pytest.raises(ImageError, match="was stopped"):
        decode_apart(bytes(4_000_000), "a.png", LIMIT)


def test_a_process_that_never_listens_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "WALL_S", 0.5)
    child(monkeypatch, "import time; time.sleep(600)")
    with pytest.raises(ImageError, match="was stopped"):
        decode_apart(bytes(4_000_000), "a.png", LIMIT)


# --- turns -----------------------------------------------------------------------------------------------------------------


def test_a_visitor_has_one_turn_at_a_time_and_all_together_few() -> None:
    turns = Turns(at_once=2, wait_s=0.01)
    with turns.take("ann"):
        with pytest.raises(TimeoutError), turns.take("ann"):
            pytest.fail("a second turn of the same visitor")
        with turns.take("bob"), pytest.raises(TimeoutError), turns.take("cid"):
            pytest.fail("a third turn at once")
        with turns.take("cid"):
            pass
    with turns.take("ann"):
        pass


def test_a_turn_ends_with_its_work_whatever_becomes_of_it() -> None:
    turns = Turns(at_once=1, wait_s=0.01)
    with pytest.raises(ValueError, match="broken"), turns.take("ann"):
        raise ValueError("broken")
    with turns.take("ann"):
        pass


def test_waiting_ends_when_a_turn_is_free() -> None:
    turns, began, order = Turns(at_once=1, wait_s=60.0), threading.Event(), []

    def second() -> None:
        began.set()
        with turns.take("bob"):
            order.append("bob")

    with turns.take("ann"):
        thread = threading.Thread(target=second)
        thread.start()
        began.wait()
        order.append("ann")
    thread.join()
    assert order == ["ann", "bob"]


def test_who_waits_in_vain_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_turns", Turns(at_once=1, wait_s=0.0))
    child(monkeypatch, "raise SystemExit('not to be started')")
    with apart._turns.take("ann"), pytest.raises(ImageError, match="waiting behind other large images"):
        decode_apart(hostile.png(4, 4), "a.png", LIMIT, "bob")


def test_the_turn_is_the_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_turns", Turns(at_once=9, wait_s=0.0))
    told = {"error": "asked", "kind": "ImageError", "ours": True, "arrays": []}
    child(monkeypatch, f"print({json.dumps(told)!r})")
    with apart._turns.take("ann"):
        with pytest.raises(ImageError, match="waiting"):
            decode_apart(hostile.png(4, 4), "a.png", LIMIT, "ann")
        with pytest.raises(ImageError, match="asked"):
            decode_apart(hostile.png(4, 4), "a.png", LIMIT, "bob")
