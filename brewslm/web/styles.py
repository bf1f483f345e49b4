"""The style sheets of all pages as one file, and the script: each under an address that changes with its content."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fastapi import Response

from brewslm.web import theme

FOLDER = Path(__file__).parent / "static"
SHEETS = ("brewslm", "pieces", "shell", "data", "training", "release", "observe")
"""The look, what pieces.py makes, then each area's own: a later one may say otherwise."""
FOR_EVER = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    """A file of the pages."""

    name: str
    text: str
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """By address, below the pages' own; read once a process."""
    sheets = [theme.css(), *((FOLDER / f"{name}.css").read_text() for name in SHEETS)]
    found = (
        Asset("pages.css", "\n".join(sheets), "text/css"),
        Asset("pages.js", (FOLDER / "brewslm.js").read_text(), "text/javascript"),
    )
    return {f"/assets/{sha256(one.text.encode()).hexdigest()[:16]}/{one.name}": one for one in found}


def asset(version: str, name: str) -> Response:
    """The file; a browser asks for it once."""
    found = assets().get(f"/assets/{version}/{name}")
    if found is None:
        return Response(status_code=404)
    return Response(found.text, media_type=found.media_type, headers={"Cache-Control": FOR_EVER})


def head(prefix: str) -> str:
    """What stands in the head of every page. The script comes first: it chooses the theme before anything is painted."""
    css, script = assets()
    return f'<script src="{prefix}{script}"></script><link rel="stylesheet" href="{prefix}{css}">'
