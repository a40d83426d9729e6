"""What an image file says of itself before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

MOST_PARTS = 10_000
"""Segments, chunks and blocks that hold no pixels. Pillow takes each in Python; cameras and editors write below a hundred."""

MOST_DATA_PARTS = 200_000
"""Chunks and blocks that hold pixels: writers fill each with 255 to 8,192 bytes or more, so this is 50 MB of GIF."""


@dataclass(slots=True)
class Header:
    """Header of an image file."""

    kind: str  # one of kinds.FORMATS
    width_px: int = 0
    height_px: int = 0
    scans: int = 1  # passes over all pixels that the decoder has to make
    frames: int = 1
    parts: int = 0  # segments, chunks or blocks without pixels
    data_parts: int = 0  # chunks or blocks with pixels
    data_bytes: int = 0  # of pixels, compressed
    extra_bytes: int = 0  # of everything else
    packed_texts: int = 0  # texts and profiles that are compressed
    bits: int = 24  # of a pixel, before decoding
    samples: float = 3  # values stored for a pixel, transparency aside: 1.5 where four pixels share their two colours (4:2:0)
    depth: int = 8  # bits of such a value in HEIF and AVIF
    in_scans: bool = False  # a JPEG of which the decoder keeps everything until the last scan
    piece_bits: float = 0  # of a compressed TIFF's largest strip or tile, spread over all pixels
    odd: bool = False  # a side of a HEIF or AVIF is of an odd length
    turned: bool = False  # a TIFF or HEIF that is turned or mirrored by its decoder
    alpha: bool = False  # whether some pixels may be transparent, as far as the header tells
    cut_off: bool = False  # a part reaches over the end of the file
    run_lengths: bool = False  # a BMP whose runs are read one by one, in Python

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width_px * self.height_px

    def overfull(self) -> bool:
        """Whether there is more of something than is walked through."""
        return self.parts > MOST_PARTS or self.data_parts > MOST_DATA_PARTS

    def size(self, width: int, height: int) -> None:
        """Note the size."""
        self.width_px, self.height_px = width, height
