"""The verb `data`: what the images are, and the names of folders of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from udacisense.cli.options import Json, Scheme, Source
from udacisense.cli.perform import perform


def data(
    source: Source = None,
    scheme: Scheme = None,
    folder: Annotated[
        Path | None, typer.Option(help="folder of images, or a zip of one, to keep as a source that all verbs and pages know")
    ] = None,
    name: Annotated[str | None, typer.Option(help="with --folder: what to call it; by default the folder's name")] = None,
    same: Annotated[
        list[str] | None,
        typer.Option(help="sofa=couch: its images of sofa are of the class couch; sofa= takes that back; may be repeated"),
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="use this folder from now on where no source is named")] = False,
    forget: Annotated[str | None, typer.Option(help="forget a named source; its folder stays")] = None,
    download: Annotated[bool, typer.Option("--download", help="fetch CIFAR-100 (about 170 MB) into data/ first")] = False,
    json: Json = False,
) -> None:
    """Describe the images: source, splits, class balance, health, and what was not read. Name a folder of your own."""
    named = folder is not None or same or default
    if (name is not None and folder is None) or (folder is not None and source is not None):
        raise typer.BadParameter("--folder goes with --name; a source that has a name already goes with --source")
    if sum((bool(named), forget is not None, download)) > 1:
        raise typer.BadParameter("keep a folder, forget one, or download: one at a time")

    def work(verbs: Any) -> Any:
        if download:
            return verbs.download_data()
        if forget is not None:
            return verbs.forget_source(forget)
        if named:
            return verbs.name_source(folder, source if folder is None else name, same or (), default)
        return verbs.data_info(source, scheme)

    perform(json, "data", work)
