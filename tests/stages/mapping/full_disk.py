"""Run in a mount namespace of its own: a home on a file system of a few megabytes, and an import that does not fit.

Prints what happened as JSON.
"""

import os
import subprocess
import sys
from pathlib import Path

import orjson

home, source, size = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
home.mkdir(parents=True, exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(home)], check=True)
os.environ["BREWSLM_HOME"] = str(home)

from brewslm.pipeline.execute import RunFailed, call  # noqa: E402
from brewslm.stages.ingest import IngestRequest  # noqa: E402
from brewslm.stages.mapping import CommitRequest  # noqa: E402
from brewslm.stages.projects import CreateRequest  # noqa: E402
from brewslm.store.database import reading  # noqa: E402
from brewslm.store.tables import RunEvent  # noqa: E402


def committed(path: Path) -> dict[str, object]:
    locator = f"jsonl:{path}"
    call("test", IngestRequest(project=1, locator=locator))
    field_map = {"text": "text", "label": "label"}
    request = CommitRequest(project=1, locator=locator, mapper="label_to_classification", field_map=field_map)
    try:
        return call("test", request).result or {}
    except RunFailed as failed:
        return failed.view.problem or {}


call("test", CreateRequest(name="a project"))
small = source.with_name("small.jsonl")
small.write_bytes(b"".join(source.open("rb").readline() for _ in range(50)))
committed(small)
synthetic = home / "projects/1/synthetic/synthetic.jsonl"
before = synthetic.read_bytes()
problem = committed(source)
with reading() as session:
    events = [(one.reason_code, orjson.loads(one.payload)) for one in session.query(RunEvent).filter_by(project_id=1)]
print(
    orjson.dumps(
        {
            "problem": problem,
            "events": events,
            "same": synthetic.read_bytes() == before,
            "left": sorted(str(path.relative_to(home)) for path in (home / "projects/1").rglob("*") if path.stat().st_size > 0),
        }
    ).decode()
)
