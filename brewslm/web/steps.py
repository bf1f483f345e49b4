"""The steps of a long form at a glance: what is done, what is to be done now, and what comes."""

from collections.abc import Sequence

from brewslm.web.parts import Text, box


class Steps:
    """Numbered names in a row; one of them is the step to be done now.

    Args:
        label: What they are the steps of.
    """

    def __init__(self, label: str, names: Sequence[str]) -> None:
        self._items = []
        with box("ol", "steps", aria_label=label):
            for number, name in enumerate(names, 1):
                with box("li", "form-step") as item:
                    Text("span", str(number), "form-step-number figure", aria_hidden="true")
                    Text("span", name)
                    said = Text("span", "", "unseen")
                self._items.append((item, said))
        self.at(1)

    def at(self, now: int) -> None:
        """Show that this step, from 1, is the one to do; after the last, that all are done."""
        for number, (item, said) in enumerate(self._items, 1):
            state = "done" if number < now else "now" if number == now else "later"
            item.classes(replace=f"form-step form-step-{state}")
            said.text = {"done": ", done", "now": ", to be done now", "later": ", to come"}[state]
            if state == "now":
                item.props["aria-current"] = "step"
            else:
                item.props.pop("aria-current", None)


def step_head(number: int, name: str, note: str = "") -> None:
    """The heading of a step's part of the form."""
    with box("h3", "step-head"):
        Text("span", str(number), "form-step-number figure", aria_hidden="true")
        Text("span", name)
    if note:
        Text("p", note, "muted")
