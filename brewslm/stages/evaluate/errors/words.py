"""presets/errors.yaml: what each kind of fault is called, and what to do about it."""

from functools import cache

from pydantic import BaseModel, ConfigDict

from brewslm.presets import checked, read_preset


class FaultWords(BaseModel):
    """Of one kind of fault.

    Attributes:
        said: With {0} and {1} for what the fault is about.
        general: Where it is about nothing in particular.
        open: The kind does not tell enough: its rows are looked at by what they mean, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    said: str
    general: str | None = None
    next_step: str
    general_step: str | None = None
    open: bool = False


class ErrorWords(BaseModel):
    """The preset.

    Attributes:
        trait: What to do about rows that fail with a trait in common.
        no_trait: What a cluster is called whose rows have none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: dict[str, FaultWords]
    trait: str
    no_trait: str


@cache
def error_words() -> ErrorWords:
    """The preset, read once."""
    return checked(read_preset("errors"), ErrorWords, "errors.yaml")


def fault_said(kind: str, subject: tuple[str, ...]) -> str:
    """A fault in words; of a kind that the preset does not know (a plugin's handler), its own name."""
    known = error_words().kinds.get(kind)
    if known is None:
        return " ".join([kind.replace("_", " "), *subject])
    return _filled(known.said if subject or known.general is None else known.general, subject)


def fault_step(kind: str, subject: tuple[str, ...]) -> str:
    """What to do about it."""
    known = error_words().kinds.get(kind, error_words().kinds["wrong"])
    return _filled(known.next_step if subject or known.general_step is None else known.general_step, subject)


def is_open(kind: str) -> bool:
    """Whether rows with such a fault are looked at by what they mean, too."""
    known = error_words().kinds.get(kind)
    return known is None or known.open


def _filled(text: str, subject: tuple[str, ...]) -> str:
    for place, part in enumerate(subject):
        text = text.replace(f"{{{place}}}", part)
    return text
