"""Rows in a project without an import: what prepare and all after it start from."""

from hashlib import blake2b
from typing import Any

from brewslm.rows import RowFile, row_id
from brewslm.store.database import transaction
from brewslm.store.files import project_folder
from brewslm.store.tables import RowFileState

_LETTERS = str.maketrans("0123456789abcdef", "aeioulmnrstdpkbg")
PROFILES = {"messages": "chat_sft", "label": "classification", "answer": "qa", "entities_json": "structured_extraction"}


def add_rows(project: int, payloads: list[dict[str, Any]], source: str = "source", import_run: str = "import-1") -> list[str]:
    """Commit payloads to the project's synthetic rows; returns their ids. The profile is told by the payload's keys."""
    with transaction() as session:
        state = session.get(RowFileState, (project, "synthetic")) or RowFileState(
            project_id=project, name="synthetic", committed_bytes=0, row_count=0
        )
        path = project_folder(project) / "synthetic" / "synthetic.jsonl"
        with RowFile(path).append(state.committed_bytes) as rows:
            for position, payload in enumerate(payloads, 1):
                profile = next(profile for key, profile in PROFILES.items() if key in payload)
                row = {"row_id": row_id(source, position), "task_profile": profile, "payload": payload}
                more = {"source_id": 1, "position": position, "mapper": "a_mapper", "import_run": import_run}
                rows.write(row | more)
        state.committed_bytes, state.row_count = rows.length, state.row_count + len(payloads)
        session.add(state)
    return [row_id(source, position) for position in range(1, len(payloads) + 1)]


def reviews(count: int, share_positive: float = 0.5) -> list[dict[str, str]]:
    """Two-label rows whose words tell the label; no two are near-duplicates."""
    positive = round(count * share_positive)
    found = []
    for n in range(count):
        kind, label = ("a lovely film", "positive") if n < positive else ("a dull film", "negative")
        found.append({"text": f"{kind}, {own_words(n)}", "label": label})
    return found


def own_words(number: int) -> str:
    """Three words that no other number has, as unlike those of its neighbours as words of the dictionary."""
    digest = blake2b(str(number).encode(), digest_size=12).hexdigest().translate(_LETTERS)
    return " ".join(digest[start : start + 8] for start in (0, 8, 16))
