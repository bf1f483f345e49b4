"""Task handlers: one file per task profile, or per way of scoring one."""

from brewslm.errors import StageError
from brewslm.handlers.audio_transcript import AudioTranscriptHandler
from brewslm.handlers.base import TaskHandler
from brewslm.handlers.chat import ChatHandler
from brewslm.handlers.classification import ClassificationHandler
from brewslm.handlers.field_extraction import FieldExtractionHandler
from brewslm.handlers.language_modeling import LanguageModelingHandler
from brewslm.handlers.preference import AlignmentHandler
from brewslm.handlers.qa import QAHandler
from brewslm.handlers.structured_extraction import StructuredExtractionHandler
from brewslm.handlers.vision_language import VisionLanguageHandler
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import OutputSchema

HANDLERS: dict[str, tuple[type[TaskHandler], ...]] = {
    "audio_transcript": (AudioTranscriptHandler,),
    "chat_sft": (ChatHandler,),
    "classification": (ClassificationHandler,),
    "language_modeling": (LanguageModelingHandler,),
    "preference": (AlignmentHandler,),
    "qa": (QAHandler,),
    "structured_extraction": (StructuredExtractionHandler, FieldExtractionHandler),
    "vision_language": (VisionLanguageHandler,),
}
"""Task profile → its handlers, one for each scoring mode."""


def handler_for(task_profile: str, schema: OutputSchema) -> TaskHandler:
    """The handler of a manifest.

    Raises:
        StageError(InvalidRequest): No handler trains this task profile, or not in this scoring mode.
    """
    known = HANDLERS.get(task_profile, ())
    if not known:
        raise StageError(
            InvalidRequest(), f"task profile {task_profile} has no handler", cause=f"known: {', '.join(sorted(HANDLERS))}"
        )
    for handler in known:
        if handler.scoring_mode == schema.scoring_mode:
            return handler(schema)
    modes = " and ".join(handler.scoring_mode for handler in known)
    cause = f"its handlers know {modes}" if len(known) > 1 else f"its handler knows {modes}"
    raise StageError(InvalidRequest(), f"{task_profile} can't be scored as {schema.scoring_mode}", cause=cause)


def handler_if_any(task_profile: str, schema: OutputSchema) -> TaskHandler | None:
    """The same; None where there is none, for rows that can be prepared before they can be trained on."""
    known = HANDLERS.get(task_profile, ())
    return next((handler(schema) for handler in known if handler.scoring_mode == schema.scoring_mode), None)
