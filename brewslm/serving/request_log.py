"""The request log of a slot whose owner wants one: what was asked and answered, without the personal data that is found in it.

JSON lines in the project's folder, `requests/<slot>.jsonl` and the part before it, `<slot>.1.jsonl`; never in events. Every text
is searched as cleaning searches documents (filters/pii), and a placeholder stands for what is found.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import orjson

from brewslm.filters.pii import find_pii, redact
from brewslm.filters.preset import cleaning_preset
from brewslm.serving.exchange import Exchange
from brewslm.store.files import confined, project_folder
from brewslm.store.locks import lock

QUEUE = 200
LONGEST_TEXT = 1 << 20
"""Characters; of a longer one only the length is told, for it would take seconds to search."""
ASKED = ("messages", "prompt", "row")
log = logging.getLogger(__name__)


class RequestLog:
    """Entries wait here until a task writes them, beside the answers and not before them."""

    def __init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[Exchange](QUEUE)
        self._dropped = 0

    def put(self, one: Exchange) -> None:
        """Have a request that has ended written down, where its slot's owner wants that."""
        if not one.is_logged:
            return
        try:
            self._send.send_nowait(one)
        except anyio.WouldBlock:
            self._dropped += 1

    async def keep_writing(self) -> None:
        """Write what was put until it is closed."""
        async with self._receive:
            async for one in self._receive:
                dropped, self._dropped = self._dropped, 0
                try:
                    await anyio.to_thread.run_sync(write, one, dropped)
                except OSError:
                    log.warning("a request was not logged", exc_info=True)

    def close(self) -> None:
        """Take no more; `keep_writing` ends when all is written."""
        self._send.close()


def log_files(project: int, slot: str) -> tuple[Path, Path]:
    """The older and the newer part of a slot's log; either may be missing.

    Raises:
        StageError(PathOutsideProject): The slot's name leads elsewhere.
    """
    folder = project_folder(project) / "requests"
    return confined(folder, f"{slot}.1.jsonl"), confined(folder, f"{slot}.jsonl")


def write(one: Exchange, dropped: int = 0) -> None:
    """Append an entry; the part that was written is set aside when it has half the bytes that the log may have."""
    assert one.now is not None
    line = orjson.dumps(entry(one) | ({"dropped_before": dropped} if dropped else {})) + b"\n"
    older, newer = log_files(one.project, one.slot)
    newer.parent.mkdir(parents=True, exist_ok=True)
    with lock(newer.with_suffix(".lock")):
        if newer.exists() and newer.stat().st_size + len(line) > one.now.settings.log_megabytes * 2**20 // 2:
            newer.replace(older)
        with newer.open("ab") as file:
            file.write(line)


def entry(one: Exchange) -> dict[str, Any]:
    """The line of a request."""
    assert one.now is not None
    body = _json(one.asked)
    asked = {name: body[name] for name in ASKED if name in body} if isinstance(body, dict) else {}
    return {
        "ts": datetime.now(UTC).isoformat(timespec="milliseconds"), "deployment": one.now.version_id, "model": one.now.model,
        "path": one.path, "status": one.status, "outcome": one.outcome, "seconds": round(one.seconds, 4),
        "prompt_tokens": one.prompt_tokens, "tokens": one.tokens, "asked": without_pii(asked),
        "answered": without_pii(_said(b"".join(one.answer))),
    }  # fmt: skip


def without_pii(value: Any) -> Any:
    """The value with placeholders for what is found in its texts; tokens and files are counted, not shown."""
    if isinstance(value, str):
        if value.startswith("data:"):
            return "[DATA]"
        if len(value) > LONGEST_TEXT:
            return f"[TEXT of {len(value)} characters]"
        return redact(value, find_pii(value, cleaning_preset().pii))[0]
    if isinstance(value, dict):
        return {without_pii(key): without_pii(part) for key, part in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(part, int | float) for part in value):
            return f"[{len(value)} numbers]"
        return [without_pii(part) for part in value]
    return value


def _json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _said(answer: bytes) -> Any:
    """What a model said: the texts of the choices, whole where they were streamed, for a value may lie across two events."""
    whole = _json(answer)
    if isinstance(whole, dict):
        return [_text_of(choice) for choice in whole["choices"]] if "choices" in whole else whole
    events = [_json(line[6:]) for line in answer.split(b"\n") if line.startswith(b"data: {")]
    texts: dict[int, str] = {}
    for choice in _choices(events):
        texts[choice.get("index", 0)] = texts.get(choice.get("index", 0), "") + (_text_of(choice) or "")
    return [texts[index] for index in sorted(texts)]


def _choices(events: Iterable[Any]) -> Iterable[dict[str, Any]]:
    return (choice for event in events if isinstance(event, dict) for choice in event.get("choices") or ())


def _text_of(choice: dict[str, Any]) -> Any:
    said = choice.get("message") or choice.get("delta")
    return said.get("content") if said else choice.get("text")
