"""What may be asked of the stream and of the explorer: one spelling for every face, and for a filter that is kept."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from brewslm.reasons import Severity, Stage

WORD = re.compile(r"[^\W_]+")
"""What search takes for a word: letters and digits; every other sign parts them."""
Face = Literal["cli", "api", "web", "schedule", "python"]
"""Through what a call came; "python" is code of one's own."""


def stamp(moment: datetime) -> str:
    """A moment as events spell it: in UTC, to the millisecond."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def _in_utc(moment: datetime) -> datetime:
    """A moment without a zone is meant in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _searchable(text: str) -> str:
    if text.strip() and not WORD.search(text):
        raise ValueError("there is no word in it to search for")
    return text


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Text = Annotated[str, Field(max_length=500), AfterValidator(_searchable)]


class EventFilter(BaseModel):
    """Which events. What is left out does not matter.

    Attributes:
        run: Those of this run, and those that are shown under it.
        since, until: From this moment on; before this one.
        text: Each word must stand in the code, the actor, a run's id or a value of the payload, whatever its case; signs part
            words, "exp-1" is its two words one after the other, and a `*` at the end stands for the rest of a word.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: int | None = None
    run: str | None = None
    stage: Stage | None = None
    severity: Severity | None = None
    code: str | None = None
    actor: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    text: Text | None = None

    @property
    def exact(self) -> dict[str, Any]:
        """The columns that must equal a value."""
        asked = {"project_id": self.project, "stage": self.stage, "severity": self.severity, "reason_code": self.code}
        asked["actor"] = self.actor
        return {name: value for name, value in asked.items() if value is not None}

    @property
    def phrases(self) -> list["Phrase"]:
        """What `text` asks for: every one of them must be found."""
        return phrases(self.text or "")


class CallFilter(BaseModel):
    """Which calls. What is left out does not matter.

    Attributes:
        outcome: "accepted", "resumed", or the code of a refusal.
        ended: How its run ended: a state, such as "failed".
        text: Each part must stand in the actor, the operation, the run's id, the request's id or the outcome.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: int | None = None
    operation: str | None = None
    actor: str | None = None
    face: Face | None = None
    outcome: str | None = None
    ended: str | None = None
    run: str | None = None
    request_id: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    text: Annotated[str, Field(max_length=500)] | None = None


class Phrase(BaseModel):
    """Words that must follow one another.

    Attributes:
        said: As it was typed, without the `*`.
        words: In small letters.
        open_ended: The last word may go on.
    """

    said: str
    words: list[str]
    open_ended: bool

    def is_in(self, words: Sequence[str]) -> bool:
        """Whether these words, in small letters, hold it."""
        many, last = len(self.words), self.words[-1]
        for start in range(len(words) - many + 1):
            found = words[start : start + many]
            ends = found[-1].startswith(last) if self.open_ended else found[-1] == last
            if ends and list(found[:-1]) == self.words[:-1]:
                return True
        return False


def phrases(text: str) -> list[Phrase]:
    """The parts of a search text: apart by spaces, or held together by double quotes."""
    found = []
    for quoted, bare in re.findall(r'"([^"]*)"?|(\S+)', text):
        said = quoted or bare
        words = words_of(said)
        if words:
            found.append(Phrase(said=said.rstrip("*"), words=words, open_ended=said.endswith("*")))
    return found


def words_of(text: str) -> list[str]:
    """Its words, in small letters."""
    return WORD.findall(text.lower())
