"""A manifest's held-out rows as a task of lm-evaluation-harness."""

from pathlib import Path

import orjson
from pydantic import BaseModel

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.lm_eval import ROWS_FILE, as_yaml, lm_eval_rows, lm_eval_task
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import PreparedData
from brewslm.store.database import reading
from brewslm.store.files import new_folder, project_folder, write_atomic
from brewslm.store.records import manifest_of


class LmEvalTask(BaseModel):
    """The files of a task.

    Attributes:
        yaml: For `<task>.yaml`.
        rows: For the file that the YAML names, a JSON line each.
    """

    task: str
    yaml: str
    rows: list[str]


def lm_eval(project: int, version: int | None = None, rows_path: str = ROWS_FILE) -> LmEvalTask:
    """The eval rows of a version, or of the one in use.

    Args:
        rows_path: Where the rows will stand; the harness reads a relative one from the folder where it is run.

    Raises:
        StageError(UnknownProject, NotPrepared, ManifestMismatch): There are no such rows, or they were changed.
        StageError(InvalidRequest): The harness has no metric for rows of this kind.
    """
    with reading() as session:
        frozen = manifest_of(session, project, version)
        path, expected, number = project_folder(project) / frozen.path, frozen.sha256, frozen.version
    data = PreparedData(path, expected)
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    name = f"brewslm_p{project}_v{number}_{handler.profile}"
    task = lm_eval_task(handler, name, rows_path)
    rows = [orjson.dumps(row).decode() for row in lm_eval_rows(handler, data.eval())]
    return LmEvalTask(task=name, yaml=as_yaml(task), rows=rows)


def export(project: int, folder: Path, version: int | None = None) -> LmEvalTask:
    """The same, written to a new folder, whole or not at all.

    Raises:
        StageError(InvalidRequest): There is something at this path already.
    """
    if folder.exists():
        raise StageError(InvalidRequest(), f"{folder.name} is there already", cause="a new folder is wanted")
    made = lm_eval(project, version, str(folder / ROWS_FILE))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(folder) as new:
        write_atomic(new / f"{made.task}.yaml", made.yaml.encode())
        write_atomic(new / ROWS_FILE, "".join(f"{row}\n" for row in made.rows).encode())
    return made
