"""The small pieces that every page is made of: plain elements with text, links, times, states."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from brewslm.errors import StageError
from brewslm.web.words import Sign, absolute, ago


class Text(TextElement):
    """An HTML element that holds text."""

    def __init__(self, tag: str, text: str = "", classes: str = "", **props: str) -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)
        put(self, **props)


def put(element: Element, **props: str) -> None:
    """Set attributes; `aria_label` is aria-label. One that stays the same is not sent again."""
    for name, value in props.items():
        attribute = name.replace("_", "-")
        if element.props.get(attribute) != value:
            element.props[attribute] = value


def box(tag: str, classes: str = "", **props: str) -> Element:
    """An HTML element that holds others."""
    made = ui.element(tag).classes(classes)
    put(made, **props)
    return made


def link(text: str, target: str, classes: str = "", **props: str) -> ui.link:
    """A link; a target that begins with / is one of our own pages."""
    made = ui.link(text, target).classes(classes)
    put(made, **props)
    return made


def button(text: str, on_click: Callable[[], Any] | None = None, classes: str = "", **props: str) -> Text:
    """A button. Without `on_click`, the browser itself acts on its attributes: see brewslm.js."""
    made = Text("button", text, f"button {classes}", type="button", **props)
    if on_click is not None:
        made.on("click", on_click, [])
    return made


def moment(when: datetime | None, classes: str = "") -> Text:
    """A time: relative, absolute on hover."""
    made = Text("time", "", f"moment {classes}")
    set_moment(made, when)
    return made


def set_moment(made: Text, when: datetime | None) -> None:
    """Show another time."""
    stamp = when.isoformat() if when else ""
    if made.props.get("datetime") != stamp:
        made.text = ago(when) if when else ""
        put(made, datetime=stamp, title=absolute(when) if when else "")


class Badge:
    """A state: an icon and a word, in the state's colour."""

    def __init__(self, sign: Sign) -> None:
        with box("span", "state") as self._root:
            self._icon = box("span", "icon", aria_hidden="true")
            self._word = Text("span", "")
        self._sign: Sign | None = None
        self.show(sign)

    def show(self, sign: Sign) -> None:
        """Show another state."""
        if sign == self._sign:
            return
        if self._sign is not None:
            self._root.classes(remove=f"is-{self._sign.token}")
            self._icon.classes(remove=f"icon-{self._sign.token}")
        self._root.classes(f"is-{sign.token}")
        self._icon.classes(f"icon-{sign.token}")
        self._word.text = sign.word
        self._sign = sign


def problem(error: StageError) -> None:
    """A failure in its four parts."""
    problem_document(error.problem())


def problem_document(shown: Mapping[str, Any]) -> None:
    """A failure in its four parts, as a problem document says it."""
    with box("div", "problem", role="alert"):
        with box("p", "problem-what"):
            box("span", "icon icon-failed", aria_hidden="true")
            Text("span", str(shown["title"]))
            Text("code", str(shown["code"]))
        if shown["detail"] != shown["title"]:
            Text("p", str(shown["detail"]))
        if shown["next_step"]:
            Text("p", f"Next: {shown['next_step']}", "muted")
