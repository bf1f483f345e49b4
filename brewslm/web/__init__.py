"""The web app: pages that read the views of `observe`, and act through `pipeline.execute`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def mount(app: "FastAPI") -> None:
    """Put the pages at /ui. NiceGUI is imported here, not before: a command line has no use for it."""
    from brewslm.web import pages

    pages.mount(app)
