"""What a model can be made to do: each task profile in words, with the rows that it learns from and the base models for it."""

from collections.abc import Mapping

from pydantic import BaseModel

from brewslm.handlers import HANDLERS
from brewslm.mappers import MAPPERS
from brewslm.models.catalogue import CatalogueEntry, catalogue
from brewslm.settings import settings

_WORDS = {
    "classification": ("Sort texts by label", "“A slow, lovely film” is positive"),
    "qa": ("Answer questions from what it has learned", "“When do you open?” is answered with your hours"),
    "rag_qa": (
        "Answer questions from passages that it is given",
        "your manual's page gives the answer, or it is not there",
    ),
    "chat_sft": ("Talk as your best agents do", "it goes on a conversation in your tone"),
    "seq2seq": ("Rewrite a text: translate, summarise, change its form", "a long ticket becomes two sentences"),
    "structured_extraction": ("Find the parts of a text", "name, street and city of an address; the total of an invoice"),
    "preference": ("Prefer the better of two answers", "pairs of a chosen and a rejected answer teach it taste"),
    "safety": ("Tell harmful requests from harmless ones", "a request for help with a crime is marked, one about cooking is not"),
    "language_modeling": ("Write in the language of your texts", "it learns terms and style from plain text"),
    "vision_language": ("Describe or read pictures", "a photograph of a parcel gets its caption"),
    "audio_transcript": ("Write down what is said", "a recording becomes its transcript"),
}


class GoalView(BaseModel):
    """One task profile.

    Attributes:
        words: What the model shall do.
        example: Of it, in half a sentence.
        rows: What its rows hold, as each mapper of it says.
        base_models: Locators of the known base models that can learn it, the one to begin with first: that of this installation,
            if it can; one that the catalogue does not know is taken for a causal one until it is read.
    """

    task_profile: str
    words: str
    example: str
    rows: list[str]
    base_models: list[str]


def goals() -> list[GoalView]:
    """Every task profile that can be trained, the most usual first; a plugin's is told by its name."""
    ordered = [name for name in _WORDS if name in HANDLERS] + [name for name in HANDLERS if name not in _WORDS]
    bases = catalogue()
    return [_goal(name, bases) for name in ordered]


def _goal(task_profile: str, bases: Mapping[str, CatalogueEntry]) -> GoalView:
    architectures = set().union(*(handler.architectures for handler in HANDLERS[task_profile]))
    known = [locator for locator, entry in bases.items() if entry.architecture in architectures]
    usual = settings().base_model
    if usual in known or (usual not in bases and "causal" in architectures):
        known = [usual, *(locator for locator in known if locator != usual)]
    words, example = _WORDS.get(task_profile, (task_profile.replace("_", " "), ""))
    return GoalView(
        task_profile=task_profile,
        words=words,
        example=example,
        rows=[one.meaning for one in MAPPERS.values() if one.task_profile == task_profile],
        base_models=known,
    )
