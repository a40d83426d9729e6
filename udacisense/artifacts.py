"""Converted files and their records below models/mobile: list, find, open. Listing needs no runtime."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from udacisense import archives, files
from udacisense.errors import (
    CheckpointError,
    FormatError,
    NotFoundError,
    RunError,
    StoreError,
    UdaciSenseError,
    UnavailableError,
)
from udacisense.foreign import in_brief
from udacisense.formats import get_format
from udacisense.models.checkpoint import SUFFIXES, find_checkpoint, list_checkpoints
from udacisense.models.naming import existing_file, not_found
from udacisense.records import queries, store
from udacisense.remote import RemoteModel
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint, FailedConversion, Format, ModelFile, Session, Subject, format_name

Named = Subject | str | Path
"""A checkpoint or artifact: its record, its id, or the path of its file."""


def mobile_dir() -> Path:
    """Folder of the artifacts, one subfolder each, and of the published files."""
    return settings().models_dir / "mobile"


def list_artifacts() -> store.Listing[Artifact]:
    """Every artifact, oldest first; a folder that cannot be read is named in `problems`, not hidden and not fatal."""
    found: list[Artifact] = []
    problems: list[str] = []
    for folder in sorted(mobile_dir().glob("*")):
        record = folder / store.ARTIFACT_RECORD
        if folder.suffix == ".part" or not os.path.lexists(record):  # being written, or no artifact
            continue
        try:
            files.check_place(record, settings().models_dir)
            found.append(read_artifact(folder))
        except StoreError as exc:
            problems.append(str(exc))
    found.sort(key=lambda a: (a.made.created, a.id))
    return store.Listing(tuple(found), tuple(problems))


def read_artifact(folder: Path, *, changed: bool = False) -> Artifact:
    """The artifact in a folder, its path where the folder lies now.

    Args:
        changed: also one whose file is no longer the recorded one: it may be looked into, never measured or judged.

    Raises:
        StoreError: the record cannot be read, or is another artifact's. NotFoundError: record or file is missing.
    """
    record = folder / store.ARTIFACT_RECORD
    artifact = store.parse(files.read_text(record), "artifact", Artifact, str(record))
    if artifact.id != folder.name:
        raise StoreError(f"{record} is the record of {artifact.id}, not of {folder.name}. Give the folder that name.")
    path = folder / artifact.path.name
    if not path.is_file():
        raise NotFoundError(f"{path} is missing, only its record is left. Convert {artifact.checkpoint_id} again.")
    files.check_place(path, folder)
    found = dataclasses.replace(artifact, path=path)
    return found if changed else _its_own(found)


def _its_own(artifact: Artifact) -> Artifact:
    """The artifact, if its file is the one that the record describes: what was measured of other bytes says nothing of it."""
    found = store.sha256_of(artifact.path)
    if (found, artifact.path.stat().st_size) != (artifact.sha256, artifact.size_bytes):
        raise StoreError(
            f"{artifact.path} is not the file that its record describes (sha256 {found[:8]}, recorded {artifact.sha256[:8]}). "
            f"Convert {artifact.checkpoint_id} again."
        )
    return artifact


def standing_failures() -> tuple[FailedConversion, ...]:
    """The last failure of each checkpoint, format and precision, newest first, unless a later conversion went well."""
    made = {(a.checkpoint_id, a.format, a.precision): a.made.created for a in list_artifacts().records}
    last = queries.failed_conversions()
    standing = last.where(lambda row: row.created > made.get((row["checkpoint_id"], row["format"], row["precision"]), ""))
    return tuple(reversed(standing))


def find_artifact(id_or_path: str | Path, *, changed: bool = False) -> Artifact:
    """An artifact by its id, or by the path of its file, of its folder, or of its published copy.

    Args:
        changed: see `read_artifact`.

    Raises:
        NotFoundError: neither; the message names what comes close. StoreError: its file is not the recorded one.
    """
    known = {a.id: a for a in list_artifacts().records}
    if str(id_or_path) in known:
        return known[str(id_or_path)]
    folder = existing_file(id_or_path, _has_record) or existing_file(_folder_of(id_or_path), _has_record)
    if folder is not None:
        return read_artifact(folder, changed=changed)
    path = existing_file(id_or_path)
    same = [a for a in known.values() if path is not None and a.sha256 == store.sha256_of(path)]
    if same:
        return next((a for a in same if a.path == path), same[-1])
    raise not_found("artifact", str(id_or_path), tuple(known))


def _has_record(folder: Path) -> bool:
    return (folder / store.ARTIFACT_RECORD).is_file()


def _folder_of(id_or_path: str | Path) -> str | Path:
    """Where the artifact of an id would lie; a path is itself."""
    plain = str(id_or_path)
    return mobile_dir() / plain if plain and os.sep not in plain and plain not in (".", "..") else id_or_path


def find_subject(id_or_path: str | Path) -> Subject:
    """A checkpoint or an artifact by its id or path.

    Raises:
        NotFoundError: neither; the message names what comes close.
    """
    path = existing_file(id_or_path)
    converted = path is not None and path.is_relative_to(mobile_dir())
    if path is not None and path.suffix in SUFFIXES and not converted:
        return find_checkpoint(path)
    with suppress(NotFoundError):
        return find_artifact(id_or_path)
    if converted:  # a converted file without its record is no checkpoint
        raise NotFoundError(f"{path} belongs to no artifact listed here. Convert its checkpoint again.")
    if path is not None:
        return find_checkpoint(path)
    known = {c.id: c for c in list_checkpoints().records}
    if str(id_or_path) in known:
        return known[str(id_or_path)]
    raise not_found("checkpoint or artifact", str(id_or_path), (*known, *(a.id for a in list_artifacts().records)))


def named_subject(named: Named) -> Subject:
    """The record of a checkpoint or artifact; one that was given is not read again, its file is only seen to be the same.

    Raises:
        NotFoundError: neither, or its file is gone. RunError, CheckpointError: the file of a given record changed since.
    """
    if isinstance(named, str | Path):
        return find_subject(named)
    check_unchanged(named)
    return named


def named_artifact(named: Named) -> Artifact:
    """The record of an artifact; see `named_subject`.

    Raises:
        FormatError: it is a checkpoint. NotFoundError: there is none, or its file is gone. RunError: its file changed since.
    """
    found = find_artifact(named) if isinstance(named, str | Path) else named_subject(named)
    if isinstance(found, Checkpoint):
        raise FormatError(f"{found.id} is a checkpoint, not an artifact. Convert it first, then name what comes out.")
    return found


def named_checkpoint(named: Named) -> Checkpoint:
    """The record of a checkpoint; see `named_subject`.

    Raises:
        FormatError: it is an artifact. NotFoundError: there is none, or its file is gone. CheckpointError: it changed since.
    """
    found = find_checkpoint(named) if isinstance(named, str | Path) else named_subject(named)
    if isinstance(found, Artifact):
        raise FormatError(f"{found.id} is an artifact already. Convert its checkpoint, {found.checkpoint_id}.")
    return found


def source_checkpoint(subject: Subject, known: Iterable[Checkpoint] = ()) -> Checkpoint:
    """The checkpoint that a subject is or was made from: one of `known`, else found by its id.

    Raises:
        NotFoundError: it is not here.
    """
    if isinstance(subject, Checkpoint):
        return subject
    given = next((checkpoint for checkpoint in known if checkpoint.id == subject.checkpoint_id), None)
    return given or find_checkpoint(subject.checkpoint_id)


def subject_format(subject: ModelFile) -> Format:
    """The format that runs a file: a checkpoint's is the reference, torch.

    Raises:
        FormatError: the artifact's format is not known to this version.
    """
    return get_format(format_name(subject))


def cannot_run(subject: Subject) -> str | None:
    """Why a subject's file cannot run on this machine; None = it can."""
    try:
        return subject_format(subject).unavailable("run")
    except FormatError as exc:
        return str(exc)


