"""A second click: what will change, and the button that does it."""

from collections.abc import Awaitable, Callable, Sequence

from brewslm.web.parts import Text, box, button


class Confirm:
    """A second click: what will change, before → after, and a button that does it.

    The panel stands where it is made and is hidden until it is asked. The button can be pressed once: a double click is one act.
    """

    def __init__(self, label: str) -> None:
        self.panel = box("div", "confirm", role="region", aria_label=label)
        self.panel.set_visibility(False)

    def ask(
        self,
        title: str,
        sentences: Sequence[str],
        act: str,
        do: Callable[[], Awaitable[None]],
        keep: str = "Not now",
        more: Callable[[], None] | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        """Open it.

        Args:
            sentences: What will change, one paragraph each.
            act: The button, a verb with its object: "Undo import-7 now".
            do: Called once, with the panel's own `with` block around it, after the panel was cleared.
            more: Draws what stands between the sentences and the buttons.
            ready: Whether what was filled in there can be used; if not, it says so at its fields, and the panel stays.
        """
        pressed = False

        async def once() -> None:
            nonlocal pressed
            if pressed or (ready is not None and not ready()):
                return
            pressed = True
            self.panel.clear()
            with self.panel:
                await do()

        self.panel.clear()
        self.panel.set_visibility(True)
        with self.panel:
            Text("h2", title)
            for sentence in sentences:
                Text("p", sentence, "figure")
            if more is not None:
                more()
            with box("div", "actions"):
                button(act, once, "primary")
                button(keep, self.close)

    def refuse(self, title: str, why: Callable[[], None]) -> None:
        """Open it without the act: what was asked can't be done now, and `why` draws the reason."""
        self.panel.clear()
        self.panel.set_visibility(True)
        with self.panel:
            Text("h2", title)
            why()
            with box("div", "actions"):
                button("Close", self.close)

    def close(self) -> None:
        """Nothing was done."""
        self.panel.set_visibility(False)
