"""A filter as a form that only changes the address: it needs no script, and every view of it can be shared."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from brewslm.web.parts import Text, box, link, put


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
    besides: Mapping[str, str] | None = None,
) -> None:
    """The card: the form, and what holds now, each with a way to take it away.

    Args:
        values: Name to value, of what holds.
        address: Values to the page's address.
        besides: What the address says whatever is filtered by.
    """
    with box("section", "card filters", aria_label="Filter"):
        with box("form", "filter-form", role="search"):
            for name, value in (besides or {}).items():
                box("input", "", type="hidden", name=name, value=value)
            with box("div", "filter-fields"):
                for field in fields:
                    if not field.more:
                        _field(field, values.get(field.name, ""))
            folded = [field for field in fields if field.more]
            if folded:
                more = box("details", "filter-more")
                if any(field.name in values for field in folded):
                    put(more, open="open")
                with more:
                    Text("summary", "More filters")
                    with box("div", "filter-fields"):
                        for field in folded:
                            _field(field, values.get(field.name, ""))
            Text("button", "Filter", "button", type="submit")
        _holding(fields, values, address)


def _field(field: FilterField, value: str) -> None:
    with box("label", f"field filter-{field.kind}"):
        Text("span", field.label, "field-name")
        if field.kind == "select":
            with box("select", "control", name=field.name):
                for option in ("", *field.options):
                    choice = Text("option", option or "all", value=option)
                    if option == value:
                        put(choice, selected="selected")
            return
        shown = value[:16] if field.kind == "datetime-local" else value
        made = box("input", "control", name=field.name, type=field.kind, autocomplete="off", maxlength="500")
        made.props["defaultValue"] = shown  # `value` would be written back over what a person types, whenever the page is drawn
        if field.hint:
            put(made, placeholder=field.hint)
        if field.options:
            put(made, list=f"known-{field.name}")
            with box("datalist", "", id=f"known-{field.name}"):
                for option in field.options:
                    box("option", "", value=option)


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
