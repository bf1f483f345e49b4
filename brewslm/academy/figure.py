"""A lesson's figure: a small SVG that follows the theme, speaks to a screen reader, and can do nothing."""

import re
from pathlib import Path
from xml.etree import ElementTree

from brewslm.academy.exercise import Strict

MOST_BYTES = 8_000
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"svg", "title", "desc", "g", "rect", "line", "path", "circle", "polyline", "polygon", "text", "tspan"}
TEXT_COLOURS = {"text", "muted", "accent", "done", "needs", "failed", "running"}
MARK_COLOURS = {"edge", "line", "sunken", "chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6"} | TEXT_COLOURS
"""Tokens of the web app's theme: those in which words may stand, and those of shapes."""
FAINT = 0.2
"""The most that a filled shape may cover, so that words stand out on it in both themes."""
_TOKEN = re.compile(r"var\(--([a-z0-9-]+)(?:, ?(?:#[0-9a-f]{6}|currentColor))?\)")


class Figure(Strict):
    """A figure: its SVG, and the title and description that are read out."""

    svg: str
    title: str
    description: str


def read_figure(path: Path) -> Figure:
    """Read and check a figure.

    Raises:
        ValueError: It is not there, or not as a figure must be; it says what.
    """
    if not path.is_file():
        raise ValueError(f"{path.name}: there is no such figure")
    text = path.read_text("utf-8").strip()
    problems = figure_problems(text)
    if problems:
        raise ValueError(f"{path.name}: {problems[0]}")
    root = ElementTree.fromstring(text)
    return Figure(svg=text, title=root.findtext(f"{SVG}title", ""), description=root.findtext(f"{SVG}desc", ""))


def figure_problems(text: str) -> list[str]:
    """What is wrong with a figure: a script or an address in it, no words for a screen reader, a colour that is no token."""
    if len(text.encode()) > MOST_BYTES:
        return [f"it has more than {MOST_BYTES:,} bytes"]
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return [f"it is no XML: {error}"]
    found = []
    labels = root.get("aria-labelledby", "").split()
    said = [root.find(f"{SVG}{name}") for name in ("title", "desc")]
    if root.get("role") != "img" or any(one is None or not (one.text or "").strip() for one in said):
        found.append("it needs role=img, a title and a desc")
    elif labels != [one.get("id") for one in said if one is not None]:
        found.append("aria-labelledby must name its title and desc")
    if not root.get("viewBox") or root.get("width") or root.get("height"):
        found.append("it has a viewBox, and no size of its own")
    return found + _problems_in(root, "currentColor", "1")


def _problems_in(element: ElementTree.Element, filled: str, opacity: str) -> list[str]:
    """Of an element and all in it; what it does not say of its filling, it has from the one around it."""
    filled, opacity = element.get("fill", filled), element.get("fill-opacity", opacity)
    found = _element_problems(element, filled, opacity)
    for inner in element:
        found += _problems_in(inner, filled, opacity)
    return found


def _element_problems(element: ElementTree.Element, filled: str, opacity: str) -> list[str]:
    name = element.tag.removeprefix(SVG)
    if name not in SHAPES:
        return [f"{name} is no shape or words"]
    found = [f"{key} is an attribute that can act or fetch" for key in element.attrib if key.startswith("on") or "href" in key]
    found += [f"{name}: {key} has an address" for key, value in element.attrib.items() if "url(" in value]
    words = name in ("text", "tspan")
    for key, value in (("fill", filled if words else element.get("fill")), ("stroke", element.get("stroke"))):
        token = _TOKEN.fullmatch(value or "")
        allowed = TEXT_COLOURS if words else MARK_COLOURS
        if value not in (None, "none", "currentColor") and (token is None or token[1] not in allowed):
            found.append(f"{name}: {key}={value} is no colour of the theme")
    if words and (filled == "none" or opacity != "1"):
        found.append(f"{name}: words are written in full colour")
    if name in ("rect", "path", "polygon", "circle") and filled != "none" and float(opacity) > FAINT:
        found.append(f"{name}: a filled shape covers at most {FAINT}")
    return found
