"""Fields that a person fills in: native ones, which every browser and screen reader knows; see brewslm.js for the upload."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from nicegui import ui
from nicegui.events import GenericEventArguments

from brewslm.observe.figures import counted
from brewslm.web.parts import Text, box, problem_document, put


class Select:
    """A choice out of a list.

    Args:
        options: Value to the text that is shown.
        on_change: Gets the value that was chosen.
    """

    def __init__(
        self, label: str, options: Mapping[str, str], value: str, on_change: Callable[[str], object], note: str = ""
    ) -> None:
        with box("label", "field"):
            Text("span", label, "field-name")
            with box("select", "control") as self.element:
                self._options = {each: Text("option", shown, value=each) for each, shown in options.items()}
            if note:
                Text("span", note, "muted")
        self.element.on("change", lambda event: self._changed(str(event.args)), js_handler="(event) => emit(event.target.value)")
        self._on_change = on_change
        self.show(value)

    def show(self, value: str) -> None:
        """Choose without telling anybody: what else depends on it follows."""
        for each, option in self._options.items():
            if each == value:
                put(option, selected="selected")
            else:
                option.props.pop("selected", None)

    def _changed(self, value: str) -> None:
        self.show(value)
        self._on_change(value)


class Tick:
    """A sentence to agree to."""

    def __init__(self, label: str, on_change: Callable[[bool], object], on: bool = False) -> None:
        with box("label", "tick"):
            self.element = box("input", type="checkbox", **({"checked": "checked"} if on else {}))
            Text("span", label)
        self.element.on("change", lambda event: on_change(bool(event.args)), js_handler="(event) => emit(event.target.checked)")


class FileField:
    """A file to bring to this machine: the browser sends it to the API's uploads.

    Args:
        on_kept: Gets the path that the upload answered.
    """

    def __init__(self, label: str, hint: str, on_kept: Callable[[str], Awaitable[None]]) -> None:
        self._on_kept = on_kept
        with box("label", "file"):
            Text("span", label, "field-name")
            Text("span", hint, "muted")
            self.element = box("input", "file-input", type="file", data_upload="/api/uploads")
            box("progress", "file-progress", max="1", value="0", aria_label="Upload", hidden="hidden")
        self._said = box("div", "file-said", role="status")
        self.element.on("kept", self._kept, js_handler="(event) => emit(event.detail)")

    async def _kept(self, event: GenericEventArguments) -> None:
        """What the API answered: an upload, or a problem document."""
        answer: dict[str, Any] = event.args
        self._said.clear()
        with self._said:
            if "path" not in answer:
                problem_document(answer)
                return
            Text("p", f"{answer['name']} is here: {counted(answer['size_bytes'], 'byte')}", "muted figure")
        await self._on_kept(str(answer["path"]))


class TextField:
    """One line of text.

    Args:
        on_change: Gets the text whenever it was changed.
        named: Its `id`, by which a test or a label finds it.
        more: Further attributes, such as `inputmode`.
    """

    def __init__(
        self, label: str, value: str, on_change: Callable[[str], object], note: str = "", named: str = "", **more: str
    ) -> None:  # fmt: skip
        self.value = value
        with box("label", "field"):
            Text("span", label, "field-name")
            self.element = box("input", "control", type="text", autocomplete="off", spellcheck="false", **more)
            # As the default: Vue writes an attribute `value` back at every drawing, over what is being typed.
            self.element.props["defaultValue"] = value
            if named:
                put(self.element, id=named)
            if note:
                Text("span", note, "muted")

        def changed(event: GenericEventArguments) -> None:
            self.value = str(event.args)
            on_change(self.value)

        self.element.on("change", changed, js_handler="(event) => emit(event.target.value)")

    def show(self, value: str) -> None:
        """Another text, from the page."""
        self.value = value
        self.element.props["defaultValue"] = value
        ui.run_javascript(
            f"const field = getHtmlElement({self.element.id}); if (field) field.value = {orjson.dumps(value).decode()}"
        )


class Radios:
    """One choice of a few that are all seen.

    Args:
        entries: Value to its words and a note.
        value: The one that is chosen; "" for none.
        label_classes: "visually-hidden" where the label stands above already.
    """

    def __init__(
        self,
        label: str,
        entries: Mapping[str, tuple[str, str]],
        value: str,
        on_change: Callable[[str], object],
        label_classes: str = "visually-hidden",
    ) -> None:
        with box("fieldset", "radios") as self.element:
            Text("legend", label, label_classes)
            for each, (words, note) in entries.items():
                with box("label", "radio"):
                    made = box("input", type="radio", name=f"radios-{self.element.id}", value=each)
                    if each == value:
                        put(made, checked="checked")
                    Text("span", words, "radio-words")
                    if note:
                        Text("span", note, "muted")
        self.element.on("change", lambda event: on_change(str(event.args)), js_handler="(event) => emit(event.target.value)")
