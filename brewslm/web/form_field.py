"""A field of a request's form: a native control with its note, and what is wrong with it, said at the field."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui.events import GenericEventArguments

from brewslm.errors import StageError
from brewslm.web.parts import Text, box, put


class FormField:
    """One line of text, or a choice where there are options.

    Args:
        name: Of the request's field; it is the control's id too.
        options: Value to the text that is shown.
        on_change: Gets the value whenever it was changed.
        control: "input" or "textarea", where there are no options.
    """

    def __init__(
        self,
        name: str,
        label: str,
        value: str = "",
        note: str = "",
        options: Mapping[str, str] | None = None,
        on_change: Callable[[str], object] | None = None,
        control: str = "input",
        **more: str,
    ) -> None:
        self.name, self.value, self._on_change = name, value, on_change
        with box("div", "form-field field"):
            Text("label", label, "field-name").props["for"] = name
            if options is None:
                self.element = box(control, "control", id=name, autocomplete="off", spellcheck="false", **more)
                # As the default: an attribute `value` is written back at every drawing, over what is being typed.
                self.element.props["defaultValue"] = value
            else:
                with box("select", "control", id=name, **more) as self.element:
                    for each, said in options.items():
                        put(Text("option", said, value=each), **({"selected": "selected"} if each == value else {}))
            self._blame = Text("p", "", "is-failed field-fault", id=f"{name}-fault", role="alert")
            if note:
                Text("p", note, "muted", id=f"{name}-note")
        put(self.element, aria_describedby=f"{name}-fault{f' {name}-note' if note else ''}")
        self._blame.set_visibility(False)
        self.element.on("change", self._changed, js_handler="(event) => emit(event.target.value)")

    def on_enter(self, do: Callable[[], Awaitable[None]]) -> None:
        """Enter does it too; the browser tells a change only after the key."""

        async def entered(event: GenericEventArguments) -> None:
            self._changed(event)
            await do()

        self.element.on("keydown.enter", entered, js_handler="(event) => emit(event.target.value)")

    def refuse(self, error: StageError) -> None:
        """Why what was filled in can't be used, and the way on."""
        self.blame(refusal(error))

    def blame(self, said: str) -> None:
        """What is wrong with it; "" where nothing is."""
        self._blame.text = said
        self._blame.set_visibility(bool(said))
        if said:
            put(self.element, aria_invalid="true")
        else:
            self.element.props.pop("aria-invalid", None)

    def _changed(self, event: GenericEventArguments) -> None:
        self.value = str(event.args).strip()
        if self._on_change is not None:
            self._on_change(self.value)


def refusal(error: StageError) -> str:
    """What was refused as one line: what failed, why, and the next step."""
    why = "; ".join(filter(None, (error.where, error.cause)))
    said = f"{error.what}: {why}" if why else error.what
    return f"{said.rstrip('.')}. {f'Next: {error.next_step}' if error.next_step else ''}".strip()
