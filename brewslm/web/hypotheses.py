"""The ways to map a source, the surest first, to choose one from."""

from collections.abc import Callable
from functools import partial

from nicegui.element import Element

from brewslm.stages.introspect import Introspection, ShapeHypothesis
from brewslm.web.introspection import field_map, sureness
from brewslm.web.parts import Badge, Text, box, put
from brewslm.web.words import plain


class HypothesisChoice:
    """Radio buttons, each with its confidence, its field map, what speaks for it and what against it.

    Args:
        on_choose: Gets the id of the mapper that was chosen.
    """

    def __init__(self, found: Introspection, chosen: str, on_choose: Callable[[str], None]) -> None:
        self._on_choose = on_choose
        self._radios: dict[str, Element] = {}
        if not found.hypotheses:
            Text("p", "No mapper suits these columns: choose one below, and name its columns yourself.", "empty")
            return
        with box("ol", "hypotheses", role="radiogroup", aria_label="Ways to map it, the surest first"):
            for number, each in enumerate(found.hypotheses, 1):
                with box("li"):
                    self._hypothesis(number, each, found.confidence_threshold)
        self.show(chosen)

    def show(self, chosen: str) -> None:
        """Mark another one; none, where the mapper was chosen otherwise."""
        for mapper, radio in self._radios.items():
            if mapper == chosen:
                put(radio, checked="checked")
            else:
                radio.props.pop("checked", None)

    def _hypothesis(self, number: int, each: ShapeHypothesis, threshold: float) -> None:
        with box("label", "hypothesis"):
            radio = box("input", type="radio", name="hypothesis", value=each.mapper_id)
            self._radios[each.mapper_id] = radio
            radio.on("change", partial(self._on_choose, each.mapper_id), [])
            with box("span", "hypothesis-said"):
                with box("span", "event-head"):
                    Text("span", f"{number}.", "muted figure")
                    Text("span", each.mapper_id, "mono event-code")
                    Text("span", f"for {plain(each.target_task_profile)}", "muted")
                    Badge(sureness(each.confidence, threshold))
                    with box("span", "meter", aria_hidden="true"):
                        box("span", "meter-part").style(f"width: {each.confidence:.0%}")
                Text("span", field_map(each.field_map), "mono")
                Text("span", each.rationale, "muted")
                for warning in each.warnings:
                    Text("span", f"but: {warning}", "muted doubt")
