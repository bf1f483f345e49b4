"""The project's media folder: every file once, under the hash of its content."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from brewslm.media.clips import clip_facts
from brewslm.media.facts import MediaKind, Unusable, format_of, is_media
from brewslm.media.finding import content_of
from brewslm.media.pictures import picture_facts
from brewslm.store.files import write_atomic

FOLDER = "media"
"""In the project's folder: media/<two digits of the hash>/<hash>.<format>."""
_REMEMBERED = 1 << 16


class MediaFolder:
    """Checks the media files of one import's rows, and keeps them.

    Args:
        project: The project's folder; None for a dry run, which keeps nothing.
        source: The folder of the source, which relative paths start from; None where it is no local file.

    Attributes:
        written: What was kept that was not there before, for whoever has to take it back.
    """

    def __init__(self, project: Path | None, source: Path | None) -> None:
        self._project, self._source = project, source
        self._known: dict[tuple[str, MediaKind], dict[str, Any] | Unusable] = {}
        self.written: list[Path] = []

    def take(self, named: str, kind: MediaKind) -> dict[str, Any] | Unusable:
        """The facts of a file, once it was decoded and kept: path, sha256, bytes, and what its kind is measured by.

        A file that several rows name is decoded once.
        """
        key = (named if len(named) < 1000 else hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest(), kind)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            try:
                self._known[key] = self._taken(content_of(named, self._source), kind)
            except Unusable as why:
                self._known[key] = why
        return self._known[key]

    def take_back(self) -> None:
        """Remove what this import alone has kept: its rows will not be there."""
        for path in self.written:
            path.unlink(missing_ok=True)
        self.written.clear()

    def _taken(self, content: bytes, kind: MediaKind) -> dict[str, Any]:
        name = format_of(content, kind)
        measured = picture_facts(content, name) if kind == "image" else clip_facts(content, name)
        digest = hashlib.sha256(content).hexdigest()
        path = f"{FOLDER}/{digest[:2]}/{digest}.{name}"
        if self._project is not None:
            kept = self._project / path
            if not kept.exists():
                self.written.append(kept)
            if not kept.exists() or kept.stat().st_size != len(content):
                write_atomic(kept, content)
        return {"path": path, "sha256": digest, "bytes": len(content), **measured}


def named_in(payloads: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The paths of the media files that payloads name."""
    return (value["path"] for payload in payloads for value in payload.values() if is_media(value))


def forget(project: Path, named: set[str]) -> int:
    """Remove every kept file that is not named any more; how many those were."""
    gone = 0
    for path in sorted((project / FOLDER).glob("*/*")):
        if str(path.relative_to(project)) not in named:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
