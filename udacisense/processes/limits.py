"""Limits of a process that handles a file from nobody knows where: memory, processor time, files, and its parent's life.

`rlimits` bound memory, processor time and the size of written files wherever the system has them. On Linux, Landlock (a
security module of the kernel) also closes every file and TCP port that was not named. `confinement` says which
of them hold here.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

PARENT = "UDACISENSE_PARENT_PID"
"""Environment variable that tells a child which process it belongs to."""

MEMORY_BYTES = 1 << 30
"""What a process that opens a model file may fill, beside three times the file; torch itself needs about a quarter of it."""

ADDRESS_BYTES = 6 << 30
"""Address space beside that; torch maps about 2 GiB without using it."""

FILE_BYTES = 1 << 20
"""Largest file that such a process may write into its own temporary folder."""

NOWHERE = "/dev/null"
"""The temporary folder of a process that may write nothing."""

_FIRST_TO_GO = "1000"
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/lib32",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/sys/devices/system",
    "/sys/fs/cgroup",
)
_ABOUT_SELF = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys", "/dev/urandom", "/dev/zero")
_bound = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a process may use, once `apply` was called in it. None = no limit of this kind."""

    memory_bytes: int | None = None  # of its own data
    cpu_s: int | None = None  # processor time
    file_bytes: int | None = None  # of each file that it writes
    read: tuple[str, ...] | None = None  # folders and files beside the interpreter's own; None = everything
    write: tuple[str, ...] = ()  # folders in which it may write; nothing else on Linux

    @classmethod
    def for_file(cls, path: Path, *, read: Iterable[Path] = (), write: Iterable[Path] = (), cpu_s: int | None = None) -> Bounds:
        """The bounds of a process that opens one model file: it sees that file and writes nothing but where told."""
        size = path.stat().st_size if path.is_file() else 0
        return cls(
            memory_bytes=MEMORY_BYTES + 3 * size,
            cpu_s=cpu_s,
            file_bytes=FILE_BYTES,
            read=(str(path), *map(str, read)),
            write=tuple(map(str, write)),
        )


def apply(bounds: Bounds) -> None:
    """Bind this process, and all that it starts, for good. Call it before threads are started and torch is imported."""
    global _bound
    limit_resources(bounds)
    _settle_temporary_folder(bounds)
    close_files(bounds)
    _bound = True


def is_bound() -> bool:
    """Whether `apply` was called in this process: only then is code that a file carries loaded here."""
    return _bound


def confinement() -> str:
    """What bounds hold on this machine, in a sentence for people."""
    if sys.platform == "win32":
        return "time only; this system bounds neither the memory nor the files of a child process here."
    version = landlock_version()
    if version is None:
        why = "Linux without Landlock" if sys.platform == "linux" else "this system has no Landlock"
        return f"memory, processor time and the size of written files, but not in which files it reads or writes ({why})."
    network = " and TCP ports" if version >= 4 else ""
    return f"memory, processor time, and by Landlock (version {version}) in every file{network} that is not named."


@lru_cache(maxsize=1)
def landlock_version() -> int | None:
    """The version of the kernel's Landlock interface; None = this system has none, or it is switched off."""
    if sys.platform != "linux":
        return None
    try:
        from py_landlock import get_abi_version

        return int(get_abi_version())
    except Exception:  # not built in, switched off, another processor, or the package is missing
        return None


# --- resources -----------------------------------------------------------------------------------------------------------


def limit_resources(bounds: Bounds) -> None:
    """Bind memory, processor time and the size of written files, where the system has such limits."""
    with suppress(OSError):  # of all processes, Linux ends this one first where memory runs out
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    if sys.platform == "win32":
        return
    import resource

    limits = [(resource.RLIMIT_CORE, 0)]
    if bounds.memory_bytes is not None:
        limits += [(resource.RLIMIT_DATA, bounds.memory_bytes), (resource.RLIMIT_AS, ADDRESS_BYTES + bounds.memory_bytes)]
    if bounds.cpu_s is not None:
        limits += [(resource.RLIMIT_CPU, bounds.cpu_s)]
    if bounds.file_bytes is not None:
        limits += [(resource.RLIMIT_FSIZE, bounds.file_bytes)]
    for what, most in limits:
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def allow_cpu(seconds: float) -> None:
    """Let this process use so much more processor time from now on; the kernel ends it after that."""
    if sys.platform == "win32":
        return
    import resource

    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, hard))


def own_temporary_folder() -> Path:
    """The temporary folder that `rpc.Child` made for this process alone.

    Not the one that Python finds: where its own cannot be used that is everybody's.
    """
    return Path(os.environ["TMPDIR"])


# --- files ---------------------------------------------------------------------------------------------------------------


def _settle_temporary_folder(bounds: Bounds) -> None:
    """Tell libraries a temporary folder: they try to find one while they are imported, and fail where none can be written."""
    with suppress(OSError):
        if any(Path(tempfile.gettempdir()).is_relative_to(place) for place in bounds.write):
            return
    tempfile.tempdir = next(iter(bounds.write), NOWHERE)


def close_files(bounds: Bounds) -> None:
    """Close every file and TCP port that is not named, where the system has Landlock."""
    if landlock_version() is None:
        return
    from py_landlock import AccessFs, Landlock

    rules = Landlock(strict=False)  # an older kernel closes what it can
    reading = AccessFs.READ_FILE | AccessFs.READ_DIR | AccessFs.EXECUTE
    for path in _existing(("/",) if bounds.read is None else (*_own_places(), *bounds.read)):
        rules.add_path_rule(path, access=reading if path.is_dir() else AccessFs.READ_FILE | AccessFs.EXECUTE)
    for path in _existing(bounds.write):
        rules.allow_read_write(path).add_path_rule(path, access=AccessFs.REFER)
    rules.add_path_rule("/dev/null", access=AccessFs.READ_FILE | AccessFs.WRITE_FILE)
    rules.apply()


def _own_places() -> tuple[str, ...]:
    """What Python and its packages themselves need to read."""
    from udacisense.settings import SHARED  # pydantic, which --help has no need of

    packages = sysconfig.get_paths()
    imported = (p for p in sys.path if p and Path(p).name in ("site-packages", "dist-packages", "lib-dynload"))
    return (
        *_SYSTEM, *_ABOUT_SELF, *imported, sys.prefix, sys.base_prefix, packages["stdlib"], packages["purelib"],
        packages["platlib"], str(PACKAGE), str(SHARED / "readiness.toml"),
    )  # fmt: skip


def _existing(paths: Iterable[str]) -> list[Path]:
    return [path for path in map(Path, paths) if path.exists()]


# --- parent --------------------------------------------------------------------------------------------------------------


def die_with_parent() -> None:
    """End this process when the one that started it ends, however it ends.

    Nothing is done in a process that was not started by `processes.spawn`.
    """
    parent = os.environ.get(PARENT, "")
    if not parent.isdigit() or os.getppid() != int(parent):
        if parent and os.getppid() == 1:  # it is gone already
            os._exit(1)
        return
    if sys.platform == "linux":
        import ctypes
        import signal

        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):  # it ended in between
            os._exit(1)
        return
    threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    """What stands in for the kernel's signal on systems that have none."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
