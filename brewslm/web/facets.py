"""What there is to choose from, counted: each value a link that adds or takes away one filter."""

from collections.abc import Callable, Mapping

from brewslm.observe.event_facets import EventFacets
from brewslm.observe.explorer import Facets
from brewslm.observe.figures import counted
from brewslm.web.parts import Text, box, link

Groups = Mapping[str, tuple[str, Mapping[str, int]]]
"""Field of the filter → its title, and how many there are of each value."""
SHOWN = 8


def groups_of(found: Facets | EventFacets) -> Groups:
    """What is listed, in its order."""
    if isinstance(found, EventFacets):
        return {
            "severity": ("Severity", found.severity), "stage": ("Stage", found.stage), "code": ("Reason code", found.code),
            "actor": ("By", found.actor),
        }  # fmt: skip
    return {
        "face": ("Through", found.face), "operation": ("Operation", found.operation), "actor": ("By", found.actor),
        "outcome": ("Outcome", found.outcome), "ended": ("How it ended", found.run_state),
    }  # fmt: skip


def facet_lists(found: Facets | EventFacets, held: Mapping[str, str], address: Callable[[Mapping[str, str]], str]) -> None:
    """The lists.

    Args:
        held: What is filtered by.
        address: Fields to the address that filters by them.
    """
    with box("nav", "card facets", aria_label="Filter by what there is"):
        if isinstance(found, EventFacets) and not found.is_all:
            Text("p", f"Counted among the newest {counted(found.looked_at, 'event')} that fit.", "muted")
        for field, (title, values) in groups_of(found).items():
            if not values and field not in held:
                continue
            with box("div", "facet"):
                Text("h2", title)
                chosen = held.get(field)
                ordered = list(values.items())
                if chosen is not None and chosen not in values:
                    ordered.insert(0, (chosen, 0))
                _list(field, ordered[:SHOWN], held, address)
                if len(ordered) > SHOWN:
                    with box("details", "facet-more"):
                        Text("summary", f"{len(ordered) - SHOWN:,} more")
                        _list(field, ordered[SHOWN:], held, address)


def _list(
    field: str, values: list[tuple[str, int]], held: Mapping[str, str], address: Callable[[Mapping[str, str]], str]
) -> None:
    with box("ul"):
        for value, count in values:
            without = {name: one for name, one in held.items() if name != field}
            is_chosen = held.get(field) == value
            with box("li"), link("", address(without if is_chosen else without | {field: value}), "facet-value") as made:
                Text("span", value or "not known", "cut")
                Text("span", f"{count:,}", "muted figure")
                if is_chosen:
                    Text("span", "×", "muted", aria_hidden="true")
                    made.props["aria-current"] = "true"
