"""Weight files and their cards: read, list, find. This needs no torch, so that pages can list what is here at once.

A checkpoint is `<stem>.pth` (a state_dict), `<stem>.card.json` (its record, how it was trained, what it is made of) and
`<stem>.trained_on.txt` (the hash of each training image, one a line). A file without a card is a checkpoint too: what it
does not tell stays None.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from udacisense import files
from udacisense.errors import CheckpointError, NotFoundError, StoreError
from udacisense.labels import CLASSES, IMAGENET_MEAN, IMAGENET_STD, INPUT_PX
from udacisense.models.card import CARD, card_path, open_card, read_card
from udacisense.models.naming import existing_file, not_found
from udacisense.models.weight_files import told_apart, walk, weights_of
from udacisense.records import store
from udacisense.settings import settings
from udacisense.torchscript.archive import is_torchscript
from udacisense.types import HOUSEHOLD, Checkpoint, ModelSpec

ARCHITECTURE = "mobilenet_v3_small"
SCRIPT = "torchscript"
"""The architecture of a network that came whole, as TorchScript: its file alone knows what it consists of."""
WEIGHTS = "state_dict"
"""The architecture of weights alone, as long as nobody said of which network."""
UNDESCRIBED = "undescribed"
OUR_LICENCE = "Apache-2.0"
PREFIXES = {SCRIPT: "script"}
"""Architecture -> what ids begin with, where that is not its name; "torchscript-" is how ids of a phone format begin."""
SUFFIXES = (".pth", ".pt")
MAX_BYTES = 2 * 1024**3  # a hundred times the largest network of this kind; beyond, hashing alone would hold up every list
BASELINE = Path("baseline_mobilenet", "checkpoints", "model.pth")
"""Where the course keeps the baseline, below models/."""
PIPELINE = Path("pipeline_03", "final_compressed_model.pth")
"""Where the course keeps the compressed model, below models/."""

_KNOWN_TECHNIQUES = {BASELINE: "baseline", PIPELINE: "pipeline_03"}


# --- read ----------------------------------------------------------------------------------------------------------------


def list_path(path: Path) -> Path:
    """Where the hashes of the training images of a weight file are listed."""
    return path.with_name(f"{path.stem}.trained_on.txt")


def read_checkpoint(path: Path) -> Checkpoint:
    """The record of a weight file: from its card if that describes these very bytes, else what the file itself tells.

    Raises:
        NotFoundError: there is no such file. CheckpointError: the file is empty, or far too large.
        StoreError: it is no regular file.
    """
    return _read(Path(path).absolute())[0]


def _read(path: Path) -> tuple[Checkpoint, str | None]:
    """The record, and a sentence when a card is there but cannot be used."""
    bare = record_without_card(path, _technique(path))
    if _known_place(path) is None:
        bare = _not_described(bare)
    try:
        card = open_card(card_path(path))
    except StoreError as exc:
        return bare, f"{exc} Until then {path.name} is shown without its card."
    if card is None:
        return bare, None
    if (card.record.sha256, card.record.size_bytes) != (bare.sha256, bare.size_bytes):
        return bare, (
            f"{card_path(path)} describes another file (sha256 {card.record.sha256[:8]}, {path.name} has {bare.sha256[:8]}), "
            "so it is not used. Restore the weights that it belongs to, or remove the card."
        )
    return dataclasses.replace(card.record, path=path), card.fault


def record_without_card(path: Path, technique: str) -> Checkpoint:
    """What a weight file itself tells, as of a household network.

    Raises:
        NotFoundError, CheckpointError, StoreError: as `read_checkpoint`.
    """
    stat = files.check_regular(path)
    if stat.st_size == 0:
        raise CheckpointError(f"{path} is empty, so it holds no weights. Copy the file here again, or save the model again.")
    if stat.st_size > MAX_BYTES:
        raise CheckpointError(f"{path} is larger than {MAX_BYTES >> 30} GB, so it is no network of this kind. Move it away.")
    sha256 = store.sha256_of(path)
    return Checkpoint(
        id=checkpoint_id(ARCHITECTURE, technique, sha256),
        path=path,
        sha256=sha256,
        architecture=ARCHITECTURE,
        technique=technique,
        parent_id=None,
        classes=CLASSES,
        input_px=INPUT_PX,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        parameters=None,
        size_bytes=stat.st_size,
        trained_on=None,
        trained_on_images=None,
        created=f"{datetime.fromtimestamp(stat.st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}",
    )


@lru_cache(maxsize=512)
def _is_torchscript(bare: Checkpoint) -> bool:  # kept for these very bytes, since every list asks and an archive may be large
    return is_torchscript(bare.path)


def _not_described(bare: Checkpoint) -> Checkpoint:
    """The record of a network that could be anybody's: the file tells no name of what it answers."""
    named = checkpoint_id(UNDESCRIBED, bare.technique, bare.sha256)
    return dataclasses.replace(
        bare, id=named, architecture=SCRIPT if _is_torchscript(bare) else WEIGHTS, classes=(), described=False
    )


def described_as(checkpoint: Checkpoint, spec: ModelSpec, title: str = "", licence: str | None = None) -> Checkpoint:
    """The record of a file that nobody described yet, with what a person says of it."""
    p = spec.preprocessing
    return dataclasses.replace(
        checkpoint,
        id=checkpoint_id(spec.architecture, checkpoint.technique, checkpoint.sha256),
        architecture=spec.architecture,
        classes=spec.classes,
        input_px=p.input_size,
        mean=p.mean,
        std=p.std,
        interpolation=p.interpolation,
        crop_pct=p.crop_pct,
        title=title,
        licence=licence,
        described=True,
    )


