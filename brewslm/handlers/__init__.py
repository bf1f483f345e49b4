"""Task handlers: one file per task profile."""

from brewslm.errors import StageError
from brewslm.handlers.base import TaskHandler
from brewslm.handlers.classification import ClassificationHandler
from brewslm.handlers.qa import QAHandler
from brewslm.handlers.structured_extraction import StructuredExtractionHandler
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import OutputSchema

HANDLERS: dict[str, type[TaskHandler]] = {
    handler.profile: handler for handler in (ClassificationHandler, QAHandler, StructuredExtractionHandler)
}
"""Task profile → handler."""


def handler_for(task_profile: str, schema: OutputSchema) -> TaskHandler:
    """The handler of a manifest.

    Raises:
        StageError(InvalidRequest): No handler trains this task profile, or not in this scoring mode.
    """
    handler = HANDLERS.get(task_profile)
    if handler is None:
        raise StageError(
            InvalidRequest(), f"task profile {task_profile} has no handler", cause=f"known: {', '.join(sorted(HANDLERS))}"
        )
    if schema.scoring_mode != handler.scoring_mode:
        raise StageError(
            InvalidRequest(),
            f"{task_profile} can't be scored as {schema.scoring_mode}",
            cause=f"its handler knows {handler.scoring_mode}",
        )
    return handler(schema)
