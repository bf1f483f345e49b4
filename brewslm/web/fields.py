"""Fields that a person fills in: native ones, which every browser and screen reader knows; see brewslm.js for the upload."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui.events import GenericEventArguments

from brewslm.web.parts import Text, box, problem_document, put


class Select:
    """A choice out of a list.

    Args:
        options: Value to the text that is shown.
        on_change: Gets the value that was chosen.
    """

    def __init__(
        self, label: str, options: Mapping[str, str], value: str, on_change: Callable[[str], None], note: str = ""
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

    def __init__(self, label: str, on_change: Callable[[bool], None]) -> None:
        with box("label", "tick"):
            self.element = box("input", type="checkbox")
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
            self.element = box("input", type="file", data_upload="/api/uploads")
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
            Text("p", f"{answer['name']} is here: {answer['size_bytes']:,} bytes", "muted figure")
        await self._on_kept(str(answer["path"]))