def open_session(subject: Subject, threads: int) -> Session:
    """Load a subject's file with its own runtime, after a check that it is still the file that was recorded.

    Raises:
        RunError, CheckpointError: the file changed since, or its runtime refuses it.
        UnavailableError: the runtime is missing on this machine.
    """
    fmt = _ready(subject)
    try:
        archives.check_file(subject.path)
        return fmt.load(subject, threads)
    except UdaciSenseError:
        raise
    except Exception as exc:  # the seam: every runtime has errors of its own
        raise RunError(
            f"{subject.id} could not be loaded by {fmt.runtime}: {in_brief(exc)}. Convert its checkpoint again."
        ) from exc


def open_apart(subject: Subject, threads: int) -> Session:
    """A subject's file loaded by its own runtime in a bound child process; raises as `open_session` does.

    The app opens files so, whatever their format: one that fails, hangs or asks for too much takes nothing else along.
    """
    _ready(subject)
    return RemoteModel(subject, threads).open()


def _ready(subject: Subject) -> Format:
    """The format of a subject that can run here, and whose file is the one that was recorded."""
    fmt = subject_format(subject)
    reason = fmt.unavailable("run")
    if reason is not None:
        raise UnavailableError(f"{subject.id} cannot run here: {reason}")
    check_unchanged(subject)
    return fmt


def check_unchanged(subject: Subject) -> None:
    """Nothing, if the subject's file is still the one that was recorded.

    Raises:
        RunError, CheckpointError: it is not, for an artifact or a checkpoint. NotFoundError: it is gone.
    """
    found = store.sha256_of(subject.path)
    if found == subject.sha256:
        return
    message = (
        f"{subject.path} changed since its record was made (sha256 {found[:8]}, recorded {subject.sha256[:8]}), "
        "so no figure of it would belong to it."
    )
    if isinstance(subject, Checkpoint):
        raise CheckpointError(f"{message} Pick the checkpoint again by its path.")
    raise RunError(f"{message} Convert {subject.checkpoint_id} again.")
