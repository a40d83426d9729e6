"""`build`: a folder or zip with all that an app developer needs to use one artifact, and to see that it works on a phone."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udacisense import archives
from udacisense.archives import ArchiveError
from udacisense.artifacts import check_unchanged, open_session, source_checkpoint, subject_format
from udacisense.conversion.build import GOLDEN
from udacisense.conversion.calibration_data import golden_images
from udacisense.data.preprocess import describe_preprocessing, resize
from udacisense.errors import MeasureError, NotFoundError, StoreError
from udacisense.inspection.inspect_file import inspect_file
from udacisense.number_format import mb
from udacisense.packaging.contents import app_code_of, check_names, check_preprocessing, code, filled, template, values
from udacisense.packaging.labels import label_doubt
from udacisense.provenance import here
from udacisense.records import store
from udacisense.report import collect, markdown, markdown_report
from udacisense.report.artifact_evidence import ArtifactEvidence
from udacisense.types import Artifact, Checkpoint, Images, Logits, Packaged, Pixels, Precision

TOLERANCES: Mapping[Precision, float] = {"fp32": 0.002, "fp16": 0.02, "int8": 0.1, "palette6": 0.1}
"""How far a logit may lie from the expected one on another device, as a share of the range of the expected logits."""

NEVER_RUN = 3.0
"""By how much that grows where the expected logits are the checkpoint's, because the file could not be run here."""

_PACKED = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same artifact gives the same zip


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was written."""

    path: Path
    artifact_id: str
    files: tuple[str, ...]
    size_bytes: int
    ran_here: bool  # whether the expected logits are the file's own; False = they are its checkpoint's
    record_id: str | None  # of its record in results/; None = nothing can be written there


@dataclass(frozen=True, slots=True)
class _Golden:
    pixels: NDArray[np.uint8]  # N, H, W, 3, of the model's size
    images: Images  # the same, preprocessed
    logits: Logits  # what the file has to answer
    checkpoint_logits: Logits
    labels: NDArray[np.int64]
    tolerance: float
    ran_here: bool


def build(artifact: Artifact, out: Path, *, labels_anyway: bool = False) -> Package:
    """Write the package to `out`: a zip if its name ends so, else a folder named by the artifact inside `out`.

    Args:
        labels_anyway: pack class names that an evaluation questions.

    Raises:
        MeasureError: an evaluation of the file or its checkpoint questions the class names. FormatError: the format has no
            package, or the model is preprocessed in a way that the code for apps does not follow.
        RunError: the file changed, or does not run.
        NotFoundError: its checkpoint is gone, or its golden images are damaged. StoreError: the disk refuses.
    """
    app_code_of(artifact)
    check_unchanged(artifact)
    checkpoint = source_checkpoint(artifact)
    check_names(artifact, checkpoint)
    check_preprocessing(checkpoint)
    if not labels_anyway and (doubt := label_doubt(artifact, checkpoint)):
        raise MeasureError(f"{doubt} Mend that and evaluate again, or pack the names as they are: --labels-anyway.")
    golden = _golden(artifact, checkpoint)
    content = _content(artifact, checkpoint, golden)
    if out.suffix == ".zip":
        place = out
        with store.replace_file(place) as part:
            _zip(content, artifact.id, part)
    else:
        place = out / artifact.id
        with store.replace_folder(place) as part:
            for name, raw in content.items():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).write_bytes(raw)
    size_bytes = sum(map(len, content.values()))
    record_id = _recorded(artifact, len(content), size_bytes)
    return Package(place, artifact.id, tuple(sorted(content)), size_bytes, golden.ran_here, record_id)


def _recorded(artifact: Artifact, files: int, size_bytes: int) -> str | None:
    """The id of a new record of the package, for rules on its size; a package is of use where none can be kept, too."""
    made = here(f"python -m udacisense package {artifact.id}")
    record = Packaged(store.new_id(f"package-{artifact.id}"), artifact.id, artifact.sha256, files, size_bytes, made)
    try:
        store.save(record)
    except StoreError:
        return None
    return record.id


def _zip(content: Mapping[str, bytes], folder: str, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _PACKED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content[name])


# --- golden images -----------------------------------------------------------------------------------------------------


def _golden(artifact: Artifact, checkpoint: Checkpoint) -> _Golden:
    images, wanted, labels = _vectors(artifact, checkpoint)
    ran_here = subject_format(artifact).unavailable("run") is None
    logits = open_session(artifact, threads=1).predict(images) if ran_here else wanted
    share = TOLERANCES[artifact.precision] * (1 if ran_here else NEVER_RUN)
    mean, std = (np.asarray(v, np.float64)[:, None, None] for v in (checkpoint.mean, checkpoint.std))
    pixels = np.ascontiguousarray(np.rint((images * std + mean) * 255).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1))
    return _Golden(pixels, images, logits, wanted, labels, float(share * np.ptp(logits)), ran_here)


def _vectors(artifact: Artifact, checkpoint: Checkpoint) -> tuple[Images, Logits, NDArray[np.int64]]:
    """The golden images that were written beside the file, else made anew: preprocessed, the checkpoint's logits, labels."""
    path = artifact.path.parent / GOLDEN
    if not path.exists():
        pixels = golden_images(checkpoint)
        return pixels.images, open_session(checkpoint, threads=1).predict(pixels.images), pixels.labels
    try:
        archives.check_arrays(path)
        with path.open("rb") as file, np.load(file) as held:
            return held["images"], held["logits"], held["labels"]
    except (ArchiveError, OSError, KeyError, ValueError, zipfile.BadZipFile) as exc:
        raise NotFoundError(f"{path} is damaged. Remove it, and it is made anew.") from exc


