"""One document: what was done to it, and its cleaned text with what was found marked."""

from brewslm.observe.document_text import DocumentText
from brewslm.web.parts import Text, box, link
from brewslm.web.pieces import known_reasons, pager, stats
from brewslm.web.words import plain


def document_card(project: int, shown: DocumentText, stretch: int) -> None:
    """Figures before → after, then the text."""
    one, report = shown.document, shown.document.cleaned or {}
    base = f"/projects/{project}/cleaning"
    with box("section", "card", aria_labelledby="document"):
        with box("div", "card-head"):
            Text("h2", one.name, id="document")
            link("Close", base)
        if not report:
            Text("p", "It was not cleaned yet.", "empty")
            return
        trimmed = sum(report.get("trimmed_lines", {}).values())
        stats((
            ("Characters", f"{report['raw_characters']:,} → {report['characters']:,}", "as read → cleaned"),
            ("Lines mended", f"{report['mended_lines']:,}", "encoding, spaces, hyphens"),
            ("Lines taken out", f"{trimmed:,}", ", ".join(map(plain, report.get("trimmed_lines", {})))),
            ("Quality", f"{report['quality']:.2f}", "0 to 1"),
            ("Personal data", f"{sum(report['finding_counts'].values()):,}", ", ".join(report["finding_counts"])),
        ))  # fmt: skip
        if one.reason:
            known = known_reasons().get(one.reason)
            Text("h3", f"Rejected: {one.reason}")
            Text("p", known.meaning if known else "This version does not know this code.")
            Text("p", f"Next: {known.remedy}" if known else "", "muted")
            return
        Text("h3", "Cleaned text")
        Text("p", "What stands for personal data is marked with its kind; the data itself is not in this text.", "muted")
        with box("div", "document-text", tabindex="0", role="region", aria_label="Cleaned text"):
            for piece in shown.pieces:
                if piece.kind is None:
                    Text("span", piece.text)
                    continue
                with box("mark", "found", aria_label=f"{plain(piece.kind)}: {piece.text}"):
                    Text("span", piece.text)
                    Text("span", plain(piece.kind), "found-kind")
        entries = [("Previous", f"{base}?document={one.id}&start={max(0, shown.start - stretch)}")] if shown.start else []
        entries += [("Next", f"{base}?document={one.id}&start={shown.end}")] if shown.end < shown.characters else []
        pager(f"characters {shown.start + 1:,}–{shown.end:,} of {shown.characters:,}", entries)
