"""Arguments and options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="print one JSON document on stdout")]
Source = Annotated[
    str | None,
    typer.Option(help="cifar100, folder, sample or a name of your own (see data); by default the best one that is here"),
]
Scheme = Annotated[str | None, typer.Option(help="household-v1 or official; by default household-v1, or a folder's own split")]
Split = Annotated[str, typer.Option(help="test or train")]
Protocol = Annotated[str, typer.Option(help="how long to time: quick, standard, soak, or a .toml file")]
Artifact = Annotated[str, typer.Argument(help="artifact, by id or path")]
Subject = Annotated[str, typer.Argument(help="checkpoint or artifact, by id or path")]
