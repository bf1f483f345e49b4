"""Logs as a bundle has them: their ends, without the messages of exceptions that may quote somebody's row."""

import re
from pathlib import Path

import orjson

TAIL_BYTES = 512 * 1024
LEFT_OUT = "[message left out: it may quote a row]"
_RAISED = re.compile(r"(?P<frame>[\s|+-]*)(?P<name>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exceptions|Warning|Group)): .")
_ENDED = re.compile(r"(?P<frame>)(?P<name>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*): .")
_GOES_ON = re.compile(
    r"\s*\Z|Traceback \(|During handling of|The above exception|\[|\d{4}-\d\d-\d\d|(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b"
    r"|\s*\d+%|[\s|+-]+(?:File \"|Traceback \()"
)
"""How a line begins that is no more of an exception's message."""
_QUOTES_NOTHING = frozenset(
    [
        "AttributeError", "BrokenPipeError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError",
        "FileExistsError", "FileNotFoundError", "ImportError", "IsADirectoryError", "MemoryError", "ModuleNotFoundError",
        "NameError", "NotADirectoryError", "NotImplementedError", "OSError", "OutOfMemoryError", "PermissionError",
        "RuntimeError", "TimeoutError",
    ]
)  # fmt: skip
"""Exceptions whose messages speak of files, machines and code."""


def tail(path: Path, most: int = TAIL_BYTES) -> tuple[str, int]:
    """The end of a log, from the beginning of a line on, and how many bytes come before it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - most))
        data = file.read(most)
    if size > most:
        data = data[data.find(b"\n") + 1 :]
    return data.decode("utf-8", "replace"), size - len(data)


def without_messages(text: str) -> str:
    """The log with `ValueError: [message left out]` where a message may quote what was read: types and frames stay."""
    kept: list[str] = []
    in_traceback = dropping = False
    for line in text.split("\n"):
        if dropping and not _GOES_ON.match(line) and not _RAISED.match(line):
            continue
        dropping = False
        raised = _RAISED.match(line) or (_ENDED.match(line) if in_traceback and line[:1].strip() else None)
        if "Traceback (most recent call last)" in line:
            in_traceback = True
        elif raised:
            in_traceback = False
            if raised["name"].rpartition(".")[2] not in _QUOTES_NOTHING:
                line, dropping = f"{raised['frame']}{raised['name']}: {LEFT_OUT}", True
        elif in_traceback and line[:1].strip():
            in_traceback = False
        kept.append(line)
    return "\n".join(kept)


def without_said(text: str) -> str:
    """The lines of a faults.jsonl without what the exceptions said; a torn line is left out."""
    kept = []
    for line in text.splitlines():
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        kept.append(orjson.dumps({name: one for name, one in value.items() if name != "said"}).decode() + "\n")
    return "".join(kept)
