"""How much memory decoding takes, in a process of its own: each kind at its limit, and the largest that stays whole."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.profiles import DISPLAY_P3
from tests.data.test_photographs import ORIENTATION, saved, scene
from udacisense.data.bounds import MAX_JPEG_PIXELS, MEMORY_BYTES, examine, most_pixels
from udacisense.errors import ImageError

CHILD = """
import sys
from udacisense.benchmark.memory import peak_rss_bytes
from udacisense.data.bounds import examine
from udacisense.data.images import decode_here
import pillow_heif, PIL.AvifImagePlugin, PIL.ImageCms, PIL.JpegImagePlugin, PIL.PngImagePlugin, PIL.TiffImagePlugin
raw = open(sys.argv[1], "rb").read()
header = examine(raw, "x")
before = peak_rss_bytes()
decode_here(raw, "x", header, 16_000_000)
print(peak_rss_bytes() - before)
"""


def fast(kind: str) -> dict[str, object]:
    """Options for writing quickly; anew each time, since pillow-heif notes further options in them."""
    return {
        "HEIF": {"quality": 40, "enc_params": {"preset": "ultrafast"}},
        "AVIF": {"quality": 40, "speed": 10},
        "WEBP": {"quality": 40, "method": 0},
        "JPEG": {"quality": 60},
        "PNG": {"compress_level": 1},
        "TIFF": {},
    }[kind]


WHOLE = {"compression": "tiff_lzw", "strip_size": 1 << 30}


def turned() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif.tobytes()


def flat(mode: str, width: int, height: int) -> Image.Image:
    """A smooth image of so many pixels."""
    small = Image.fromarray(scene(64, 64))
    if mode == "F":
        return Image.fromarray(np.asarray(small.convert("L")) / np.float32(255)).resize((width, height))
    large = small.convert(mode).resize((width, height))
    if mode == "RGBA":
        large.putalpha(large.getchannel(0))
    return large


def deep(mode: str, width: int, height: int, chroma: str) -> bytes:
    """A HEIC of 10 bits."""
    from pillow_heif import from_bytes

    pixels = np.asarray(flat(mode, width, height)).astype(np.uint16) << 8
    out = io.BytesIO()
    from_bytes(mode=f"{mode};16", size=(width, height), data=pixels.tobytes()).save(out, chroma=chroma, **fast("HEIF"))
    return out.getvalue()


def taken(raw: bytes, folder: Path) -> int:
    path = folder / "photo"
    path.write_bytes(raw)
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout)


AT_THE_LIMIT = {
    "HEIC 4:2:0": ("HEIF", "RGB", 66.6, {}),
    "HEIC 4:2:0, turned": ("HEIF", "RGB", 61.5, {"exif": turned()}),
    "HEIC 4:2:0 of odd sides, turned": ("HEIF", "RGB", 33.2, {"exif": turned()}),
    "HEIC 4:2:2": ("HEIF", "RGB", 46.4, {"chroma": "422"}),
    "HEIC 4:2:2, turned": ("HEIF", "RGB", 34.7, {"chroma": "422", "exif": turned()}),
    "HEIC 4:4:4": ("HEIF", "RGB", 42.1, {"chroma": "444"}),
    "HEIC 4:4:4 with transparency": ("HEIF", "RGBA", 31.9, {"chroma": "444"}),
    "AVIF 4:2:0": ("AVIF", "RGB", 41.4, {}),
    "AVIF 4:4:4": ("AVIF", "RGB", 35.3, {"subsampling": "4:4:4"}),
    "AVIF 4:4:4 with transparency": ("AVIF", "RGBA", 27.7, {"subsampling": "4:4:4"}),
    "WebP": ("WEBP", "RGB", 23.5, {}),
    "WebP with transparency": ("WEBP", "RGBA", 23.1, {}),
    "WebP without loss": ("WEBP", "RGBA", 23.1, {"lossless": True}),
    "CMYK JPEG in scans": ("JPEG", "CMYK", 44.1, {"progressive": True}),
    "JPEG 4:4:4 in scans": ("JPEG", "RGB", 56.7, {"progressive": True, "subsampling": 0}),
    "JPEG 4:2:0 in scans": ("JPEG", "RGB", 66.6, {"progressive": True}),
    "TIFF": ("TIFF", "RGB", 57.1, {}),
    "TIFF, turned": ("TIFF", "RGB", 49.3, {"exif": turned()}),
    "TIFF in one strip, turned": ("TIFF", "RGB", 36.0, {"exif": turned(), **WHOLE}),
    "float TIFF": ("TIFF", "F", 57.1, {}),
    "float TIFF in one strip": ("TIFF", "F", 49.3, WHOLE),
    "TIFF with transparency in one strip, turned": ("TIFF", "RGBA", 33.0, {"exif": turned(), **WHOLE}),
    "PNG": ("PNG", "RGB", 57.1, {}),
    "PNG with transparency": ("PNG", "RGBA", 33.3, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", AT_THE_LIMIT)
def test_at_its_limit_each_kind_takes_at_most_400_mb(what: str, tmp_path: Path) -> None:
    kind, mode, millions, options = AT_THE_LIMIT[what]
    width = round((millions * 1e6 * 4 / 3) ** 0.5) // 16 * 16
    height = int(millions * 1e6 / width) // 2 * 2
    width, height = (width - 1, height - 1) if "odd" in what else (width, height)
    raw = saved(flat(mode, width, height), kind, **{**fast(kind), **options})
    assert 0.97 * most_pixels(examine(raw, "x")) < width * height, "it is near its limit"
    assert taken(raw, tmp_path) <= MEMORY_BYTES


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "chroma", "width", "height"), [("RGB", "420", 8064, 6192), ("RGB", "422", 6176, 4704), ("RGB", "444", 5856, 4392)]
)
def test_a_heic_of_10_bits_takes_at_most_400_mb(mode: str, chroma: str, width: int, height: int, tmp_path: Path) -> None:
    assert taken(deep(mode, width, height, chroma), tmp_path) <= MEMORY_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_a_jpeg_of_200_megapixels_takes_at_most_400_mb(mode: str, tmp_path: Path) -> None:
    assert taken(saved(flat(mode, 16320, 12240), "JPEG", quality=60), tmp_path) <= MEMORY_BYTES


WHOLE_AT_16 = {
    "AVIF": ("RGBA", {"subsampling": "4:4:4"}),
    "WEBP": ("RGBA", {}),
    "PNG": ("RGBA", {}),
    "JPEG": ("RGB", {"progressive": True, "subsampling": 0}),
    "TIFF": ("F", {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WHOLE_AT_16)
def test_an_image_that_stays_whole_takes_at_most_400_mb(kind: str, tmp_path: Path) -> None:
    mode, options = WHOLE_AT_16[kind]
    profile = {} if mode == "F" else {"icc_profile": DISPLAY_P3.profile()}
    assert taken(saved(flat(mode, 4000, 4000), kind, **fast(kind), **options, **profile), tmp_path) <= MEMORY_BYTES


# --- what the header tells -------------------------------------------------------------------------------------------------

LIMITS = {
    "HEIC 4:2:0": ("HEIF", "RGB", {}, 66),
    "HEIC 4:2:0, turned": ("HEIF", "RGB", {"exif": turned()}, 61),
    "HEIC 4:2:2": ("HEIF", "RGB", {"chroma": "422"}, 46),
    "HEIC 4:2:2, turned": ("HEIF", "RGB", {"chroma": "422", "exif": turned()}, 34),
    "HEIC 4:4:4": ("HEIF", "RGB", {"chroma": "444"}, 42),
    "HEIC with transparency": ("HEIF", "RGBA", {}, 44),
    "HEIC 4:4:4 with transparency": ("HEIF", "RGBA", {"chroma": "444"}, 32),
    "grey HEIC": ("HEIF", "L", {}, 80),
    "AVIF 4:2:0": ("AVIF", "RGB", {}, 41),
    "AVIF 4:2:2": ("AVIF", "RGB", {"subsampling": "4:2:2"}, 39),
    "AVIF 4:4:4": ("AVIF", "RGB", {"subsampling": "4:4:4"}, 35),
    "grey AVIF": ("AVIF", "RGB", {"subsampling": "4:0:0"}, 43),
    "AVIF with transparency": ("AVIF", "RGBA", {}, 31),
    "AVIF 4:4:4 with transparency": ("AVIF", "RGBA", {"subsampling": "4:4:4"}, 27),
    "WebP": ("WEBP", "RGB", {}, 23),
    "WebP with transparency": ("WEBP", "RGBA", {}, 23),
    "JPEG": ("JPEG", "RGB", {}, 256),
    "JPEG in scans": ("JPEG", "RGB", {"progressive": True}, 66),
    "JPEG 4:4:4 in scans": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}, 56),
    "CMYK JPEG": ("JPEG", "CMYK", {}, 256),
    "CMYK JPEG in scans": ("JPEG", "CMYK", {"progressive": True}, 44),
    "TIFF": ("TIFF", "RGB", {}, 57),
    "TIFF in one strip": ("TIFF", "RGB", WHOLE, 56),
    "TIFF, turned": ("TIFF", "RGB", {"exif": turned()}, 49),
    "float TIFF": ("TIFF", "F", {}, 57),
    "float TIFF in one strip": ("TIFF", "F", WHOLE, 49),
}


@pytest.mark.parametrize("what", LIMITS)
def test_the_header_tells_how_large_it_may_be(what: str) -> None:
    kind, mode, options, millions = LIMITS[what]
    raw = saved(flat(mode, 64, 64), kind, **fast(kind), **options)
    assert most_pixels(examine(raw, "x")) // 1_000_000 == millions


@pytest.mark.parametrize(
    ("mode", "chroma", "millions"), [("RGB", "420", 50), ("RGB", "422", 29), ("RGB", "444", 25), ("RGBA", "444", 19)]
)
def test_a_heic_of_10_bits_may_be_less_large(mode: str, chroma: str, millions: int) -> None:
    assert most_pixels(examine(deep(mode, 64, 64, chroma), "x")) // 1_000_000 == millions


def test_an_avif_of_10_bits_may_be_less_large() -> None:
    raw = saved(flat("RGB", 64, 64), "AVIF", subsampling="4:4:4", quality=40)
    at = raw.index(b"av1C") + 6
    deeper = raw[:at] + bytes([raw[at] | 0x40]) + raw[at + 1 :]
    assert most_pixels(examine(deeper, "x")) // 1_000_000 == 27


def test_a_jpeg_whose_only_scan_holds_a_part_is_kept_whole_by_its_decoder() -> None:
    raw = saved(flat("RGB", 64, 64), "JPEG", progressive=True)
    first, second = raw.index(b"\xff\xda"), raw.index(b"\xff\xda", raw.index(b"\xff\xda") + 2)
    assert most_pixels(examine(raw[:second] + b"\xff\xd9", "x")) < MAX_JPEG_PIXELS
    alone = raw[:first].replace(b"\xff\xc2", b"\xff\xc0") + raw[second:]
    assert most_pixels(examine(alone, "x")) < MAX_JPEG_PIXELS


def test_beyond_its_limit_a_file_is_refused_before_it_is_decoded() -> None:
    raw = saved(flat("RGB", 64, 64), "HEIF", chroma="444", quality=40)
    at = raw.index(b"ispe") + 8
    large = raw[:at] + (8064).to_bytes(4, "big") + (6048).to_bytes(4, "big") + raw[at + 8 :]
    with pytest.raises(ImageError, match=r"48\.8 million pixels, and 42 million can be read of such a file\. On a phone"):
        examine(large, "photo.heic")
