"""The filters of the row explorer: links for what is counted, and a plain form whose address can be shared."""

from typing import Any
from urllib.parse import urlencode

from brewslm.observe.row_facets import RowFacets
from brewslm.observe.row_filter import RowFilter
from brewslm.web.filters import field_fault, left_out
from brewslm.web.imports_card import short
from brewslm.web.layout import PREFIX
from brewslm.web.parts import Text, box, link, put
from brewslm.web.pieces import chips
from brewslm.web.query import Heard

REASONS_SHOWN = 12
LABELS = {"text": "Says", "field": "Only in this field", "label": "Label", "import": "Import"}
"""Of the form's fields."""


def filter_card(project: int, asked: RowFilter, facets: RowFacets, heard: Heard[Any], target: str) -> None:
    """Status or split, reason, and the form.

    Args:
        heard: What was written, and what of it can't be used.
        target: The page without that.
    """
    has_form = not (asked.manifest is not None and asked.split == "rejected")
    with box("section", "card", aria_label="Filter"):
        left_out(heard, LABELS if has_form else {}, target)
        _statuses(project, asked, facets)
        if asked.manifest is not None:
            _splits(project, asked, facets)
        if asked.of_rejected:
            _reasons(project, asked, facets)
        if has_form:
            _form(project, asked, facets, _hinted(asked, heard))


def _hinted(asked: RowFilter, heard: Heard[Any]) -> Heard[Any]:
    """A field's name by itself narrows nothing."""
    alone = asked.field is not None and asked.text is None
    return heard.hinting({"field": "It narrows nothing by itself: write under Says what this field shall hold."} if alone else {})


def _address(project: int, **query: object) -> str:
    said = urlencode({name: value for name, value in query.items() if value is not None})
    return f"/projects/{project}/rows" + (f"?{said}" if said else "")


def _statuses(project: int, asked: RowFilter, facets: RowFacets) -> None:
    whose = {"import": asked.import_run, "label": asked.label, "text": asked.text, "field": asked.field}
    entries: list[tuple[str, str, int | None]] = [
        (name, _address(project, status=None if name == "counts" else name, **whose), count)
        for name, count in facets.statuses.items()
    ]
    newest = facets.manifests[0] if facets.manifests else None
    if newest:
        version = asked.manifest or newest.manifest
        entries.append((f"prepared as v{version}", _address(project, manifest=version), None))
    here = f"prepared as v{asked.manifest}" if asked.manifest is not None else asked.status
    chips("Status", entries, here)


def _splits(project: int, asked: RowFilter, facets: RowFacets) -> None:
    version = next((one for one in facets.manifests if one.manifest == asked.manifest), None)
    if version is None:
        return
    if len(facets.manifests) > 1:
        versions = [(f"v{one.manifest}", _address(project, manifest=one.manifest), None) for one in facets.manifests]
        chips("Version", versions, f"v{asked.manifest}")
    entries = [("every split", _address(project, manifest=asked.manifest), sum(version.rows.values()))]
    entries += [
        (split, _address(project, manifest=asked.manifest, split=split, label=asked.label, text=asked.text), count)
        for split, count in version.rows.items()
    ]
    entries.append(("rejected", _address(project, manifest=asked.manifest, split="rejected"), sum(version.rejected.values())))
    chips("Split", entries, asked.split or "every split")


def _reasons(project: int, asked: RowFilter, facets: RowFacets) -> None:
    counts = facets.reasons
    query: dict[str, object] = {"status": "rejected", "import": asked.import_run, "label": asked.label, "text": asked.text}
    if asked.manifest is not None:
        counts = next((one.rejected for one in facets.manifests if one.manifest == asked.manifest), {})
        query = {"manifest": asked.manifest, "split": "rejected"}
    entries: list[tuple[str, str, int | None]] = [("any", _address(project, **query), None)]
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    shown = [pair for place, pair in enumerate(ordered) if place < REASONS_SHOWN or pair[0] == asked.reason]
    entries += [(code, _address(project, **query, reason=code), count) for code, count in shown if count]
    chips("Reason", entries, asked.reason or "any")


def _form(project: int, asked: RowFilter, facets: RowFacets, heard: Heard[Any]) -> None:
    """Sent by the browser itself: Enter does it, and the answer has an address."""
    kept = {"reason": asked.reason, "manifest": asked.manifest, "split": asked.split}
    kept |= {"status": asked.status} if asked.status != "counts" else {}
    with box("form", "row-form", method="get", action=f"{PREFIX}/projects/{project}/rows", role="search", aria_label="Rows"):
        for name, value in kept.items():
            if value is not None:
                box("input", type="hidden", name=name, value=str(value))
        _text("text", asked.text, heard)
        _text("field", asked.field, heard)
        labels = {label: f"{label} ({count:,})" for label, count in facets.labels.items()}
        _choice("label", labels, asked.label, heard)
        if asked.manifest is None:
            imports = {one.import_run: f"{one.import_run} · {short(one.locator)}" for one in facets.imports}
            _choice("import", imports, asked.import_run, heard)
        with box("div", "row-form-acts"):
            Text("button", "Show rows", "button primary", type="submit")
            if asked.is_narrow or asked.import_run:
                link("Clear", _address(project, **{name: value for name, value in kept.items() if name != "field"}))


def _text(name: str, value: str | None, heard: Heard[Any]) -> None:
    with box("label", "field"):
        Text("span", LABELS[name], "field-name")
        made = box("input", "control", type="text", name=name, autocomplete="off", spellcheck="false", maxlength="500")
        # As `value` it would be written back over what is being typed.
        made.props["defaultValue"] = heard.said[name] if name in heard.faults else value or ""
        put(made, **field_fault(name, heard))


def _choice(name: str, options: dict[str, str], value: str | None, heard: Heard[Any]) -> None:
    """What was asked for is in the list, whether or not it is there."""
    chosen = heard.said[name] if name in heard.faults else value or ""
    if not options and not chosen:
        return
    with box("label", "field"):
        Text("span", LABELS[name], "field-name")
        with box("select", "control", name=name) as made:
            for each, said in {"": "any", **({chosen: chosen} if chosen and chosen not in options else {}), **options}.items():
                option = Text("option", said, value=each)
                if each == chosen:
                    put(option, selected="selected")
        put(made, **field_fault(name, heard))
