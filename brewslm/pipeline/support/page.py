"""The bundle's page: a reader with nothing but a browser, and no network, sees what failed and what it was like."""

from collections import Counter
from typing import Any

import orjson

from brewslm.presets import FOLDER

FAILURES, TIMELINE, RUNS = 20, 300, 100
BAD = ("error", "critical")


def page(said: dict[str, Any], files: dict[str, bytes]) -> str:
    """The page, as a function of the other files.

    Args:
        said: The bundle's manifest, but for its files.
        files: Name to content, redacted.
    """
    from jinja2 import Environment, StrictUndefined

    text = (FOLDER / "support_bundle.html.jinja").read_text()
    runs, events = _lines(files.get("runs.jsonl", b"")), _lines(files.get("events.jsonl", b""))
    bad = [one for one in events if one["severity"] in BAD]
    seen = {one["reason_code"]: one for one in bad}
    codes = Counter(one["reason_code"] for one in bad)
    known = {name: orjson.loads(files[f"{name}.json"]) for name in ("environment", "project", "chain", "deployments", "models")
             if f"{name}.json" in files}  # fmt: skip
    return Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text).render(
        said=said, failed=[one for one in runs[::-1] if one["problem"]][:FAILURES], runs=runs[::-1][:RUNS], all_runs=len(runs),
        states=Counter(one["state"] for one in runs), events=events[::-1][:TIMELINE], all_events=len(events),
        bad_events=len(bad), causes=[seen[code] | {"count": count} for code, count in codes.most_common()],
        names=sorted(files), **{name: known.get(name) for name in ("environment", "project", "chain", "deployments", "models")},
    )  # fmt: skip


def _lines(data: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in data.splitlines()]
