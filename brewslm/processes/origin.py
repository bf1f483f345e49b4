"""Which fault an error is: its type, where it was raised, and its words without what differs from one time to the next.

The same fault met again must give the same signature, and two faults must give two. So line numbers, paths, numbers, ids, hashes
and quoted values are taken out; exception types, functions and the words between stay.
"""

import hashlib
import re
import traceback
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.processes.verdict import Cause

OURS, THEIRS = 4, 3
"""How many frames are kept of our own files, and of the libraries' that our last one called."""
LONGEST_MESSAGE, LONGEST_TEMPLATE = 4000, 400
STOPPED = "stopped"
"""The signature of a run that a person cancelled or paused: no fault."""


class Origin(BaseModel):
    """Where a failure came from.

    Attributes:
        exception: The type, and those of the errors that it was raised from: "StageError < KeyError"; "" when none was raised.
        frames: File and function, outermost first: "brewslm/stages/train/run.py:run". No line, no folder of this machine.
        said: What a StageError said, as a template; of another error, whose words may be somebody's data, its digest.
    """

    model_config = ConfigDict(frozen=True)

    exception: str = ""
    frames: list[str] = []
    said: str = ""


def origin_of(error: BaseException) -> Origin:
    """Of an error that was raised. A StageError says what is wrong, so where it was raised tells no more and is left out."""
    if isinstance(error, StageError):
        return Origin(exception="StageError", said=template("; ".join(part for part in (error.what, error.cause) if part)))
    chain = list(_chain(error))
    frames = _frames(chain[-1]) or _frames(error)
    said = digest(template(str(error)))
    return Origin(exception=" < ".join(type(one).__name__ for one in chain[:4]), frames=frames, said=said)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from; one that `from None` hides is not told."""
    seen: BaseException | None = error
    met: set[int] = set()
    while seen is not None and id(seen) not in met:
        met.add(id(seen))
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _frames(error: BaseException) -> list[str]:
    """The last frames of ours, and the first of the libraries below them; a function that calls itself stands there once."""
    every: list[tuple[bool, str]] = []
    for frame, _ in traceback.walk_tb(error.__traceback__):
        place = short_path(frame.f_code.co_filename)
        one = (place.startswith("brewslm/"), f"{place}:{frame.f_code.co_name}")
        if one not in every[-1:]:
            every.append(one)
    last_of_ours = max((place for place, (ours, _) in enumerate(every) if ours), default=-1)
    ours = [name for is_ours, name in every[: last_of_ours + 1] if is_ours][-OURS:]
    return ours + [name for _, name in every[last_of_ours + 1 :]][-THEIRS:]


def short_path(path: str) -> str:
    """A source file as it is called on every machine: "brewslm/errors.py", "torch/nn/functional.py", "json/decoder.py"."""
    found = re.split(r".*/(?:site|dist)-packages/", path)[-1]
    if found == path:
        found = re.sub(r".*/(?=brewslm/)|.*/lib/python[\d.]+/|.*/python\d+\.zip/", "", path)
    return PurePath(found).name if found.startswith("/") else found


def signature(cause: Cause, code: str, origin: Origin) -> str:
    """Twelve hex digits: equal for the same fault.

    Args:
        cause: How the run ended.
        code: The reason or refusal that caused it; "" when it had none of its own.
    """
    if cause in (Cause.CANCELLED, Cause.PAUSED):
        return STOPPED
    return digest([cause.value, code, origin.exception, origin.frames, origin.said])


def digest(value: Any) -> str:
    """Twelve hex digits of a JSON value."""
    return hashlib.sha256(orjson.dumps(value)).hexdigest()[:12]


_QUOTED = (
    r"""(?<!\w)'(?:[^'\\\n]|\\.|(?<=\w)'(?=\w))*'(?!\w)|(?<!\w)"(?:[^"\\\n]|\\.)*"(?!\w)|`[^`\n]*`|“[^”]*”|‘[^’]*’|«[^»]*»"""
)
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), by)
    for pattern, by in (
        (r"did you mean \S+\? ", ""),  # as errors.did_you_mean writes them: both are of the project, not of the fault
        (r"\bknown: .*", "known: <list>"),
        (_QUOTED, "<value>"),
        (r"\b[a-z][a-z0-9+.-]*://[^\s,;)\]]+", "<url>"),
        (r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", "<n>"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<n>"),
        (r"(?:\b[a-z]:)?(?:[\w.~@+<>-]+)?(?:[/\\][\w.~@+<>-]+)+[/\\]?", "<path>"),
        (r"(?<!\w)[\w-]+(?:\.[\w-]+)*\.[a-z][a-z0-9]{0,9}\b", "<path>"),
        (r"\b0x[0-9a-f]+\b", "<n>"),
        (r"\b\d+(?:[x×]\d+)+\b", "<n>"),
        (r"(?<![\w<])[-+]?\d+(?:[.,_]\d+)*(?:e[+-]?\d+)?(?!\w|[.,_]\d)", "<n>"),
        (r"\b(?:[0-9a-f]{12,}|(?=[a-f]*\d)[0-9a-f]{8,})\b", "<n>"),
        (r"(?<![\w<])[a-z]+[-_]?\d+(?!\w)", lambda found: re.sub(r"\d+", "<n>", found[0])),  # exp-3, v2, layer_11
        (r"(?<![\w<])\d+(?:[.,]\d+)*(?=[a-z]{1,3}\b)", "<n>"),  # 12MB, 3s
        (r"(?<![\w<])\w*\d\w*(?![\w>])", "<n>"),
        (r"<n>(?:\s*[,x×:]\s*<n>)+", "<n>"),  # a shape of three is as one of two
        (r"\s+", " "),
    )
)


def template(message: str) -> str:
    """The message's words with what differs from time to time taken out, and no longer than is needed to tell it.

    "row 17 of '/data/a.csv' has 3 cells" → "row <n> of <value> has <n> cells"
    """
    said = message[:LONGEST_MESSAGE]
    for pattern, by in _RULES:
        said = pattern.sub(by, said)
    return said.strip()[:LONGEST_TEMPLATE]
