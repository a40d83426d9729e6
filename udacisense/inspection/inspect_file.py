"""`inspect_file`: read a file in a process of its own, bound in memory and time, and say what is inside."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from udacisense import files, scratch
from udacisense.errors import InspectError, StoreError
from udacisense.foreign import in_brief
from udacisense.inspection.advice import judge
from udacisense.inspection.inspection import Inspection, describe
from udacisense.inspection.limits import WALL_S
from udacisense.inspection.structure import ModelStructure
from udacisense.processes.spawn import popen
from udacisense.records import store

MARKS = {b"TFL3": "litert", b"ET12": "executorch"}
SUFFIXES = {".onnx": "onnx", ".mlpackage": "coreml", ".tflite": "litert", ".pte": "executorch", ".ptl": "torchscript"}
READABLE = ("executorch", "litert", "onnx", "coreml", "torchscript", "torchscript-lite")
MAX_FILE_BYTES = 1 << 30
"""Largest file that is looked into; the largest classifier for a phone has a few hundred MB."""


def inspect_file(path: Path, format: str | None = None, precision: str | None = None) -> Inspection:
    """Inspection of a file; without `format` and `precision` they are told by its content and its name.

    Raises:
        InspectError: it is of no known format, cut off, damaged, hostile, or takes too much memory or time.
    """
    size_bytes = _size(path)
    known = format or identify(path)
    if known not in READABLE:
        raise InspectError(f"A file of the format {known!r} has no inside to show. Choose one of: {', '.join(READABLE)}.")
    anatomy = read(known, path)
    digest = store.sha256_of(path) if path.is_file() else ""
    about = describe(anatomy, path.name, digest, known, precision or _precision_in(path.name), size_bytes)
    return dataclasses.replace(about, findings=judge(anatomy, about))


def identify(path: Path) -> str:
    """The format of a file, by its first bytes, the members of its archive, or last its name.

    Raises:
        InspectError: none is known.
    """
    suffix = "".join(path.suffixes[-1:]).lower()
    try:
        head = b"" if path.is_dir() else _head(path)
        if head[4:8] in MARKS:
            return MARKS[head[4:8]]
        if head[:2] == b"PK":
            with zipfile.ZipFile(path) as archive:
                return _in_archive(archive.namelist())
    except (OSError, StoreError, zipfile.BadZipFile, ValueError) as exc:
        raise InspectError(f"{path.name} cannot be inspected: it cannot be read ({in_brief(exc)}). Copy it again.") from exc
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    raise InspectError(f"{path.name} is of no format that is known here. Known are: {', '.join(READABLE)}.")


def _head(path: Path) -> bytes:
    with files.open_regular(path) as file:
        return file.read(8)


def _in_archive(names: list[str]) -> str:
    if any(name.endswith("bytecode.pkl") for name in names):
        return "torchscript-lite"
    if any(name.endswith("Manifest.json") for name in names):
        return "coreml"
    return "torchscript"


def read(format: str, path: Path) -> ModelStructure:
    """The file taken apart by a child process.

    Raises:
        InspectError: the child refused the file, died, or was ended.
    """
    with tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:
        return _read(format, path, folder)


def _read(format: str, path: Path, folder: str) -> ModelStructure:
    command = [sys.executable, "-m", "udacisense.inspection.child", format, str(path.absolute()), folder]
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "TMPDIR": folder}
    child = popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        out, _ = child.communicate(timeout=WALL_S)
    except subprocess.TimeoutExpired as exc:
        child.kill()
        child.communicate()
        raise _refused(path, format, f"reading it took longer than {WALL_S:.0f} s and was ended") from exc
    return outcome(path, format, child.returncode, out)


def outcome(path: Path, format: str, code: int, out: bytes) -> ModelStructure:
    """What a child that ended with `code` has to say about a file.

    Raises:
        InspectError: nothing good.
    """
    try:
        document = json.loads(out)
        if "error" in document:
            raise _refused(path, format, str(document["error"]))
        return TypeAdapter(ModelStructure).validate_python(document["anatomy"])
    except (ValueError, KeyError, TypeError, ValidationError) as exc:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        raise _refused(path, format, f"the process that read it {how}") from exc


def _refused(path: Path, format: str, why: str) -> InspectError:
    return InspectError(
        f"{path.name} cannot be inspected as {format}: {why.strip().rstrip('.')}. "
        "Copy or convert it again; do not run it before that."
    )


def _size(path: Path) -> int:
    try:
        files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        size = sum(p.stat().st_size for p in files)
    except OSError as exc:
        raise InspectError(f"{path} cannot be inspected: {exc.strerror}. Check the path.") from exc
    if size == 0:
        raise InspectError(f"{path.name} cannot be inspected: it is empty. Copy or convert it again.")
    if size > MAX_FILE_BYTES:
        raise InspectError(f"{path.name} cannot be inspected: it has {size / 2**30:.1f} GiB, a phone's file has far less.")
    return size


def _precision_in(name: str) -> str | None:
    found = re.search(r"(?<![a-z0-9])(int8|fp16|fp32)(?![0-9])", name.lower())
    return found.group(1) if found else None
