"""A child program: writes hostile images, or decodes those of a folder as uploads are.

python -m tools.attack.open_images make FOLDER mutated COUNT | bombs | photographs
python -m tools.attack.open_images decode FOLDER
"""

from __future__ import annotations

import json
import resource
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.data import hostile
from tests.data.conftest import noise


def mutated(count: int) -> Iterator[bytes]:
    """Changed copies of an image of every kind."""
    rng = np.random.default_rng(1)
    small = Image.fromarray(noise(1, 40, 56))
    whole = [hostile.encoded(small, kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP")]
    whole += [hostile.jpeg(40, progressive=True), hostile.with_scans(12)]
    for number in range(count):
        yield hostile.mutated(rng, whole[number % len(whole)])


def bombs() -> Iterator[bytes]:
    """Much asked for in few bytes."""
    yield from (hostile.with_scans(n) for n in (100, 1000, 5000))
    yield hostile.with_scans(1000, side=1024)
    yield from (hostile.claiming(hostile.jpeg(), w, h) for w, h in ((65500, 65500), (1, 65500), (20000, 20000)))
    yield from (
        hostile.png(w, h, data=zlib.compress(bytes(1000))) for w, h in ((50_000, 50_000), (2**31 - 1, 1), (1, 2**31 - 1))
    )
    yield from (hostile.png(1, n) for n in (16_000_000, 70_000))
    yield hostile.png(16_000_000, 1)
    yield from (
        hostile.png(4, 4, *[hostile.packed_text(n)] * k) for n, k in ((300_000_000, 1), (10_000_000, 40), (1_000, 5_000))
    )
    yield hostile.png(4, 4, *[hostile.chunk(b"tEXt", b"a\0b")] * 100_000)
    yield hostile.png(8, 8, data=zlib.compress(bytes(500_000_000), 9))
    yield hostile.gif(*[hostile.gif_frame()] * 20_000)
    yield hostile.gif(hostile.gif_frame(60_000, 60_000), width=60_000, height=60_000)
    yield from (hostile.webp(16_383, 16_383, frames) for frames in (1, 10_000))
    yield from (hostile.bmp(w, h) for w, h in ((60_000, 60_000), (2**31 - 1, 1), (-5, 5)))
    yield hostile.bmp(4000, 4000, bits=8, compression=1, data=b"\0\1" * 100)
    yield from (raw[: len(raw) // 2] for raw in (hostile.jpeg(400), hostile.png(400, 400)))
    yield from (
        kind + b"\0" * 5000
        for kind in (
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"GIF89a",
            b"RIFF\0\0\0\0WEBP",
            b"BM",
            b"II*\0",
            b"%PDF-1.7",
            b"<svg",
        )
    )
    yield hostile.jpeg() + b"PK\x03\x04" + b"<script>alert(1)</script>"


def photographs() -> Iterator[bytes]:
    """Of 12, 16.3, 24.5, 48.8 and 50.1 megapixels."""
    for width, height in ((4032, 3024), (4928, 3312), (5712, 4284), (8064, 6048), (8160, 6144)):
        yield hostile.photograph(width, height, quality=60)


def used() -> float:
    """Processor seconds of this process and of the children that ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def decode(files: Iterator[Path]) -> dict[str, Any]:
    """What became of the files."""
    from udacisense.data.images import decode_upload
    from udacisense.errors import ImageError

    told = Counter[str](decoded=0, refused=0)
    slowest_cpu_s, slowest_wall_s, other = 0.0, 0.0, []
    for path in files:
        raw, began, before = path.read_bytes(), time.monotonic(), used()
        try:
            decode_upload(raw, path.name, "visitor")
            told["decoded"] += 1
        except ImageError:
            told["refused"] += 1
        except Exception as exc:
            other.append(f"{path.name}: {type(exc).__name__}: {exc}")
        slowest_cpu_s = max(slowest_cpu_s, used() - before)
        slowest_wall_s = max(slowest_wall_s, time.monotonic() - began)
    peaks = [resource.getrusage(who).ru_maxrss * 1024 / 1e6 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return dict(told) | {
        "other": other, "slowest cpu s": slowest_cpu_s, "slowest wall s": slowest_wall_s, "app MB": peaks[0],
        "child MB": peaks[1],
    }  # fmt: skip


def main() -> None:
    """Write, or decode all and print one JSON document."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "decode":
        print(json.dumps(decode(iter(sorted(folder.iterdir())))))
        return
    kinds = {"mutated": lambda: mutated(int(sys.argv[4])), "bombs": bombs, "photographs": photographs}
    folder.mkdir()
    for number, raw in enumerate(kinds[sys.argv[3]]()):
        (folder / f"{number:04d}.jpg").write_bytes(raw)


if __name__ == "__main__":
    main()
