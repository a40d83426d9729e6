"""Fetching CIFAR-100, when a person asked for it and never otherwise.

A broken transfer keeps what it got and goes on from there; nothing counts as downloaded before its checksum is right, and
the unpacked folder appears in one step.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import ssl
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from udacisense.data.cifar100 import FOLDER, cifar100_folder
from udacisense.errors import DownloadError
from udacisense.foreign import in_brief
from udacisense.number_format import mb
from udacisense.progress import part, report
from udacisense.settings import settings
from udacisense.vision import torchvision
from udacisense.writable import way_out

SIZE_MB = 169
"""Roughly what is transferred; unpacked it takes 186 MB more."""

TIMEOUT_S = 30.0
_BLOCK_BYTES = 1024**2


def download_cifar100(confirm: bool) -> Path:
    """The folder with CIFAR-100's files, fetched and unpacked unless they are already there and whole.

    Args:
        confirm: a person agreed to the transfer; without it nothing is sent or written.

    Raises:
        DownloadError: not confirmed, no connection, a broken transfer, a wrong checksum, no space, or one is running already.
    """
    published = torchvision().datasets.CIFAR100
    if not confirm:
        raise DownloadError(
            f"CIFAR-100 is not downloaded without being asked: about {SIZE_MB} MB come from {published.url}. "
            "Confirm it on the Dataset page, or run `python -m udacisense data --download`."
        )
    if _is_whole(cifar100_folder(), published):
        return cifar100_folder()
    with _alone() as staging:
        with part(0.0, 0.9):
            archive = _fetch(published.url, staging / published.filename)
        report(0.9, "checking the archive")
        _require_md5(archive, published.tgz_md5)
        report(0.95, "unpacking")
        _unpack(archive, published)
        report(1.0, "CIFAR-100 is ready")
    return cifar100_folder()


def _is_whole(folder: Path, published: Any) -> bool:
    wanted = published.train_list + published.test_list
    return all((folder / name).is_file() and _md5(folder / name) == md5 for name, md5 in wanted)


@contextmanager
def _alone() -> Iterator[Path]:
    """The folder for what is on its way, for one download at a time; it stays after a failure, to go on from."""
    staging = settings().cache_dir / ".cifar100-download"
    try:
        staging.mkdir(parents=True, exist_ok=True)
        with FileLock(settings().cache_dir / ".cifar100-download.lock", timeout=0):
            yield staging
            shutil.rmtree(staging, ignore_errors=True)
    except Timeout as exc:
        raise DownloadError("CIFAR-100 is being downloaded already. Wait for that download to end.") from exc
    except OSError as exc:
        raise DownloadError(
            f"CIFAR-100 could not be written to {staging}: {exc.strerror or exc}. {way_out(staging, exc)}"
        ) from exc


def _fetch(url: str, target: Path) -> Path:
    """The file behind `url`; what an earlier try got is kept and continued."""
    if target.is_file():
        return target
    partial = target.with_name(f"{target.name}.part")
    try:
        _receive(url, partial)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as exc:
        raise DownloadError(
            f"The download from {url} broke off: {in_brief(exc)}. Check the connection and start it again; "
            f"{mb(_have(partial))} are kept and will not be fetched twice."
        ) from exc
    os.replace(partial, target)
    return target


def _receive(url: str, partial: Path) -> None:
    have = _have(partial)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as exc:
        exc.close()
        if exc.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # nothing is missing; the checksum decides whether it is right
        raise
    with response:
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        start = have if goes_on else 0
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        with partial.open("ab" if goes_on else "wb") as file:
            got = _copy(response, file, start, total)
    if total is not None and got < total:
        raise http.client.IncompleteRead(b"", total - got)


def _copy(response: Any, file: Any, start: int, total: int | None) -> int:
    got = start
    while block := response.read(_BLOCK_BYTES):
        file.write(block)
        got += len(block)
        whole = total or SIZE_MB * 1_000_000
        report(got / whole, f"downloading, {mb(got, 0)} of {mb(whole, 0)}")
    return got


def _have(partial: Path) -> int:
    return partial.stat().st_size if partial.is_file() else 0


def _require_md5(archive: Path, md5: str) -> None:
    found = _md5(archive)
    if found != md5:
        archive.unlink()
        raise DownloadError(
            f"What was downloaded is not the published CIFAR-100 (md5 {found} instead of {md5}), so it was deleted. "
            "Start the download again; if this repeats, something between here and the server changes the file."
        )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _unpack(archive: Path, published: Any) -> None:
    """torchvision unpacks the checked archive beside it; the folder moves into place once every file in it is right."""
    unpacked = archive.parent / FOLDER
    try:
        torchvision().datasets.utils.extract_archive(str(archive), str(archive.parent))
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as exc:
        raise DownloadError(f"CIFAR-100's archive could not be unpacked: {in_brief(exc)}. Make room and try again.") from exc
    if not _is_whole(unpacked, published):
        raise DownloadError("CIFAR-100's archive does not hold the published files. Update torchvision and try again.")
    shutil.rmtree(cifar100_folder(), ignore_errors=True)
    os.replace(unpacked, cifar100_folder())
