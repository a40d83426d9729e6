"""Panel of the Convert page for the picked cell: the button that converts, why there is no file, or the file itself."""

from __future__ import annotations

import streamlit as st

from udacisense.artifacts import find_artifact, source_checkpoint
from udacisense.errors import NotFoundError, UdaciSenseError
from udacisense.jobs import Job
from udacisense.models.checkpoint import list_checkpoints
from udacisense.number_format import MB_HELP, change_percent, duration, mb, percent, when
from udacisense.packaging.labels import label_doubt
from udacisense.readiness.judge import newest_readiness
from udacisense.report.subject_names import format_title
from udacisense.types import Artifact, Checkpoint, FailedConversion
from udacisense.types.seam import DEFAULT
from ui.convert import inspection, recipe_trials
from ui.convert.board import LOOK, in_words
from ui.convert.state import Cell, up_to_date
from ui.shared import cache
from ui.shared.jobs import job_button
from ui.shared.plain_text import code, escape
from ui.shared.widgets import describe_checkpoint, provenance_note, readiness_badge, remember, sample_limit

CHOSEN = {"capture": "Capture", "optimiser": "Optimisation"}
"""Key of an artifact's recipe -> what it is called, where it is worth a figure of its own."""
MESSAGE_CHARACTERS = 600


