"""Through what a call came, and which request it belongs to: the audit explorer's entry says both.

They travel beside the call, not in it: what an operation does must not depend on who carries the message.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
"""What is taken over from a caller as a request's id; anything else is answered with one of ours."""


@dataclass(frozen=True)
class Asking:
    """One request, or one command.

    Attributes:
        face: cli, api, web, schedule, or python: code of one's own.
        request_id: What the caller gave, or made here.
    """

    face: str
    request_id: str


_NOW: ContextVar[Asking | None] = ContextVar("asking", default=None)
_PROCESS = uuid4().hex
"""A command is one process: all that it asks for belongs together."""


@contextmanager
def asking(face: str, request_id: str | None = None) -> Iterator[Asking]:
    """Whatever is called in the block came through this face, as part of this request."""
    now = Asking(face, request_id if request_id and REQUEST_ID.fullmatch(request_id) else uuid4().hex)
    token = _NOW.set(now)
    try:
        yield now
    finally:
        _NOW.reset(token)


def asked_by(actor: str) -> Asking:
    """The request that is being served; where nobody said, by the actor's name and the process."""
    return _NOW.get() or Asking(face_of(actor), _PROCESS)


def face_of(actor: str) -> str:
    """The face whose actors are called so."""
    return "cli" if actor.startswith("cli:") else {"api": "api", "page": "web", "schedule": "schedule"}.get(actor, "python")
