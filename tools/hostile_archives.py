"""Archives of TorchScript files taken apart and packed again, for `hostile_scripts` and the attack."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping

CODE = "code/__torch__.py"


def with_code(whole: bytes, code: str) -> bytes:
    """The archive with other code."""
    return repacked(whole, {CODE: code.encode()})


def member(whole: bytes, name: str) -> bytes:
    """A member of the archive, by its name below the root folder."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return archive.read(next(n for n in archive.namelist() if n.partition("/")[2] == name))


def repacked(
    whole: bytes, changed: Mapping[str, bytes], extra: list[tuple[str, bytes]] | None = None, comment: bytes = b""
) -> bytes:
    """The archive with some members replaced (debug records are left out), others added, packed where they are large."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive, zipfile.ZipFile(out, "w") as new, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that come twice, which is meant
        new.comment = comment
        root = archive.namelist()[0].partition("/")[0]
        for name in archive.namelist():
            if not name.endswith(".debug_pkl"):
                _write(new, name, changed.get(name.partition("/")[2], archive.read(name)))
        for name, content in extra or ():
            _write(new, f"{root}/{name}", content)
    return out.getvalue()


def _write(new: zipfile.ZipFile, name: str, content: bytes) -> None:
    new.writestr(name, content, zipfile.ZIP_DEFLATED if len(content) > 10_000_000 else zipfile.ZIP_STORED)


def renamed_operator(lite: bytes, operator: str) -> bytes:
    """A lite file whose first operator is called otherwise."""
    with zipfile.ZipFile(io.BytesIO(lite)) as archive:
        name = next(n for n in archive.namelist() if n.endswith("bytecode.pkl"))
        raw = archive.read(name)
    old = b"aten::relu"
    wanted = f"aten::{operator}".encode()
    changed = raw.replace(len(old).to_bytes(4, "little") + old, len(wanted).to_bytes(4, "little") + wanted)
    if changed == raw:
        raise ValueError("the lite file calls no relu")
    return repacked(lite, {name.partition("/")[2]: changed})