def panel(cell: Cell, checkpoint: Checkpoint) -> None:
    """Panel of one format and precision of a checkpoint."""
    fmt = cell.fmt
    words, icon, color = LOOK[cell.status]
    st.header(f"{escape(cell.fmt.title)} · {escape(cell.precision)}", anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge(words, icon=f":material/{icon}:", color=color)
        _verdict(cell)
        st.markdown(f"Writes {code(fmt.file_name)}, run by {escape(fmt.runtime)}. **For** {escape(fmt.target)}.")
    for note in cell.fmt.notes:
        st.caption(escape(note), width=760)
    if cell.failure is not None:
        _failure(cell.failure)
    artifact = _shown(cell)
    if artifact is not None and artifact.recipe_trials and cell.status == "different":
        st.caption(
            "It passed the recipe search on validation images, but not the verification on test images. "
            "Verify shows every changed answer.",
            width=760,
        )
    if artifact is not None:
        sample_limit(artifact)
        result(artifact)
    _make(cell, checkpoint)


def _verdict(cell: Cell) -> None:
    judged = newest_readiness(cell.artifact) if cell.artifact else None
    if judged is not None:
        readiness_badge(judged.status, "Readiness: ")


def _shown(cell: Cell) -> Artifact | None:
    """The file to show: the one in the address, of several by a select box."""
    if len(cell.artifacts) < 2:
        return cell.artifact
    by_id = {a.id: a for a in cell.artifacts}
    asked = st.query_params.get("artifact", cell.artifacts[0].id)
    key = "convert_file_" + "_".join(cell.key)
    if st.session_state.get(key) not in by_id:
        st.session_state[key] = asked if asked in by_id else cell.artifacts[0].id
    chosen: str = st.selectbox("File", list(by_id), key=key, format_func=lambda i: _describe(by_id[i]))
    remember("artifact", chosen)
    return by_id[chosen]


def _describe(artifact: Artifact) -> str:
    parts = (str(artifact.recipe.get("recipe", "")), mb(artifact.size_bytes), when(artifact.made.created), artifact.id)
    return " · ".join(part for part in parts if part)


# --- how to make it ------------------------------------------------------------------------------------------------------


def _make(cell: Cell, checkpoint: Checkpoint) -> None:
    """The button that makes the file, with what it will do; nothing where the file is there and as new as it could be."""
    if cell.cannot_write:
        st.info(f"This machine cannot convert to this format. {escape(cell.cannot_write)}", icon=":material/construction:")
        return
    several = len(cell.fmt.recipes_for(cell.precision)) > 1
    argv = ["convert", checkpoint.id, "--format", cell.fmt.name, "--precision", cell.precision]
    title = f"Convert to {cell.fmt.title} {cell.precision}"
    if not cell.artifacts:
        if several:
            st.caption(escape(recipe_trials.promise(cell.fmt, cell.precision)), width=760)
        job_button(
            f"{'Retry conversion' if cell.failure else 'Convert'} to {cell.fmt.title.partition(' (')[0]} {cell.precision}",
            argv,
            title,
            key="convert",
        )
    elif not up_to_date(cell, checkpoint):
        st.caption("A conversion now would use other recipes, tools or images. It adds another file and keeps this one.")
        job_button("Convert again with the current recipe", argv, title, key="convert", kind="secondary")
    if several:
        _one_recipe(cell, argv, title)


def _one_recipe(cell: Cell, argv: list[str], title: str) -> None:
    recipes = {r.name: r for r in cell.fmt.recipes_for(cell.precision)}
    with st.expander("Convert with a chosen recipe", icon=":material/science:"):
        st.caption("The file is written, checked and kept with the others, whatever its figures are.")
        name = st.selectbox("Recipe", list(recipes), key="recipe_" + "_".join(cell.key))
        st.caption(escape(recipes[name].what))
        job_button(
            "Convert with this recipe",
            [*argv, "--recipe", name],
            f"{title}, recipe {name}",
            key="convert_recipe",
            kind="secondary",
        )


def _failure(failure: FailedConversion) -> None:
    """Stage and message of the last failed conversion, and the converter's log."""
    recipe = "" if failure.recipe == DEFAULT.name else f" with the recipe {escape(failure.recipe)}"
    said = escape(in_words(failure, MESSAGE_CHARACTERS))
    st.error(f"**The last conversion failed**{recipe}: {said}", icon=":material/error:")
    with st.expander("Converter log", icon=":material/terminal:"):
        st.code(
            failure.log or "Empty.", language="text", wrap_lines=True, height=260 if failure.log.count("\n") > 10 else "content"
        )
    provenance_note(failure.made, failure.id)


def pick_result(job: Job) -> None:
    """Show the file that a conversion made, once it is done."""
    made = job.result.get("id") if isinstance(job.result, dict) else None
    if made is None:
        return
    try:
        found = find_artifact(str(made))
    except UdaciSenseError:  # removed since
        return
    if found.checkpoint_id == st.query_params.get("checkpoint"):  # else somebody looks at another one meanwhile
        remember("artifact", found.id)


# --- the file ------------------------------------------------------------------------------------------------------------


def result(artifact: Artifact) -> None:
    """Size against the checkpoint, recipe, warnings, recipe trials, contents, downloads and provenance."""
    source = next((c for c in list_checkpoints().records if c.id == artifact.checkpoint_id), None)
    _figures(artifact, source)
    gone = f"{code(artifact.checkpoint_id)}, whose file is not here"
    origin = escape(describe_checkpoint(source)) if source else gone
    recipe = f"recipe {escape(artifact.recipe['recipe'])} · " if "recipe" in artifact.recipe else ""
    what = escape(f"{format_title(artifact.format)} {artifact.precision}")
    st.caption(f"{what} of {origin} · {recipe}sha256 {code(artifact.sha256[:16])}")
    for warning in artifact.warnings:
        st.info(escape(warning), icon=":material/info:")
    _next(artifact)
    if artifact.recipe_trials:
        recipe_trials.show(artifact)
    inspection.panel(artifact)
    with st.expander("Recipe", icon=":material/tune:"):
        st.json(dict(artifact.recipe), expanded=1)
    provenance_note(artifact.made, artifact.id)


def _figures(artifact: Artifact, source: Checkpoint | None) -> None:
    change = None if source is None else change_percent(artifact.size_bytes / source.size_bytes - 1)
    taken = recipe_trials.kept(artifact)
    with st.grid(4, min_column_width=150):
        st.metric(
            "Size",
            mb(artifact.size_bytes),
            change,
            "off",
            delta_arrow="off",
            delta_description="vs checkpoint",
            border=True,
            help=MB_HELP,
        )
        for key, label in CHOSEN.items():
            if key in artifact.recipe:
                st.metric(label, escape(artifact.recipe[key]), border=True, height="stretch")
        if taken is not None and taken.agreement is not None:
            st.metric(
                "Agreement",
                percent(taken.agreement),
                border=True,
                height="stretch",
                help="Share of answers equal to the checkpoint's on the validation images, by which the recipe was chosen. "
                "The Verify page has the share on the test images.",
            )
        st.metric(
            "Conversion time",
            duration(artifact.seconds),
            border=True,
            height="stretch",
            help="Without the start of Python; with several recipes, of all that were tried.",
        )


def _label_doubt(artifact: Artifact) -> str | None:
    try:
        return label_doubt(artifact, source_checkpoint(artifact))
    except NotFoundError:  # packing says so
        return None


def _next(artifact: Artifact) -> None:
    """Take the file along, or go on with it."""
    doubt = _label_doubt(artifact)
    if doubt:
        st.warning(f"Not packed for an app. {escape(doubt)}", icon=":material/warning:")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.download_button(
            f"Download {escape(artifact.path.name)}",
            data=artifact.path.read_bytes,
            file_name=artifact.path.name,
            mime="application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
        )
        if cache.can_package(artifact) and not doubt:
            st.download_button(
                "Package for an app",
                data=lambda: cache.package(artifact),
                file_name=f"{artifact.id}.zip",
                mime="application/zip",
                icon=":material/package_2:",
                on_click="ignore",
                help="The file with labels, golden images, metrics, code for its platforms and a self-test. "
                "It takes a few seconds to pack.",
            )
        for page, label, icon in (
            ("pages/verify.py", "Verify", "difference"),
            ("pages/benchmark.py", "Benchmark", "timer"),
            ("pages/readiness.py", "Check readiness", "fact_check"),
        ):
            st.page_link(page, label=label, icon=f":material/{icon}:", query_params={"artifact": artifact.id})
