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
NOTHING = "Write something to ask first."
LAST = "The last message is a user's: that is what the model answers. Add one, or change its role."
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
        self._asked_in: ui.element | None = None
        self._box = box("div", "talk")
        self._draw()

    @property
    def is_talk(self) -> bool:
        """Whether messages are asked, rather than a text."""
        return self._how.task_profile == CHAT

    def asked(self) -> dict[str, Any]:
        """The row: the task's input field and what else its prompt reads; {} where it can't be asked, which is said there."""
        self.blame("")
        if self.is_talk:
            messages = [one for one in self._messages if one["content"].strip()]
            if messages and messages[-1]["role"] == "user":
                return {"messages": messages}
            self.blame(LAST if messages else NOTHING)
            return {}
        filled = {name: value for name, value in self._values.items() if value.strip()}
        if self._how.input_field in filled:
            return filled
        self.blame(f"Choose the {self._how.media} first." if self._how.media else NOTHING)
        return {}

    def blame(self, said: str) -> None:
        """What is wrong with what is asked, said under the field that it lies in; "" where nothing is."""
        self._fault.text = said
        self._fault.set_visibility(bool(said))
        if self._asked_in is None:
            return
        if said:
            put(self._asked_in, aria_invalid="true", aria_describedby="ask-fault")
        else:
            self._asked_in.props.pop("aria-invalid", None)

    def _place_fault(self) -> None:
        self._fault = Text("p", "", "is-failed field-fault", id="ask-fault", role="alert")
        self._fault.set_visibility(False)

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
                self._place_fault()
                with box("div", "row-actions"):
                    button("Add a message", self._add)
                    button("Begin anew", self._anew)
                return
            if self._how.media is not None:
                FileField(f"The {self._how.media}", "It is read where it stands, and sent nowhere else.", self._kept)
            else:
                self._asked_in = self._area(plain(self._how.input_field).capitalize(), self._how.input_field, rows=4)
            self._place_fault()
            for name in self._how.also_asked:
                self._area(plain(name).capitalize(), name, rows=3)

    def _area(self, label: str, name: str, rows: int) -> ui.element:
        with box("label", "field"):
            Text("span", label, "field-name")
            fill = partial(self._values.__setitem__, name)
            return self._textarea(self._values.get(name, ""), fill, rows, id=f"ask-{name}")

    def _message(self, place: int, message: dict[str, str]) -> None:
        with box("div", "message"):
            with box("select", "control", aria_label=f"Role of message {place + 1}") as role:
                for each in ROLES:
                    made = Text("option", each, value=each)
                    if each == message["role"]:
                        put(made, selected="selected")
            role.on("change", lambda event: message.__setitem__("role", str(event.args)), js_handler=VALUE)
            self._asked_in = self._textarea(
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