def _golden_files(golden: _Golden, artifact: Artifact, checkpoint: Checkpoint) -> dict[str, bytes]:
    known = [checkpoint.classes[label] if label >= 0 else None for label in golden.labels]  # the images may be of none
    names = [f"{i}-{label or 'image'}.png" for i, label in enumerate(known)]
    resized = _resized(golden.pixels, checkpoint.input_px)
    told = {
        "model_sha256": artifact.sha256,
        "tolerance": golden.tolerance,
        "expected": "this file's own logits" if golden.ran_here else "the checkpoint's logits: this file was never run here",
        "pictures": [
            {"file": name, "label": label, "logits": logits.tolist(), "checkpoint_logits": wanted.tolist()}
            for name, label, logits, wanted in zip(names, known, golden.logits, golden.checkpoint_logits, strict=True)
        ],
        "resize": [{"file": f"resize-{i}.png", "expected": f"resized-{i}.png"} for i in range(len(resized))],
    }
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        pictures=golden.pixels,
        images=golden.images,
        logits=golden.logits,
        checkpoint_logits=golden.checkpoint_logits,
        labels=golden.labels,
    )
    found = {"golden.json": _json(told), "golden.npz": buffer.getvalue()}
    found |= {name: _png(image) for name, image in zip(names, golden.pixels, strict=True)}
    for i, (given, expected) in enumerate(resized):
        found |= {f"resize-{i}.png": _png(given), f"resized-{i}.png": _png(expected)}
    return {f"golden/{name}": raw for name, raw in found.items()}


def _resized(pixels: NDArray[np.uint8], input_px: tuple[int, int]) -> list[tuple[Pixels, Pixels]]:
    """Images of other sizes, each with what the resize has to make of it: one larger than the model's input, one smaller."""
    height, width = input_px
    four = [pixels[i % len(pixels)] for i in range(4)]
    tiled = np.concatenate([np.concatenate(four[:2], axis=1), np.concatenate(four[2:], axis=1)])
    given = [tiled[: height * 4 // 3, : width * 9 // 5], pixels[0][: height * 3 // 7, : width * 2 // 3]]
    return [(image, resize(np.ascontiguousarray(image), input_px)) for image in given]


def _png(image: Pixels) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="PNG")
    return buffer.getvalue()


def _json(plain: object) -> bytes:
    return (json.dumps(plain, indent=1, allow_nan=False) + "\n").encode()


# --- everything else -----------------------------------------------------------------------------------------------------


def _content(artifact: Artifact, checkpoint: Checkpoint, golden: _Golden) -> dict[str, bytes]:
    evidence = collect(artifact)
    texts = code(artifact, checkpoint) | {
        "README.md": _readme(artifact, checkpoint, golden),
        "REPORT.md": markdown_report((evidence,)),
        "LICENSE": template("LICENSE"),
        "labels.txt": "".join(f"{name}\n" for name in checkpoint.classes),
        "record.json": store.dump(artifact, "artifact"),
    }
    return {
        artifact.path.name: artifact.path.read_bytes(),
        "preprocessing.json": _json(describe_preprocessing(checkpoint)),
        "metrics.json": _json(metrics(evidence)),
        **_golden_files(golden, artifact, checkpoint),
        **{name: text.encode() for name, text in texts.items()},
    }


def metrics(evidence: ArtifactEvidence) -> dict[str, object]:
    """Figures of an artifact, each beside the id of its record; null = not measured."""
    artifact, evaluation, proof = evidence.artifact, evidence.evaluation, evidence.verification
    timing = evidence.timing_of(artifact)
    return {
        "artifact": artifact.id,
        "size_bytes": artifact.size_bytes,
        "accuracy": evaluation
        and {"top1": evaluation.top1, "images": evaluation.images, "source": evaluation.data.source, "record": evaluation.id},
        "sameness": proof
        and {
            "verdict": proof.verdict,
            "agreement": proof.agreement,
            "images": proof.images,
            "source": proof.data.source,
            "record": proof.id,
        },
        "latency": timing
        and {
            "median_s": float(np.median(timing.steady_s)),
            "threads": timing.threads,
            "cpu": timing.made.machine.cpu,
            "record": timing.id,
        },
        "ready": evidence.readiness and {"status": evidence.readiness.status, "record": evidence.readiness.id},
    }


def _readme(artifact: Artifact, checkpoint: Checkpoint, golden: _Golden) -> str:
    platforms = app_code_of(artifact).platforms
    rows = "".join(f"| {', '.join(f'`{p}`' for p in platform.places)} | {platform.name} |\n" for platform in platforms)
    note = "It passes on the machine that made the package." if golden.ran_here else (
        "This file could not be run on the machine that made it, so the expected logits are its checkpoint's and the tolerance "
        "is wide: the test needs a Mac."
    )  # fmt: skip
    about = {
        "file": markdown.code(artifact.path.name),
        "title": subject_format(artifact).title,
        "precision": artifact.precision,
        "count": str(len(checkpoint.classes)),
        "size": mb(artifact.size_bytes),
        "sha256": markdown.code(artifact.sha256),
        "checkpoint": markdown.code(checkpoint.id),
        "created": markdown.escape(artifact.made.created),
        "selftest_note": note,
        "platforms": " and ".join(platform.name for platform in platforms),
        "golden": str(len(golden.pixels)),
        "code_rows": rows,
        "findings": _findings(artifact),
    }
    return filled(template("README.md"), values(artifact, checkpoint) | about)


def _findings(artifact: Artifact) -> str:
    found = inspect_file(artifact.path, artifact.format, artifact.precision).findings
    said = [f"- {markdown.escape(f'{f.what} {f.why} {f.what_to_do}')}" for f in found]
    return "\n".join(said) or "Nothing in the file asks for attention."