def _known_place(path: Path) -> Path | None:
    return next((place for place in _KNOWN_TECHNIQUES if path.parts[-len(place.parts) :] == place.parts), None)


def _technique(path: Path) -> str:
    """What a card-less file is called after: its known place, else its own name."""
    place = _known_place(path)
    if place is not None:
        return _KNOWN_TECHNIQUES[place]
    return path.stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # a record is UTF-8, a name need not be


def checkpoint_id(architecture: str, technique: str, sha256: str) -> str:
    """The id of a checkpoint: "mobilenet_v3_small-baseline-1f3a9c02"."""
    family, slug = _slug(PREFIXES.get(architecture, architecture)), _slug(technique) or "model"
    return f"{family}-{slug}-{sha256[:8]}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("._")


def training_info(checkpoint: Checkpoint) -> Mapping[str, Any] | None:
    """How it was trained: recipe, number of images, learning curves; None without a card."""
    found = read_card(checkpoint).get("training")
    return found if isinstance(found, Mapping) else None


def licence_of(checkpoint: Checkpoint) -> str | None:
    """The licence of the weights: ours where their training is recorded here, else what somebody said; None = not known."""
    return OUR_LICENCE if checkpoint.ours and training_info(checkpoint) else checkpoint.licence


def trained_hashes(checkpoint: Checkpoint) -> frozenset[str] | None:
    """The id of each image it was trained on; None = not known (no list, or a list that is not the card's)."""
    if checkpoint.trained_on_images is None:
        return None
    path = checkpoint.path.with_name(Path(checkpoint.trained_on_images).name)
    try:
        raw = files.read_bytes(path)
    except StoreError:
        return None
    if hashlib.sha256(raw).hexdigest() != checkpoint.trained_on:
        return None
    return frozenset(raw.decode(errors="replace").split())


# --- list and find -------------------------------------------------------------------------------------------------------


def list_checkpoints() -> store.Listing[Checkpoint]:
    """Every weight file below models/ (but models/mobile), oldest first; what cannot be read is named in `problems`."""
    root = settings().models_dir
    came_upon = walk(root, (*SUFFIXES, CARD), but=root / "mobile")
    found: list[Checkpoint] = []
    problems = came_upon.problems
    for path in came_upon.found:
        try:
            checkpoint, problem = _listed(path, root)
        except (CheckpointError, StoreError) as exc:
            problems.append(str(exc))
            continue
        found += [checkpoint] if checkpoint else []
        problems += [problem] if problem else []
    apart, clashes = told_apart(found)
    return store.Listing(tuple(sorted(apart, key=lambda c: (c.created, c.id))), (*problems, *clashes))


def _listed(path: Path, root: Path) -> tuple[Checkpoint | None, str | None]:
    """What a file adds to the list: itself, a problem, or both; a card whose weights are elsewhere only its problem."""
    if path.name.endswith(CARD):
        if weights_of(path, SUFFIXES):
            return None, None  # told with the weights
        card = open_card(path)
        return None, card.fault if card else None
    files.check_place(path, root)
    return _read(path)


def find_checkpoint(id_or_path: str | Path) -> Checkpoint:
    """A checkpoint by its id, or by the path of its file (from here, or from the project's folder).

    Raises:
        NotFoundError: neither; the message names what comes close.
    """
    path = existing_file(id_or_path)
    if path is not None:
        return read_checkpoint(path)
    known = {c.id: c for c in list_checkpoints().records}
    if str(id_or_path) in known:
        return known[str(id_or_path)]
    raise not_found("checkpoint", str(id_or_path), tuple(known))


def baseline_checkpoint(known: Iterable[Checkpoint] = ()) -> Checkpoint | None:
    """The baseline that compressed models are judged against: one of `known`, else read; None where that cannot be done."""
    place = settings().models_dir / BASELINE
    return next((checkpoint for checkpoint in known if checkpoint.path == place), None) or _kept_at(BASELINE)[0]


def _kept_at(place: Path) -> tuple[Checkpoint | None, str]:
    """The checkpoint at a known place below models/; where there is none that can be read, why."""
    root = settings().models_dir
    try:
        files.check_place(root / place, root)
        return read_checkpoint(root / place), ""
    except NotFoundError:
        return None, f"is not in {store.relative((root / place).parent)}"
    except (CheckpointError, StoreError) as exc:
        return None, f"cannot be used: {str(exc).rstrip('.')}"


def baseline_for(spec: ModelSpec, known: Iterable[Checkpoint] = ()) -> Checkpoint | None:
    """The baseline that a model is judged against: the course's for the household networks, of any other none is known."""
    return baseline_checkpoint(known) if spec.architecture == HOUSEHOLD.architecture else None


def default_checkpoint() -> tuple[Checkpoint, str | None]:
    """The pipeline's final model; where it is missing the baseline, with a sentence that says so.

    Raises:
        NotFoundError: neither is here.
    """
    final, why = _kept_at(PIPELINE)
    if final is not None:
        return final, None
    baseline = baseline_checkpoint()
    if baseline is None:
        raise NotFoundError(
            f"Neither {PIPELINE.as_posix()} nor {BASELINE.as_posix()} is a checkpoint in {settings().models_dir}. "
            "Copy the course's files there, or train a baseline: python -m udacisense train"
        )
    return baseline, (
        f"The pipeline's final model ({PIPELINE.name}) {why}, so the baseline stands in for it: "
        "every figure is the uncompressed model's. Copy a compressed checkpoint there to judge it instead."
    )
