"""From the files inside a package to rows. What one of them holds that is no row is passed on as it is: it becomes a sentinel."""

import io
import re
import tarfile
import xml.etree.ElementTree as ElementTree
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import orjson
import yaml

_OUTSIDE_TAGS = frozenset({"NotAddress"})
_TRAILING_MARKS = re.compile(r"^(.+?)([,;]+)$")


def unpacked(package: Path, members: Sequence[str]) -> list[bytes]:
    """The members of an archive (.tar.gz, .whl), in the order of their names; each further pattern opens an archive inside."""
    found = [package.read_bytes()]
    for pattern in members:
        found = [content for archive in found for content in _members(archive, pattern)]
    if not found:
        raise LookupError(f"{package.name} has no {members[-1]}")  # the hash matched: so the catalogue is wrong
    return found


def _members(archive: bytes, pattern: str) -> list[bytes]:
    if zipfile.is_zipfile(io.BytesIO(archive)):
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return [opened.read(name) for name in sorted(opened.namelist()) if fnmatch(name, pattern)]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        chosen = sorted((entry for entry in tar.getmembers() if fnmatch(entry.name, pattern)), key=lambda entry: entry.name)
        return [file.read() for entry in chosen if (file := tar.extractfile(entry)) is not None]


def scored_lines(files: Sequence[bytes]) -> Iterator[Any]:
    """Lines of id, score, text, separated by tabs; the label is the score's sign."""
    for line in b"".join(files).decode("utf-8").split("\n"):
        if line.strip():
            number, score, text = line.rstrip("\r").split("\t", 2)
            value = float(score)
            label = "positive" if value > 0 else "negative" if value < 0 else "neutral"
            yield {"id": int(number), "text": text, "score": value, "label": label}


def tagged_xml(files: Sequence[bytes]) -> Iterator[Any]:
    """Strings whose tokens are elements named by their tag. Neighbours with one tag are one span.

    A comma or semicolon at a token's end becomes a token of its own, inside a span only when the span goes on after it.
    `trailing_whitespace` says whether a space follows each token, so that the text can be put together exactly.
    """
    for content in files:
        for entry in ElementTree.fromstring(content):
            pieces: list[tuple[str, str, bool]] = []
            for element in entry:
                tag = "O" if element.tag in _OUTSIDE_TAGS else element.tag
                pieces += _pieces(" ".join((element.text or "").split()), tag, bool(element.tail))
            tags = _spans_closed([tag for _, tag, _ in pieces])
            yield {
                "tokens": [token for token, _, _ in pieces],
                "labels": bio(tags),
                "trailing_whitespace": [*(space for _, _, space in pieces[:-1]), False],
            }


def _pieces(token: str, tag: str, space: bool) -> list[tuple[str, str, bool]]:
    marks = _TRAILING_MARKS.match(token)
    return [(marks[1], tag, False), (marks[2], "mark", space)] if marks else [(token, tag, space)]


def _spans_closed(tags: list[str]) -> list[str]:
    """A mark between two tokens of one tag has that tag; any other is outside."""
    around = ["O", *tags, "O"]
    return [
        tag if tag != "mark" else before if before == after else "O"
        for before, tag, after in zip(around, tags, around[2:], strict=False)
    ]


def bio(tags: Sequence[str]) -> list[str]:
    """Plain tags as BIO: a tag that repeats its neighbour continues the span."""
    return [
        tag if tag == "O" else f"I-{tag}" if tag == before else f"B-{tag}"
        for before, tag in zip(("O", *tags), tags, strict=False)
    ]


def conversations(files: Sequence[bytes]) -> Iterator[Any]:
    """The first statement of a conversation and its first answer. Later ones stand in `further`.

    They are other answers in one file and the talk's course in another, so that no more pairs can be made of them safely.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for content in files:
        corpus = yaml.load(content, Loader=loader)
        for statements in corpus["conversations"]:
            if not isinstance(statements, list):
                yield statements
                continue
            row: dict[str, Any] = dict(zip(("question", "answer"), statements, strict=False))
            row["category"] = corpus["categories"][0]
            yield row | ({"further": statements[2:]} if len(statements) > 2 else {})


HARMS = ("toxicity", "human_chatbox", "information_hazard", "malicious_uses", "misinformation_harms")
"""The classes of Do-Not-Answer (Wang et al. 2023), in the order of its files' names."""


def harmful_prompts(files: Sequence[bytes]) -> Iterator[Any]:
    """Lines of {"prompt": …}, a file for each kind of harm."""
    for harm, content in zip(HARMS, files, strict=True):
        for line in content.decode("utf-8").splitlines():
            if line.strip():
                yield {"prompt": orjson.loads(line)["prompt"], "harm_category": harm}


def spoken_clips(files: Sequence[bytes]) -> Iterator[Any]:
    """A transcript, then its recording, by turns. The recording stands in the row, as a data: address."""
    for transcript, recording in zip(files[::2], files[1::2], strict=True):
        audio = "data:audio/wav;base64," + b64encode(recording).decode()
        yield {"audio": audio, "transcript": transcript.decode("utf-8").strip()}


READERS: dict[str, Callable[[Sequence[bytes]], Iterator[Any]]] = {
    reader.__name__: reader for reader in (scored_lines, tagged_xml, conversations, harmful_prompts, spoken_clips)
}
"""By the name that the catalogue uses."""
