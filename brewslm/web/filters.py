"""A filter as a form that only changes the address: it needs no script, and every view of it can be shared."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from nicegui.element import Element

from brewslm.web.parts import Badge, Text, box, link, put
from brewslm.web.query import Heard
from brewslm.web.words import Sign


class FilterField(NamedTuple):
    """One thing to filter by.

    Attributes:
        name: In the address.
        kind: Of the input: search, text, datetime-local; or select, where there are options.
        options: What there is to choose from; of a text, what is suggested.
        more: Whether it stands folded away until it is used.
    """

    name: str
    label: str
    kind: str = "text"
    options: Sequence[str] = ()
    more: bool = False
    hint: str = ""


def filter_form(
    fields: Sequence[FilterField],
    values: Mapping[str, str],
    address: Callable[[Mapping[str, str]], str],
    heard: Heard[Any],
    besides: Mapping[str, str] | None = None,
) -> None:
    """The card: the form, and what holds now, each with a way to take it away.

    Args:
        values: Name to value, of what holds.
        address: Values to the page's address.
        heard: What was written, and what of it can't be used: it stands in its field still, with why.
        besides: What the address says whatever is filtered by.
    """
    with box("section", "card filters", aria_label="Filter"):
        left_out(heard, {field.name: field.label for field in fields}, address(values))
        with box("form", "filter-form", role="search"):
            for name, value in (besides or {}).items():
                box("input", "", type="hidden", name=name, value=value)
            with box("div", "filter-fields"):
                for field in fields:
                    if not field.more:
                        _field(field, values, heard)
            folded = [field for field in fields if field.more]
            if folded:
                more = box("details", "filter-more")
                if any(field.name in values or field.name in heard.faults for field in folded):
                    put(more, open="open")
                with more:
                    Text("summary", "More filters")
                    with box("div", "filter-fields"):
                        for field in folded:
                            _field(field, values, heard)
            Text("button", "Filter", "button", type="submit")
        _holding(fields, values, address)


def left_out(heard: Heard[Any], labels: Mapping[str, str], target: str) -> None:
    """What the address asks for and can't be used, with the way on without it; nothing, where all of it holds.

    Args:
        labels: Of the fields of the page's form, which say themselves what is wrong with them.
        target: The same view without what can't be used.
    """
    if not heard.faults:
        return
    with box("div", "left-out", role="alert"):
        with box("p", "note"):
            named = ", ".join(labels.get(name, name) for name in heard.faults)
            Badge(Sign("needs", f"Left out, for it can't be used: {named}"))
            link("Show it without", target)
        for name, fault in heard.faults.items():
            if name not in labels:
                Text("p", f"{name} {heard.written(name)}: {fault}", "is-failed")


def left_out_card(heard: Heard[Any], target: str) -> None:
    """`left_out`, on a page without a form of filters."""
    if heard.faults:
        with box("section", "card", aria_label="What was asked for"):
            left_out(heard, {}, target)


def field_fault(name: str, heard: Heard[Any]) -> dict[str, str]:
    """What is wrong with a field, drawn under it; the attributes of its control that say so."""
    said = heard.faults.get(name) or heard.hints.get(name)
    if not said:
        return {}
    Text("span", said, "is-failed field-fault", id=f"filter-{name}-fault")
    return {"aria_invalid": "true", "aria_describedby": f"filter-{name}-fault"}


def _field(field: FilterField, values: Mapping[str, str], heard: Heard[Any]) -> None:
    is_wrong = field.name in heard.faults
    value = heard.said[field.name] if is_wrong else values.get(field.name, "")
    with box("label", f"field filter-{field.kind}"):
        Text("span", field.label, "field-name")
        if field.kind == "select":
            with box("select", "control", name=field.name) as made:
                for option in ("", *field.options, *([value] if is_wrong else [])):
                    choice = Text("option", option or "all", value=option)
                    if option == value:
                        put(choice, selected="selected")
        else:
            made = _input(field, value, "text" if is_wrong else field.kind)
        put(made, **field_fault(field.name, heard))


def _input(field: FilterField, value: str, kind: str) -> Element:
    """A control for dates can't hold what is none: what was written stands in a plain one then, to be mended."""
    shown = value[:16] if kind == "datetime-local" else value
    made = box("input", "control", name=field.name, type=kind, autocomplete="off", maxlength="500")
    made.props["defaultValue"] = shown  # `value` would be written back over what a person types, whenever the page is drawn
    if field.hint:
        put(made, placeholder=field.hint)
    if field.options:
        put(made, list=f"known-{field.name}")
        with box("datalist", "", id=f"known-{field.name}"):
            for option in field.options:
                box("option", "", value=option)
    return made


def _holding(fields: Sequence[FilterField], values: Mapping[str, str], address: Callable[[Mapping[str, str]], str]) -> None:
    labels = {field.name: field.label for field in fields}
    holding = {name: value for name, value in values.items() if name in labels}
    if not holding:
        return
    with box("p", "holding"):
        Text("span", "Shown:", "muted")
        for name, value in holding.items():
            without = {each: one for each, one in values.items() if each != name}
            with link("", address(without), "chip held", aria_label=f"Take away the filter {labels[name]}: {value}"):
                Text("span", labels[name], "muted")
                Text("span", value, "cut")
                Text("span", "×", "muted", aria_hidden="true")
        link("Show everything", address({name: value for name, value in values.items() if name not in labels}))
