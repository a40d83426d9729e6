"""What the app's server answers beside its pages: one file here for each group of paths, listed in `routes`.

Imports `udacisense`, never `ui`. None is needed yet: the pages are Streamlit's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


def routes() -> tuple[BaseRoute, ...]:
    """The routes that a host of the app serves beside the pages.

    >>> routes()
    ()
    """
    return ()
