"""What is asked in the playground: a text, or a talk; further fields that the task's prompt reads; or a file."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from nicegui import ui

from brewslm.observe.predict import HowAsked
from brewslm.web.fields import FileField
from brewslm.web.parts import Text, box, button, put
from brewslm.web.words import plain

CHAT = "chat_sft"
ROLES = ("system", "user", "assistant")
VALUE = "(event) => emit(event.target.value)"


class TalkForm:
    """The fields of one question.

    Args:
        on_send: Called by Ctrl-Enter in any field.
    """

    def __init__(self, how: HowAsked, on_send: Callable[[], Awaitable[None]]) -> None:
        self._how, self._on_send = how, on_send
        self._messages: list[dict[str, str]] = [{"role": "user", "content": ""}]
        self._values: dict[str, str] = {}
        self._box = box("div", "talk")
        self._draw()

    @property
    def is_talk(self) -> bool:
        """Whether messages are asked, rather than a text."""
        return self._how.task_profile == CHAT

    def asked(self) -> dict[str, Any]:
        """The row: the task's input field and what else its prompt reads; {} where nothing was filled in."""
        if self.is_talk:
            messages = [one for one in self._messages if one["content"].strip()]
            return {"messages": messages} if messages else {}
        filled = {name: value for name, value in self._values.items() if value.strip()}
        return filled if self._how.input_field in filled else {}

    def go_on(self, answer: str) -> None:
        """Take an answer into the talk, and wait for the next message."""
        self._messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": ""}]
        self._draw()

    def _draw(self) -> None:
        self._box.clear()
        with self._box:
            if self.is_talk:
                for place, message in enumerate(self._messages):
                    self._message(place, message)
                with box("div", "row-actions"):
                    button("Add a message", self._add)
                    button("Begin anew", self._anew)
                return
            if self._how.media is not None:
                FileField(f"The {self._how.media}", "It is read where it stands, and sent nowhere else.", self._kept)
            else:
                self._area(plain(self._how.input_field).capitalize(), self._how.input_field, rows=4)
            for name in self._how.also_asked:
                self._area(plain(name).capitalize(), name, rows=3)

    def _area(self, label: str, name: str, rows: int) -> None:
        with box("label", "field"):
            Text("span", label, "field-name")
            fill = partial(self._values.__setitem__, name)
            self._textarea(self._values.get(name, ""), fill, rows, id=f"ask-{name}")

    def _message(self, place: int, message: dict[str, str]) -> None:
        with box("div", "message"):
            with box("select", "control", aria_label=f"Role of message {place + 1}") as role:
                for each in ROLES:
                    made = Text("option", each, value=each)
                    if each == message["role"]:
                        put(made, selected="selected")
            role.on("change", lambda event: message.__setitem__("role", str(event.args)), js_handler=VALUE)
            self._textarea(
                message["content"], lambda value: message.__setitem__("content", value), 2, id=f"message-{place}",
                aria_label=f"Message {place + 1}",
            )  # fmt: skip
            button("Remove", lambda: self._remove(place), aria_label=f"Remove message {place + 1}")

    def _textarea(self, value: str, on_change: Callable[[str], object], rows: int, **props: str) -> ui.element:
        made = box("textarea", "control", rows=str(rows), **props)
        if value:
            put(made, defaultValue=value)
        made.on("input", lambda event: on_change(str(event.args)), js_handler=VALUE)
        made.on("keydown.ctrl.enter", self._on_send, [])
        made.on("keydown.meta.enter", self._on_send, [])
        return made

    async def _kept(self, path: str) -> None:
        self._values[self._how.input_field] = path

    def _add(self) -> None:
        role = "assistant" if self._messages and self._messages[-1]["role"] == "user" else "user"
        self._messages.append({"role": role, "content": ""})
        self._draw()

    def _anew(self) -> None:
        self._messages = [{"role": "user", "content": ""}]
        self._draw()

    def _remove(self, place: int) -> None:
        del self._messages[place]
        if not self._messages:
            self._anew()
        self._draw()
