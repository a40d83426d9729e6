"""Zips of folders of images: read as the folder would be, without trusting a name or a size in them."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.data.conftest import noise
from udacisense import archives
from udacisense.data.folder import read_folder
from udacisense.data.pool import image_md5
from udacisense.data.sources import fingerprint, load_dataset
from udacisense.errors import DataError
from udacisense.settings import settings


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise(seed)).save(buffer, format="PNG")
    return buffer.getvalue()


def pack(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)
    return path


GOOD = {"set/train/bed/a.png": png(1), "set/train/lamp/b.png": png(2), "set/test/bed/c.png": png(3)}


def test_a_zip_is_read_as_the_folder_in_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(home / "set.zip", {**GOOD, "__MACOSX/set/train/bed/._a.png": b"\0", "set/train/bed/.DS_Store": b"\0"})
    monkeypatch.setenv("UDACISENSE_DATA_DIR", str(path))
    settings.cache_clear()
    data = load_dataset("test")
    assert data.hashes == (image_md5(noise(3))[:16],)
    assert data.skipped == ()
    assert len(load_dataset("train")) == 2
    assert sorted(p.name for p in home.iterdir() if p.name not in ("set.zip", "images")) == [], "nothing is unpacked"
    before = fingerprint()
    pack(path, {**GOOD, "set/test/bed/d.png": png(4)})
    assert fingerprint() != before
    assert len(load_dataset("test")) == 2


def test_a_zip_with_a_table_of_labels(tmp_path: Path) -> None:
    path = pack(
        tmp_path / "set.zip", {"x/1.png": png(1), "x/2.png": png(2), "labels.csv": b"filename,label\n1.png,bed\n2.png,bed\n"}
    )
    assert [p.label for p in read_folder(path).images] == [5, 5]


@pytest.mark.parametrize("name", ["../bed/a.png", "/bed/a.png", "bed/../../a.png", "C:/bed/a.png", "..\\bed\\a.png"])
def test_a_zip_whose_parts_lead_out_of_it_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="would lie outside of it"):
        read_folder(pack(tmp_path / "set.zip", {**GOOD, name: png(1)}))


def test_links_and_archives_in_a_zip_are_counted_and_not_followed(tmp_path: Path) -> None:
    path = pack(tmp_path / "set.zip", {**GOOD, "set/train/bed/more.zip": b"PK"})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("set/train/bed/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    found = {s.path: s.kind for s in read_folder(path).skipped}
    assert found == {"set/train/bed/link.png": "a link", "set/train/bed/more.zip": "another file"}


def test_a_damaged_image_in_a_zip_is_counted(tmp_path: Path) -> None:
    path = pack(tmp_path / "set.zip", GOOD)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"set/train/bed/a.png") + 200
    raw[at : at + 40] = bytes(40)
    path.write_bytes(raw)
    pool = read_folder(path)
    assert len(pool.images) == 2
    assert "a.png is damaged in set.zip" in pool.skipped[0].reason


def test_bombs_and_floods_are_refused_by_their_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = pack(tmp_path / "bomb.zip", {**GOOD, "set/train/bed/z.bmp": bytes(80 << 20)})
    with pytest.raises(DataError, match="would unpack to 80 MB, as a folder of images does not"):
        read_folder(bomb)
    monkeypatch.setattr("udacisense.data.zipped.IMAGES", archives.Bounds("a folder of images", 2, 4))
    with pytest.raises(DataError, match="lists 3 parts, a folder of images has at most 2"):
        read_folder(pack(tmp_path / "flood.zip", GOOD))


@pytest.mark.parametrize("raw", [b"", b"no zip at all", b"PK\3\4 and no more"])
def test_what_is_no_zip_says_so(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"The zip .* cannot be used: .*Pack the folder of images again"):
        read_folder(path)


def test_a_large_member_is_counted_by_its_size_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "set.zip", GOOD)
    monkeypatch.setattr("udacisense.data.folder.MAX_FILE_BYTES", 10)
    with pytest.raises(DataError, match="3 files could not be used"):
        read_folder(path)
