"""The inner values of a converted file while it answers an image, for the formats whose runtime lets them be seen."""

from __future__ import annotations

from pkgutil import resolve_name

from udacisense.errors import RunError
from udacisense.formats import get_format
from udacisense.types import IntermediateReader, ModelFile, format_name


def intermediate_reader(file: ModelFile) -> IntermediateReader:
    """The reader of a file's inner values, which runs it on an image.

    Raises:
        RunError: the format's runtime does not let them be seen.
    """
    fmt = get_format(format_name(file))
    if fmt.intermediates is None:
        raise RunError(f"{fmt.title} does not let the inner values of {file.path.name} be seen. Leave the method to `locate`.")
    reader: IntermediateReader = resolve_name(fmt.intermediates)(file)
    return reader
