"""What the tests of prepare share."""

import orjson
import pytest
from sqlalchemy import select

from brewslm.pipeline.execute import RunFailed, call
from brewslm.rows.manifest import PreparedData
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.tables import RunEvent


def prepare(project, **asked):
    return call("test", PrepareRequest(project=project, **asked)).result


def data(project, result):
    return PreparedData(project_folder(project) / result["path"], result["sha256"])


def failure(project, **asked):
    with pytest.raises(RunFailed) as failed:
        prepare(project, **asked)
    return failed.value.error


def events(project):
    with reading() as session:
        found = session.scalars(select(RunEvent).where(RunEvent.project_id == project))
        return [(event.reason_code, orjson.loads(event.payload)) for event in found]


def sides(project, result):
    """Row id to train, dev, eval or gold."""
    prepared = data(project, result)
    return {row.row_id: row.slice or split for split in ("train", "eval", "gold") for row in prepared.rows(split)}


def rejected(project, version=1):
    """Row id to reason."""
    lines = (project_folder(project) / "prepared" / f"v{version}" / "rejected.jsonl").read_bytes().splitlines()
    return {line["row_id"]: line["reason"] for line in map(orjson.loads, lines)}
