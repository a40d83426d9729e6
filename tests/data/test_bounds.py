from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data import hostile
from tests.data.conftest import noise
from udacisense.data import bounds, headers, image_header, images
from udacisense.data.bounds import cost, examine
from udacisense.data.headers import Header, read_header
from udacisense.data.images import OWN_COST, UPLOAD_COST, decode_image, decode_upload
from udacisense.errors import ImageError

LIMIT = 16_000_000


@pytest.fixture
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow is not even asked to open a file."""
    monkeypatch.setattr(images.Image, "open", lambda *a, **k: pytest.fail("Pillow opened it"))
    monkeypatch.setattr(images, "decode_apart", lambda *a, **k: pytest.fail("a process was started for it"))


# --- the header ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA"])
def test_the_header_tells_the_size_that_pillow_finds(kind: str, mode: str) -> None:
    if kind == "JPEG" and mode in ("RGBA", "P"):
        pytest.skip("there are none")
    raw = hostile.encoded(Image.fromarray(noise(1, 31, 57)).convert(mode), kind)
    header = read_header(raw)
    assert header is not None
    assert (header.kind, header.width_px, header.height_px, header.frames) == (kind, 57, 31, 1)
    assert examine(raw, "a") == header


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}, {}])
def test_each_kind_of_webp_tells_its_size(options: dict[str, object]) -> None:
    header = read_header(hostile.encoded(Image.fromarray(noise(2, 300, 701)), "WEBP", **options))
    assert header is not None
    assert (header.width_px, header.height_px) == (701, 300)


def test_scans_are_counted_as_the_encoder_wrote_them() -> None:
    for options, scans in (({}, 1), ({"progressive": True}, 10), ({"progressive": True, "subsampling": 0}, 10)):
        header = read_header(hostile.jpeg(**options))
        assert header is not None
        assert header.scans == scans


def test_a_preview_within_the_metadata_is_no_scan_and_no_size_of_the_image() -> None:
    preview = hostile.jpeg(8)
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    raw = hostile.jpeg(40)
    header = read_header(raw[:2] + segment + raw[2:])
    assert header is not None
    assert (header.scans, header.width_px) == (1, 40)
    assert header.extra_bytes > len(preview)


def test_frames_are_counted_in_every_kind_that_has_them() -> None:
    frames = [Image.fromarray(noise(n, 9, 9)) for n in range(7)]
    for kind in ("GIF", "PNG", "WEBP"):
        header = read_header(hostile.encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert header is not None
        assert header.frames == 7, kind


def test_a_bmp_that_begins_with_its_upper_row_tells_its_size() -> None:
    raw = hostile.bmp(3, -2, data=bytes(24))
    header = read_header(raw)
    assert header is not None
    assert (header.width_px, header.height_px) == (3, 2)
    assert decode_image(raw, "a.bmp").shape == (2, 3, 3)


# --- what is refused -------------------------------------------------------------------------------------------------------

REFUSED = {
    "1,000 scans": (lambda: hostile.with_scans(1000), "more than 100 scans"),
    "101 scans": (lambda: hostile.with_scans(101), "more than 100 scans"),
    "one column": (lambda: hostile.png(1, 16_000_000), "no side may be longer than 20,000"),
    "one row": (lambda: hostile.png(20_001, 1), "no side may be longer than 20,000"),
    "33 packed texts": (lambda: hostile.png(4, 4, *[hostile.packed_text(9)] * 33), "more than 32 compressed texts"),
    "much metadata": (lambda: hostile.png(4, 4, hostile.chunk(b"tEXt", b"a\0" + bytes(17 << 20))), "16,777,216 bytes of meta"),
    "10,000 frames of GIF": (lambda: hostile.gif(*[hostile.gif_frame()] * 10_000), "more than 2,000 frames"),
    "10,000 frames of PNG": (lambda: hostile.png(4, 4, hostile.chunk(b"acTL", struct.pack(">II", 10_000, 0))), "2,000 frames"),
    "10,000 frames of WebP": (lambda: hostile.webp(4, 4, 9_999), "more than 2,000 frames"),
    "a wide WebP": (lambda: hostile.webp(1 << 24, 1 << 24, 1), "million pixels, and 23 million can be read"),
    "a million empty chunks": (lambda: hostile.png(4, 4, *[hostile.chunk(b"IDAT")] * 1_000_000), "far more pieces"),
    "a million texts": (lambda: hostile.png(4, 4, *[hostile.chunk(b"tEXt", b"a\0")] * 1_000_000), "far more pieces"),
    "a million comments": (lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 1_000_000 + hostile.jpeg()[2:], "far more pieces"),
    "rubbish between segments": (lambda: b"\xff\xd8\xff\xfe\0\2" + b"a" * 20_000 + hostile.jpeg()[2:], "far more pieces"),
    "padding between segments": (lambda: b"\xff\xd8" + b"\xff" * 20_000 + hostile.jpeg()[2:], "far more pieces"),
    "a comment in tiny blocks": (
        lambda: hostile.gif(b"!\xfe" + b"\1a" * 20_000 + b"\0", hostile.gif_frame()),
        "far more pieces",
    ),
    "rubbish between blocks": (lambda: hostile.gif(b"a" * 20_000, hostile.gif_frame()), "far more pieces"),
    "pixels in tiny blocks": (lambda: hostile.gif(hostile.gif_frame(data=b"\2" + b"\1a" * 300_000 + b"\0")), "far more pieces"),
    "more than the data can hold": (lambda: hostile.png(4000, 4000, data=b"x"), "cannot hold 4000 x 4000 pixels"),
    "a BMP without its pixels": (lambda: hostile.bmp(4000, 4000), "cannot hold 4000 x 4000 pixels"),
    "slow run lengths": (lambda: hostile.bmp(4000, 4000, 8, 1, b"\0\2\0\0" * 5_000_000), "million pixels in run lengths"),
    "a large JPEG of many scans": (lambda: hostile.claiming(hostile.with_scans(40), 5600, 5600), "million pixels in 40 scans"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_beyond_a_bound_is_refused_unopened(what: str, nothing_is_decoded: None) -> None:
    make, says = REFUSED[what]
    raw = make()
    for decode in (lambda: decode_image(raw, "photo.jpg"), lambda: decode_upload(raw, "photo.jpg", "a visitor")):
        with pytest.raises(ImageError, match=says) as caught:
            decode()
        assert str(caught.value).startswith("photo.jpg ")
        assert str(caught.value).count(". ") >= 1, "what to do next"
        assert not str(caught.value).endswith("..")


def test_walking_through_a_file_stops_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0

    class Counted(Header):
        def overfull(self) -> bool:
            nonlocal steps
            steps += 1
            return super().overfull()

    monkeypatch.setattr(headers, "Header", Counted)
    for what in ("a million empty chunks", "a million texts", "a million comments", "pixels in tiny blocks"):
        steps = 0
        read_header(REFUSED[what][0]())
        assert 0 < steps <= image_header.MOST_DATA_PARTS + 10, what


def test_a_file_at_the_bounds_is_read() -> None:
    assert decode_image(hostile.with_scans(100), "a.jpg").shape == (64, 64, 3)
    assert decode_image(hostile.png(1, bounds.MAX_SIDE_PX), "a.png").shape == (bounds.MAX_SIDE_PX, 1, 3)
    assert decode_image(hostile.gif(*[hostile.gif_frame()] * bounds.MAX_FRAMES), "a.gif").shape == (4, 4, 3)
    assert decode_image(hostile.png(4, 4, *[hostile.packed_text(9)] * bounds.MAX_PACKED_TEXTS), "a.png").shape == (4, 4, 3)


def test_a_text_that_grows_is_named_as_such() -> None:
    with pytest.raises(ImageError, match="compressed text or profile in it grows beyond 1 MB"):
        decode_image(hostile.png(4, 4, hostile.packed_text(50_000_000)), "a.png")


def test_a_second_header_does_not_change_what_was_examined() -> None:
    small = hostile.chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0))
    raw = hostile.png(11_000, 11_000)
    with pytest.raises(ImageError, match=r"121\.0 million pixels"):
        decode_image(raw[:-12] + small + raw[-12:], "two.png")


def test_pillows_size_must_be_the_one_that_was_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "examine", lambda *a: Header("PNG", 4, 5))
    with pytest.raises(ImageError, match="tells two sizes"):
        decode_image(hostile.png(4, 4), "a.png")


# --- what is read ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tail", [b"PK\3\4" + bytes(60), b"<script>alert(1)</script>", hostile.png(3, 3), hostile.with_scans(200), b"\xff\xd8" * 99]
)
def test_what_follows_the_image_changes_nothing(tail: bytes) -> None:
    for kind in ("JPEG", "PNG", "GIF", "BMP"):
        raw = hostile.encoded(Image.fromarray(noise(3, 20, 20)), kind)
        np.testing.assert_array_equal(decode_image(raw + tail, "a"), decode_image(raw, "a"))


@pytest.mark.parametrize(("width", "height"), [(6000, 4000), (8064, 6048)])
def test_a_photograph_above_the_limit_comes_at_half_its_sides(width: int, height: int) -> None:
    found = decode_image(hostile.photograph(width, height), "phone.jpg")
    assert found.shape == (height // 2, width // 2, 3)


def test_a_large_image_of_another_kind_is_refused() -> None:
    with pytest.raises(ImageError, match=r"101.3 million pixels, and 57 million can be read of such a file"):
        decode_image(hostile.png(10_130, 10_000), "a.png")
    with pytest.raises(ImageError, match=r"67.2 million pixels, and 66 million can be read of such a file"):
        decode_image(hostile.photograph(8400, 8000, progressive=True), "a.jpg")


def test_half_the_sides_show_the_same_scene() -> None:
    raw = hostile.photograph(640, 512, quality=95, subsampling=0)
    whole, half = decode_image(raw, "a.jpg"), decode_image(raw, "a.jpg", max_pixels=320 * 256)
    mean = whole.reshape(256, 2, 320, 2, 3).mean(axis=(1, 3))
    assert np.abs(mean - half).mean() < 3


def test_what_today_costs_little_is_decoded_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "decode_apart", lambda *a, **k: pytest.fail("a process was started for it"))
    assert decode_image(hostile.photograph(4096, 3072), "12mp.jpg").shape == (3072, 4096, 3)
    assert decode_upload(hostile.photograph(1920, 1088), "screen.jpg", "v").pixels.shape == (1088, 1920, 3)


def test_what_costs_much_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(images, "decode_apart", lambda raw, name, most, visitor="": (asked.append(visitor), 0.0))
    decode_upload(hostile.photograph(4096, 3072), "12mp.jpg", "somebody")
    decode_upload(hostile.with_scans(60, 512), "scans.jpg", "somebody")
    decode_image(hostile.photograph(8064, 6048, progressive=True), "scans.jpg")
    assert asked == ["somebody", "somebody", ""]
    assert UPLOAD_COST < OWN_COST < bounds.MAX_COST


def test_a_folder_of_real_files_is_within_every_bound(tmp_path: Path) -> None:
    """The files that the product ships are what its bounds must let through."""
    shipped = list(Path(images.__file__).parent.joinpath("sample").rglob("*.webp"))
    assert shipped
    for path in shipped[:20]:
        header = examine(path.read_bytes(), path.name)
        assert cost(header) < UPLOAD_COST


# --- mutated files -----------------------------------------------------------------------------------------------------------


def seeds() -> list[bytes]:
    pixels = noise(5, 24, 24)
    image, frames = Image.fromarray(pixels), [Image.fromarray(noise(n, 9, 9)) for n in range(3)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        hostile.encoded(image, "JPEG", exif=exif), hostile.encoded(image, "JPEG", progressive=True), hostile.with_scans(30),
        hostile.encoded(image, "PNG", exif=exif), hostile.png(9, 9, hostile.packed_text(1000), hostile.chunk(b"tEXt", b"a\0b")),
        hostile.encoded(image.convert("P"), "PNG", transparency=3), hostile.encoded(image, "BMP"),
        hostile.bmp(9, 9, 8, 1, b"\x09\x07\0\0" * 9 + b"\0\1"), hostile.encoded(image, "WEBP", exif=exif),
        hostile.encoded(image, "WEBP", lossless=True), hostile.encoded(image, "GIF"),
        hostile.encoded(image, "TIFF"), hostile.encoded(image, "AVIF"),
        *(hostile.encoded(frames[0], kind, save_all=True, append_images=frames[1:]) for kind in ("GIF", "PNG", "WEBP")),
    ]  # fmt: skip


def survive(seed: int, count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Decode mutated files; how many were read. What is decoded where is bounded by cost and pixels, not by the clock."""
    rng, files, read = np.random.default_rng(seed), seeds(), 0
    said: set[str] = set()
    monkeypatch.setattr(images, "decode_apart", lambda *_: (None, 0.0))
    for number in range(count):
        raw = hostile.mutated(rng, files[number % len(files)])
        try:
            found = decode_upload(raw, "mutated", "v")
        except ImageError as exc:
            said.add(str(exc))
            continue
        header = read_header(raw)
        assert header is not None
        assert cost(header) <= bounds.MAX_COST
        assert header.pixels <= bounds.most_pixels(header)
        if cost(header) <= UPLOAD_COST and header.kind not in images.APART:
            assert found.pixels.size == 3 * header.pixels <= 3 * UPLOAD_COST
            read += 1
    assert said
    assert not [sentence for sentence in said if sentence.endswith("..") or "<" in sentence]
    return read


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_images_are_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert survive(1, 280, monkeypatch) > 20


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_thousands_of_mutated_images_are_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert survive(2, 3000, monkeypatch) > 200
