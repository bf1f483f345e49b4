"""Whether real documents become text: odd PDFs and a documentation's web pages, each read within its limits.

Run: python -m bench.documents. The PDFs come inside pypdf's source package, fetched by its hash: what its authors collected of
broken, locked and unusual files. pypdf reads them here, so it has seen them all before. The pages are the machine's own
documentation (Debian's python3.11-doc, else whatever HTML lies below /usr/share/doc). No document may stop the batch, each that
gives no text has a reason, and the counts add up. There is no peer: the libraries are theirs, ours are limits and reasons.
"""

import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.report import write
from brewslm.readers import Unreadable
from brewslm.readers.bounded import ReadLimits, read_bounded
from brewslm.readers.sniff import media_type_of
from brewslm.store.fetch import package_file

PACKAGE = ("pypdf", "7.1.0", "ca3fa902369e98a6d2cb7b56396de902b72ef9bb3c1e8706c1bfc7d8bd0cf0d7")
PAGES = (("python3.11-doc", Path("/usr/share/doc/python3.11/html")), ("any package", Path("/usr/share/doc")))
FEWEST_PAGES = 200


def main() -> None:
    """Read all and report."""
    source, pages = web_pages()
    with tempfile.TemporaryDirectory(prefix="bench-documents-") as folder:
        kinds = {"pdf": measured(pdf_zoo(Path(folder))), "html": measured(pages)}
    for kind, found in kinds.items():
        print(f"{kind:6s}{found['documents']:>6,} documents  {found['read']:>6,} read  {found['failed']}", file=sys.stderr)
    total = {name: sum(found[name] for found in kinds.values()) for name in ("documents", "read", "crashed", "unaccounted")}
    goal: dict[str, dict[str, float]] = {
        "total.crashed": {"at_most": 0},
        "total.unaccounted": {"at_most": 0},
        "pdf.documents": {"at_least": 50},
        "html.documents": {"at_least": FEWEST_PAGES},
        "pdf.slowest_seconds": {"at_most": 3 * ReadLimits().seconds + 1},
        "html.slowest_seconds": {"at_most": 3 * ReadLimits().seconds + 1},
    }
    write("documents", {"pages_of": source, **kinds, "total": total}, {}, goal, ("pypdf", "trafilatura", "lxml"))


def pdf_zoo(folder: Path) -> list[Path]:
    """Every PDF of the package, wherever it lies in it."""
    with tarfile.open(package_file(*PACKAGE, "sdist")) as archive:
        chosen = [entry for entry in archive.getmembers() if entry.isfile() and entry.name.lower().endswith(".pdf")]
        archive.extractall(folder, chosen, filter="data")
    return sorted(folder.rglob("*.pdf"))


def web_pages() -> tuple[str, list[Path]]:
    """Where the pages are from, and their files."""
    for source, folder in PAGES:
        pages = sorted(path for path in folder.rglob("*.html") if path.is_file())
        if len(pages) >= FEWEST_PAGES:
            return source, pages
    raise SystemExit(f"fewer than {FEWEST_PAGES} HTML files; install python3.11-doc")


def measured(paths: list[Path]) -> dict[str, Any]:
    """What became of each; a crash is whatever is not a reason."""
    ends: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    seconds: list[tuple[float, str]] = []
    size = characters = 0
    for path in paths:
        began = time.monotonic()
        try:
            found = read_bounded(path, media_type_of(path))
        except Unreadable as refused:
            ends[refused.reason.value] += 1
        except Exception as error:  # noqa: BLE001 - counting them is what this bench is for
            ends[f"crash {type(error).__name__}"] += 1
        else:
            ends["read"] += 1
            characters += len(found.text)
            notes.update(found.notes)
        seconds.append((time.monotonic() - began, path.name))
        size += path.stat().st_size
    total, (slowest_seconds, slowest) = sum(one for one, _ in seconds), max(seconds)
    crashed = sum(count for end, count in ends.items() if end.startswith("crash"))
    failed = {end: count for end, count in sorted(ends.items()) if end != "read"}
    return {
        "documents": len(paths),
        "read": ends["read"],
        "failed": failed,
        "crashed": crashed,
        "unaccounted": len(paths) - ends["read"] - sum(failed.values()),
        "notes": dict(notes),
        "characters": characters,
        "megabytes": round(size / 1e6, 1),
        "seconds": round(total, 1),
        "megabytes_per_second": round(size / 1e6 / total, 2),
        "slowest": slowest,
        "slowest_seconds": round(slowest_seconds, 2),
    }


if __name__ == "__main__":
    main()
