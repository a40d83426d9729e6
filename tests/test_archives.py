"""Archives and pickles that would unpack to far more than they seem, or that two readers could read in two ways."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from udacisense import archives
from udacisense.archives import ArchiveError
from udacisense.errors import CheckpointError
from udacisense.models.checkpoint import read_checkpoint
from udacisense.models.loading import load_network


def packed(*members: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def saved() -> bytes:
    """A state_dict as torch saves it."""
    out = io.BytesIO()
    torch.save({f"layer{i}": torch.zeros(i % 7 + 1) for i in range(1500)}, out)
    return out.getvalue()


def overlapping(raw: bytes) -> bytes:
    """Each directory entry points at the first part."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        first = archive.infolist()[0].header_offset
    data, at = bytearray(raw), 0
    while (at := data.find(b"PK\x01\x02", at + 1)) > 0:
        data[at + 42 : at + 46] = first.to_bytes(4, "little")
    return bytes(data)


BIG = b"\0" * (100 << 20)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda: packed(("a", BIG), how=zipfile.ZIP_DEFLATED), "would unpack to 100 MB", id="bomb"),
        pytest.param(lambda: packed(*((str(i), b"") for i in range(21_000))), "lists 21000 parts", id="entries"),
        pytest.param(lambda: packed(("a", b"1"), ("A", b"2")), "two parts of one name", id="a name twice"),
        pytest.param(lambda: b"MZ" + packed(("a", b"1")), "does not begin", id="something before"),
        pytest.param(lambda: packed(("a", b"1")) + b"\0", "something follows", id="something after"),
        pytest.param(lambda: packed(("a", b"1" * 999))[:-40], "cut off", id="cut"),
        pytest.param(lambda: overlapping(packed(*((str(i), b"1" * 9999) for i in range(9)))), "no whole zip", id="overlap"),
        pytest.param(lambda: packed(("a", b"1"), how=zipfile.ZIP_LZMA), "packed in a way", id="lzma"),
    ],
)
def test_each_trick_has_its_reason(tmp_path: Path, make: Callable[[], bytes], said: str) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(make())
    with pytest.raises(ArchiveError, match=said), archives.opened(path) as archive:
        archive.read(archive.namelist()[1])


def test_what_torch_saves_is_let_in(tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(saved())
    with archives.opened(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith("data.pkl"))
        archives.check_pickle(archives.read_text(archive, name))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "nested deeper"),
        (b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".", "nested deeper"),
        (b"\x80\x02" + b"K\x010" * 1_100_000 + b"N.", "more parts"),
        (b"\x80\x02]", "damaged"),
        (b"\xff\xff", "damaged"),
    ],
)
def test_a_deep_long_or_damaged_pickle_is_told(raw: bytes, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        archives.check_pickle(raw)


def test_the_strings_of_a_pickle_are_read_without_running_it() -> None:
    raw = pickle.dumps({"aten::save": [("x", "torch.classes.y")]}, protocol=2)
    assert set(archives.strings_of(raw)) == {"aten::save", "x", "torch.classes.y"}


def test_a_bomb_is_refused_before_torch_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.pth"
    path.write_bytes(packed(("m/data.pkl", pickle.dumps({})), ("m/data/0", BIG), how=zipfile.ZIP_DEFLATED))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    with pytest.raises(CheckpointError, match=r"m\.pth cannot be read as weights.*would unpack to 100 MB"):
        load_network(read_checkpoint(path))


def test_arrays_that_would_fill_the_memory_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(packed(("logits.npy", BIG), how=zipfile.ZIP_DEFLATED))
    archives.check_arrays(path)
    monkeypatch.setattr(archives, "MAX_ARRAYS_BYTES", 50 << 20)
    with pytest.raises(ArchiveError, match="would unpack to 100 MB"):
        archives.check_arrays(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ArchiveError, match="no archive of arrays"):
        archives.check_arrays(path)


def test_a_file_larger_than_any_model_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.pth"
    with path.open("wb") as file:
        file.truncate(archives.MAX_FILE_BYTES + 1)  # a hole: it takes no room
    with pytest.raises(ArchiveError, match=r"it has 2\.0 GB"):
        archives.check_file(path)
