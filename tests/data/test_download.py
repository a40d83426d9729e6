"""The download, against a server on this machine that offers a small stand-in in CIFAR-100's own archive format."""

from __future__ import annotations

import hashlib
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from tests.data.conftest import cifar_rows, write_cifar
from udacisense.data import cifar100, download
from udacisense.data.download import download_cifar100
from udacisense.data.sources import default_source, load_dataset
from udacisense.errors import DownloadError
from udacisense.progress import watched_by
from udacisense.settings import settings
from udacisense.vision import torchvision


@dataclass
class Server:
    """What the server offers, how it fails, and what it was asked for."""

    archive: bytes
    url: str = ""
    ranges: list[str | None] = field(default_factory=list)  # the Range header of each request
    stop_after: int | None = None  # bytes after which the connection breaks
    ignores_ranges: bool = False
    status: int = 200

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and not self.ignores_ranges else 0
        if self.status != 200 or (wanted and start >= len(self.archive)):
            handler.send_error(self.status if self.status != 200 else 416)
            return
        body = self.archive[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.stop_after])


@pytest.fixture
def server(sample_home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """torchvision's CIFAR100 and our checksums point to the stand-in."""
    archive, md5s = make_archive(tmp_path_factory.mktemp("published"))
    offered = Server(archive)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            offered.answer(self)

        def log_message(self, format: str, *args: object) -> None: ...

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    offered.url = f"http://127.0.0.1:{httpd.server_port}/cifar-100-python.tar.gz"
    published = torchvision().datasets.CIFAR100
    monkeypatch.setattr(published, "url", offered.url)
    monkeypatch.setattr(published, "tgz_md5", hashlib.md5(archive).hexdigest())
    monkeypatch.setattr(published, "train_list", [["train", md5s["train"]]])
    monkeypatch.setattr(published, "test_list", [["test", md5s["test"]]])
    monkeypatch.setitem(cifar100.MD5, "train", md5s["train"])
    monkeypatch.setitem(cifar100.MD5, "test", md5s["test"])
    monkeypatch.setattr(download, "_BLOCK_BYTES", 4096)
    yield offered
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def make_archive(where: Path) -> tuple[bytes, dict[str, str]]:
    folder = where / cifar100.FOLDER
    md5s = {s: write_cifar(folder, s, *cifar_rows(n, n)) for s, n in (("train", 60), ("test", 40))}  # type: ignore[arg-type]
    with tarfile.open(where / "archive.tar.gz", "w:gz") as tar:
        tar.add(folder, cifar100.FOLDER)
    return (where / "archive.tar.gz").read_bytes(), md5s


def left_behind() -> list[str]:
    """What lies in the cache folder beside the finished images and the lock."""
    cache = settings().cache_dir
    found = [p.relative_to(cache).as_posix() for p in cache.rglob("*") if p.is_file()] if cache.is_dir() else []
    return sorted(p for p in found if not p.startswith(cifar100.FOLDER) and not p.endswith(".lock"))


def test_nothing_is_sent_or_written_without_being_asked(server: Server) -> None:
    with pytest.raises(DownloadError, match=r"not downloaded without being asked.*169 MB.*--download"):
        download_cifar100(confirm=False)
    assert server.ranges == []
    assert not settings().cache_dir.exists()


def test_downloads_checks_unpacks_and_becomes_the_default(server: Server) -> None:
    told: list[tuple[float, str]] = []
    with watched_by(lambda fraction, stage: told.append((fraction, stage))):
        folder = download_cifar100(confirm=True)
    assert folder == cifar100.cifar100_folder()
    assert default_source() == "cifar100"
    assert len(load_dataset("test")) == 10
    assert left_behind() == []
    fractions = [f for f, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert sum(stage.startswith("downloading") for _, stage in told) > 3


def test_what_is_there_and_whole_is_not_fetched_again(server: Server) -> None:
    download_cifar100(confirm=True)
    download_cifar100(confirm=True)
    assert len(server.ranges) == 1


def test_a_damaged_copy_is_replaced(server: Server) -> None:
    folder = download_cifar100(confirm=True)
    (folder / "test").write_bytes(b"damaged")
    download_cifar100(confirm=True)
    assert len(load_dataset("test", "cifar100")) == 10


def test_a_broken_transfer_goes_on_where_it_stopped(server: Server) -> None:
    server.stop_after = 10_000
    with pytest.raises(DownloadError, match=r"broke off.*under 0\.01 MB are kept and will not be fetched twice"):
        download_cifar100(confirm=True)
    assert left_behind() == [".cifar100-download/cifar-100-python.tar.gz.part"]
    assert not cifar100.is_downloaded()
    server.stop_after = None
    download_cifar100(confirm=True)
    assert server.ranges == [None, "bytes=10000-"]
    assert left_behind() == []


def test_a_server_that_cannot_go_on_starts_over(server: Server) -> None:
    server.stop_after = 10_000
    with pytest.raises(DownloadError):
        download_cifar100(confirm=True)
    server.stop_after, server.ignores_ranges = None, True
    download_cifar100(confirm=True)
    assert cifar100.is_downloaded()


def test_a_transfer_killed_after_its_last_byte_is_finished(server: Server) -> None:
    partial = settings().cache_dir / ".cifar100-download/cifar-100-python.tar.gz.part"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(server.archive)
    download_cifar100(confirm=True)
    assert server.ranges == [f"bytes={len(server.archive)}-"]
    assert cifar100.is_downloaded()


def test_a_wrong_checksum_is_deleted_and_said(server: Server) -> None:
    right = server.archive
    server.archive = right[:-1] + b"?"
    with pytest.raises(DownloadError, match=r"not the published CIFAR-100.*deleted"):
        download_cifar100(confirm=True)
    assert left_behind() == []
    assert not cifar100.is_downloaded()
    server.archive = right
    download_cifar100(confirm=True)
    assert cifar100.is_downloaded()


def test_an_archive_without_the_right_files_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision().datasets.CIFAR100, "test_list", [["test", "0" * 32]])
    with pytest.raises(DownloadError, match="does not hold the published files"):
        download_cifar100(confirm=True)
    assert not cifar100.is_downloaded()


@pytest.mark.parametrize("status", [404, 503])
def test_a_server_that_refuses_is_told(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=f"broke off: HTTP Error {status}.*Check the connection"):
        download_cifar100(confirm=True)
    assert left_behind() == []


def test_no_connection_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision().datasets.CIFAR100, "url", "http://127.0.0.1:1/gone")
    with pytest.raises(DownloadError, match=r"Connection refused.*Check the connection"):
        download_cifar100(confirm=True)


def test_a_second_download_at_the_same_time_is_refused(server: Server) -> None:
    settings().cache_dir.mkdir(parents=True)
    with (
        FileLock(settings().cache_dir / ".cifar100-download.lock"),
        pytest.raises(DownloadError, match="downloaded already"),
    ):
        download_cifar100(confirm=True)
    assert server.ranges == []


def test_a_full_disk_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_copy", full)
    with pytest.raises(DownloadError, match=r"No space left.*Free some space"):
        download_cifar100(confirm=True)
