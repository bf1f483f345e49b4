import json
import subprocess
import sys
from pathlib import Path

import orjson


def test_a_disk_that_is_full_in_mid_commit_is_named_and_told_and_the_rows_are_as_they_were(tmp_path: Path) -> None:
    """On a real file system of 12 MB, in a mount namespace of its own: the kept copy fits, the rows mapped from it do not."""
    source = tmp_path / "rows.jsonl"
    rows = ({"text": f"a film {n} " + "x" * 60, "label": "good" if n % 2 else "bad"} for n in range(60_000))
    source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    command = [sys.executable, "-m", "tests.stages.mapping.full_disk", str(tmp_path / "small"), str(source), "12m"]
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["problem"]["code"] == "disk_full" and "MB are free" in found["problem"]["detail"]
    assert "larger disk" in found["problem"]["next_step"]
    (first, _), (last, payload) = found["events"]
    assert (first, last) == ("dataset_import_run", "dataset_import_failed") and payload["problem"] == "disk_full"
    assert found["same"]
    assert [path for path in found["left"] if "import-2" in path] == []
