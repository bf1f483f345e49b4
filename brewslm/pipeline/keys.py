"""Keys of endpoints. Not an operation: the request of a run is kept in a table and shown, where a key must never stand."""

from brewslm.errors import StageError
from brewslm.pipeline.entries import enter
from brewslm.reasons.refusals import InvalidRequest
from brewslm.serving.targets.elsewhere import KEY_NAME
from brewslm.store.database import reading, transaction
from brewslm.store.records import project_of
from brewslm.store.secrets import keep_endpoint_key


def keep_key(actor: str, project: int, name: str, key: str) -> None:
    """Keep a key in the project, under a name that a version's settings may say. One of this name is replaced.

    Raises:
        StageError(UnknownProject): There is no such project.
        StageError(InvalidRequest): The name is none, or the key is empty or has several lines.
    """
    with reading() as session:
        project_of(session, project)
    if not KEY_NAME.fullmatch(name):
        raise StageError(InvalidRequest(), "This can't be a key's name", cause="lower-case letters, digits and hyphens make one")
    if not key.strip() or len(key.split()) != 1:
        raise StageError(InvalidRequest(), "This can't be a key", where=name, cause="it is empty, or holds white space")
    keep_endpoint_key(project, name, key)
    with transaction() as session:
        enter(session, actor, "deploy.key", "accepted", project=project, run=None)
