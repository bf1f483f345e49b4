"""The one error class that a person is shown, and what may be shown of any other."""

import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from brewslm.reasons.base import Reason


class StageError(Exception):
    """A failure with its reason, said in four parts: what failed, where, the measured cause, one next step.

    Args:
        reason: The typed reason; its code is the problem's type.
        what: What failed, in one sentence without a full stop.
        where: Which row, field, file or run.
        cause: What was measured.
        next_step: One thing to do; the reason's remedy when left out.
    """

    def __init__(self, reason: Reason, what: str = "", *, where: str = "", cause: str = "", next_step: str = "") -> None:
        self.reason = reason
        self.what = what or type(reason).meaning().rstrip(".")
        self.where, self.cause = where, cause
        self.next_step = next_step or reason.remedy
        super().__init__(self.what)

    def problem(self) -> dict[str, Any]:
        """The failure as an RFC 9457 problem document."""
        detail = "; ".join(part for part in (self.where, self.cause) if part)
        document: dict[str, Any] = {
            "type": f"urn:brewslm:reason:{self.reason.code}",
            "code": self.reason.code,
            "title": self.what,
        }
        document |= {"status": self.reason.status, "detail": detail or self.what, "next_step": self.next_step}
        return document | {"payload": self.reason.payload()}

    def __str__(self) -> str:
        lines = [f"{self.what}: {self.reason.code}"]
        lines += [f"  {part}" for part in (self.where, self.cause) if part]
        lines += [f"  next: {self.next_step}"] if self.next_step else []
        return "\n".join(lines)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The cause of an unknown word: "known: a, b", led by the nearest one where one is near."""
    every = sorted(known)
    near = get_close_matches(word, every, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}known: {', '.join(every)}"


def where_of(error: BaseException) -> str:
    """An exception as its type and place: never its message, which may quote somebody's data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "brewslm" in frame.filename] or list(frames)
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}"
