"""The model card of a checkpoint: what it is, what it learned from, how good it is, what it cannot do, what it may be used for.

After Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. Every figure comes from a record, which is named; what was
not measured says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from udacisense.artifacts import list_artifacts
from udacisense.compression.pipeline_file import load_pipeline, pipeline_names
from udacisense.errors import RecipeError
from udacisense.metrics import stats
from udacisense.models.card_parts import Summary
from udacisense.models.checkpoint import SCRIPT, list_checkpoints, trained_hashes, training_info
from udacisense.models.described import check_described
from udacisense.models.summary import summary_on_card
from udacisense.number_format import (
    NOT_MEASURED,
    channels,
    commas,
    count,
    mb,
    millions,
    percent,
    percent_range,
    points,
    points_range,
    share,
)
from udacisense.records import queries
from udacisense.report.blocks import Block, Bullets, Heading, Paragraph, Table
from udacisense.report.card_words import USE, images, licence_words, licences, limits, use_of
from udacisense.report.compression import Row, lineage
from udacisense.report.compression_table import COLUMNS, cells
from udacisense.report.markdown import to_markdown
from udacisense.report.sample_limit import on_the_sample
from udacisense.report.seeds import seed_blocks
from udacisense.types import Artifact, Checkpoint, Evaluation
from udacisense.verdict_words import readiness

WORST_PAIRS = 8


def model_card(checkpoint: Checkpoint) -> str:
    """The card as Markdown.

    Raises:
        CheckpointError: nobody described the checkpoint, so its use, limits and licence are not known.
    """
    check_described(checkpoint)
    return to_markdown(card_blocks(checkpoint))


def card_blocks(checkpoint: Checkpoint) -> tuple[Block, ...]:
    """The card, block by block."""
    way = lineage(checkpoint)
    root = _by_sha(way[0].sha256) or checkpoint
    found = queries.evaluations_of(checkpoint.sha256, split="test")
    real = found.where(queries.is_real).newest()
    sample = found.where(lambda row: not queries.is_real(row)).newest()
    return (
        Heading(1, f"Model card: {checkpoint.technique}"),
        *_identity(checkpoint),
        Heading(2, "What it is for"),
        Bullets(USE if checkpoint.ours else use_of(checkpoint)),
        *_data(checkpoint, real),
        *_training(checkpoint, root),
        *seed_blocks(root, of_its_start=root.sha256 != checkpoint.sha256),
        *_accuracy(real, sample, way[-1] if way[-1].sha256 == checkpoint.sha256 else None),
        *_compression(way, training_info(checkpoint) or {}),
        *_phone_files(checkpoint),
        Heading(2, "Limits"),
        Bullets((*limits(training_info(root)), _real_photographs(sample, checkpoint))),
        Heading(2, "Licences"),
        Bullets((licence_words(checkpoint), *licences(training_info(root)))),
    )


def _by_sha(sha256: str) -> Checkpoint | None:
    return next((c for c in list_checkpoints().records if c.sha256 == sha256), None)


def _identity(c: Checkpoint) -> list[Block]:
    summary = summary_on_card(c)
    rows = [
        ("file", c.path.name),
        ("id", c.id),
        ("sha256", c.sha256),
        ("size", f"{mb(c.size_bytes)} ({count(c.size_bytes, 'byte')})"),
        *_made_of(c, summary),
        (
            "input",
            f"{c.input_px[1]} x {c.input_px[0]} pixels, RGB, mean {channels(c.mean)}, standard deviation {channels(c.std)}",
        ),
        ("answers", f"a logit for each of {commas(c.classes)}"),
        ("saved (UTC)", c.created),
    ]
    return [
        Paragraph(_what(c)),
        Table(("what", "value"), tuple(rows)),
    ]


def _what(c: Checkpoint) -> str:
    if c.ours:
        return "A classifier of ten household objects: MobileNetV3-Small with its own head."
    title = f": {c.title}" if c.title else ""
    network = "What it is made of was read from its file." if c.architecture == SCRIPT else f"Its network: {c.architecture}."
    return f"A classifier of {len(c.classes)} classes{title}. {network}"


def _made_of(c: Checkpoint, summary: Summary | None) -> list[tuple[str, str]]:
    macs = None if summary is None else summary.macs
    return [
        ("parameters", count(c.parameters) if c.parameters else "not recorded in the file"),
        ("multiply-adds for an image", millions(macs) if macs else "not recorded in the file"),
        ("zeros among the weights", percent(summary.sparsity if summary else None)),
        ("computes in", "not known" if summary is None else "integers" if summary.is_quantized else "32-bit floats"),
    ]


def _data(c: Checkpoint, real: Evaluation | None) -> list[Block]:
    info, known = training_info(c) or {}, trained_hashes(c)
    said = [images(info)]
    if known is not None:
        kind = "household images" if c.ours and not info.get("rendered_images") else "images"
        said.append(f"Trained on {len(known):,} {kind}; the id of each is in {c.trained_on_images}.")
    else:
        said.append("Which images it was trained on is not known.")
    if info.get("validation_images"):
        said.append(f"{info['validation_images']:,} training images were held out to choose by.")
    if real is not None:
        said.append(_test_words(real))
    return [Heading(2, "Data and split"), *(Paragraph(sentence) for sentence in said)]


def _test_words(e: Evaluation) -> str:
    seen = {None: "whether any of them was trained on is not known", 0: "none of them was trained on"}
    overlap = seen.get(e.overlap_images, f"{e.overlap_images} of them WERE trained on, so the figures are too good")
    return f"Tested on {e.images:,} images of the split {e.data.scheme} (dataset {e.data.dataset_id}); {overlap}."


def _training(c: Checkpoint, root: Checkpoint) -> list[Block]:
    info = training_info(root) or {}
    recipe: Mapping[str, Any] = info.get("recipe") or {}
    title = Heading(2, "Training" if root.sha256 == c.sha256 else "Training of the network that it was made from")
    if not recipe.get("stage"):
        return [title, Paragraph("How it was trained is not known: the file has no card with a recipe.")]
    rows = tuple(_stage(stage) for stage in recipe["stage"])
    seconds = sum(float(point.get("seconds") or 0.0) for point in info.get("curves") or ())
    took = f"{seconds / 60:.0f} minutes" if seconds else "a time that was not kept"
    said = f"Recipe {recipe.get('name')}, seed {recipe.get('seed')}, in {took} on {info.get('device', 'a device not kept')}."
    columns = ("stage", "images", "pixels", "epochs", "batch", "learning rate", "taught by")
    remark = [Paragraph(str(recipe["remark"]))] if recipe.get("remark") else []
    return [title, Paragraph(said), *remark, Table(columns, rows), *_curve_end(info)]


def _stage(stage: Mapping[str, Any]) -> tuple[str, ...]:
    taught = [f"{name} {stage[name]:g}" for name in ("distil", "feature_distil") if stage.get(name)]
    pools = [name for name in ("household", "rendered", "other") if stage.get(name)]
    mixed = {"data": commas(pools), "batch": " + ".join(str(stage[name]) for name in pools)}  # of a transfer
    values = ({**mixed, **stage}.get(name) for name in ("name", "data", "input_px", "epochs", "batch", "lr"))
    return (*(str(value) for value in values), commas(["labels", *taught]))


def _curve_end(info: Mapping[str, Any]) -> list[Block]:
    measured = [p for p in info.get("curves") or () if p.get("validation_top1") is not None]
    if not measured:
        return []
    return [Paragraph(f"Right on {percent(measured[-1]['validation_top1'])} of the held-out images at the end.")]


# --- accuracy -------------------------------------------------------------------------------------------------------------


def _accuracy(real: Evaluation | None, sample: Evaluation | None, row: Row | None) -> list[Block]:
    title = Heading(2, "Accuracy")
    if real is None:
        told = " The rendered sample pack is no evidence for photographs." if sample else ""
        return [title, Paragraph(f"On real test images: {NOT_MEASURED}.{told}")]
    top1 = stats.wilson_interval(round(real.top1 * real.images), real.images)
    said = [
        f"Top-1 {percent(top1.value)}, 95 % interval {percent_range(top1)} % (Wilson); "
        f"top-5 {percent(real.top5)}; {real.images:,} test images. Record {real.id}."
    ]
    if row is not None and row.change is not None:
        said.append(
            f"Against what it was compressed from: {points(row.change.value)} "
            f"(95 % interval {points_range(row.change)}), from the same images, paired."
        )
    said += real.warnings
    return [title, *(Paragraph(sentence) for sentence in said), _per_class(real), *_pairs(real)]


def _per_class(e: Evaluation) -> Table:
    rows = []
    for index, name in enumerate(e.classes):
        images, right = sum(e.confusion[index]), e.confusion[index][index]
        answered = sum(row[index] for row in e.confusion)
        rows.append(
            (
                name,
                count(images),
                share(stats.wilson_interval(right, images) if images else None),
                percent(right / answered) if answered else "never answered",
            )
        )
    return Table(("class", "images", "recognised (95 %)", "right when it says so"), tuple(rows))


def _pairs(e: Evaluation) -> list[Block]:
    """The classes most often taken for another."""
    found = [(n, i, j) for i, row in enumerate(e.confusion) for j, n in enumerate(row) if i != j and n]
    worst = sorted(found, key=lambda pair: (-pair[0], pair[1], pair[2]))[:WORST_PAIRS]
    if not worst:
        return [Paragraph("No image was taken for another class.")]
    rows = tuple((e.classes[i], e.classes[j], str(n), percent(n / sum(e.confusion[i]))) for n, i, j in worst)
    return [Paragraph("Most often confused:"), Table(("class", "taken for", "images", "share of the class"), rows)]


# --- compression and limits -----------------------------------------------------------------------------------------------


def _compression(way: tuple[Row, ...], info: Mapping[str, Any]) -> list[Block]:
    title = Heading(2, "How it was compressed")
    if len(way) < 2:
        return [title, Paragraph("Not by a pipeline whose steps are recorded here.")]
    rows = tuple(cells(row, way[0])[:-1] for row in way)
    said = f"Pipeline {info.get('pipeline', 'not known')}, seed {info.get('seed', 'not known')}. Each row is a checkpoint."
    remark = _remark(str(info.get("pipeline", "")))
    return [title, Paragraph(said), *([Paragraph(remark)] if remark else []), Table(COLUMNS[:-1], rows)]


def _remark(pipeline: str) -> str:
    """What the pipeline's file says to the reader; nothing where it is not here, or broken."""
    try:
        return load_pipeline(pipeline).remark if pipeline in pipeline_names() else ""
    except RecipeError:
        return ""


def _phone_files(c: Checkpoint) -> list[Block]:
    """Every converted file of these weights, with what was measured of it."""
    made = [a for a in list_artifacts().records if a.checkpoint_id.endswith(c.sha256[:8])]
    title = Heading(2, "Phone files made from it")
    if not made:
        return [title, Paragraph("None is here. Convert it: python -m udacisense convert CHECKPOINT")]
    drawn = tuple(f"{a.id}. {said}" for a in made if (said := on_the_sample(a)))
    table = Table(("format", "size", "top-1 on test images", "readiness", "id"), tuple(map(_phone_file, made)))
    return [title, table, *([Bullets(drawn)] if drawn else [])]


def _phone_file(a: Artifact) -> tuple[str, ...]:
    evaluation = queries.evaluations_of(a.sha256, split="test").where(queries.is_real).newest()
    judged = queries.newest_readiness(a.sha256)
    return (
        f"{a.format} {a.precision}",
        mb(a.size_bytes),
        NOT_MEASURED if evaluation is None else percent(evaluation.top1),
        readiness(judged.status if judged else None),
        a.id,
    )


def _real_photographs(sample: Evaluation | None, c: Checkpoint) -> str:
    if not c.ours:
        return f"Photographs by a camera, in full resolution: {NOT_MEASURED}."
    measured = f"right on {percent(sample.top1)} of {sample.images:,} images" if sample else NOT_MEASURED
    return (
        f"Photographs by a camera, in full resolution: {NOT_MEASURED}. The nearest thing to them is the rendered sample pack "
        f"at 224 pixels: {measured}."
    )
