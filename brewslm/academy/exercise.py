"""What an exercise looks for in the event stream, declared in its lesson, and the one pure function that looks."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, model_validator

from brewslm.reasons import REGISTRY, is_event


class Told(Protocol):
    """An event, as far as an exercise looks at it."""

    @property
    def id(self) -> int:
        """It grows along the stream."""

    @property
    def reason_code(self) -> str:
        """What happened."""

    @property
    def payload(self) -> dict[str, Any]:
        """The fields of the reason."""


class Strict(BaseModel):
    """A piece of a lesson's front matter: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Strict):
    """What one field of a payload must be; each part that is given must hold, and a field that is not there never does.

    Attributes:
        above: The name of another field of the same payload that this one must be greater than.
        has: What the list must hold.
    """

    equals: str | int | float | bool | None = None
    one_of: tuple[str | int, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    above: str | None = None
    has: str | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a condition must ask something")
        return self

    def holds(self, value: Any, payload: dict[str, Any]) -> bool:
        """Whether the field's value is as asked."""
        if value is None:
            return False
        other = field_of(payload, self.above) if self.above else None
        return (
            ("equals" not in self.model_fields_set or value == self.equals)
            and (not self.one_of or value in self.one_of)
            and (self.at_least is None or (_number(value) and value >= self.at_least))
            and (self.at_most is None or (_number(value) and value <= self.at_most))
            and (self.above is None or (_number(value) and _number(other) and value > other))
            and (self.has is None or (isinstance(value, list) and self.has in value))
        )


class Step(Strict):
    """One event that must be there, after those of the steps before it.

    Attributes:
        said: What the person did, when it is there, such as "Reviews were imported".
        stage: Of the event; its reasons must be of this stage.
        reasons: One of these codes.
        where: By the field's name (dots lead into objects): what it must be. It is asked of those reasons that have the field.
    """

    said: str
    stage: str
    reasons: tuple[str, ...]
    where: dict[str, Condition] = {}

    @model_validator(mode="after")
    def _is_of_the_taxonomy(self) -> Self:
        if not self.reasons:
            raise ValueError("a step needs a reason code")
        for code in self.reasons:
            reason = REGISTRY.get(code)
            if reason is None or not is_event(reason.model_construct()):
                raise ValueError(f"{code} is no event's reason code")
            if reason.stage != self.stage:
                raise ValueError(f"{code} is of the stage {reason.stage}, not {self.stage}")
        for name in (*self.where, *(one.above for one in self.where.values() if one.above)):
            if not any(_has(code, name) for code in self.reasons):
                raise ValueError(f"{' or '.join(self.reasons)} has no field {name}")
        return self

    def met_by(self, event: Told) -> bool:
        """Whether this event is what the step asks for."""
        return event.reason_code in self.reasons and all(
            condition.holds(field_of(event.payload, name), event.payload)
            for name, condition in self.where.items()
            if _has(event.reason_code, name)
        )


class Exercise(Strict):
    """Something to do on a sample project, and how the event stream shows that it was done.

    Attributes:
        goal: What to do, in a sentence or two.
        sample: Of presets/samples.yaml; None where the rows are the person's own.
        commands: What to type, in order; `{project}` stands for the project's number.
        steps: Events in their order.
        same: A payload field that must have one value in all steps whose reasons have it, such as experiment_id.
        differs: A payload field whose value must be another in each step whose reasons have it, such as reviewer.
    """

    goal: str
    sample: str | None = None
    commands: tuple[str, ...]
    steps: tuple[Step, ...]
    same: str | None = None
    differs: str | None = None

    @model_validator(mode="after")
    def _has_steps(self) -> Self:
        if not self.steps or not self.commands:
            raise ValueError("an exercise needs commands and steps")
        for name in (self.same, self.differs):
            if name and not any(name in REGISTRY[code].model_fields for step in self.steps for code in step.reasons):
                raise ValueError(f"no step has a field {name}")
        return self

    def codes(self) -> set[str]:
        """The reason codes that it looks at."""
        return {code for step in self.steps for code in step.reasons}


class StepOutcome(Strict):
    """Whether a step was done, and the event that shows it."""

    said: str
    reasons: tuple[str, ...]
    event: int | None = None


class Outcome(Strict):
    """How far an exercise has come."""

    steps: tuple[StepOutcome, ...]

    @property
    def done(self) -> bool:
        """All of its steps."""
        return all(step.event is not None for step in self.steps)


def evaluate(exercise: Exercise, events: Iterable[Told]) -> Outcome:
    """How far the events of one project, oldest first, show that the exercise was done.

    Each step takes the first event after that of the step before it. With `same`, each value of that field is a story of its
    own, and the one that came furthest counts. Nothing but the arguments is read.
    """
    codes = exercise.codes()
    told = [event for event in events if event.reason_code in codes]
    best = max(_stories(exercise, told), key=lambda one: len(one.met))
    seen = [*best.met, *[None] * (len(exercise.steps) - len(best.met))]
    return Outcome(
        steps=tuple(
            StepOutcome(said=step.said, reasons=step.reasons, event=event)
            for step, event in zip(exercise.steps, seen, strict=True)
        )
    )


class _Story:
    """How far the events of one value of `same` go.

    Attributes:
        met: The ids of those that meet the first steps, as many as can be met in order.
    """

    def __init__(self, met: Sequence[int] = (), taken: Iterable[str] = ()) -> None:
        self.met, self._taken = [*met], {*taken}

    def copy(self) -> "_Story":
        """One that goes its own way from here on."""
        return _Story(self.met, self._taken)

    def tell(self, exercise: Exercise, event: Told) -> None:
        """What came next."""
        if len(self.met) == len(exercise.steps) or not exercise.steps[len(self.met)].met_by(event):
            return
        value = _text(event, exercise.differs)
        if value not in self._taken:
            self.met.append(event.id)
            self._taken |= {value} if value is not None else set()


def _stories(exercise: Exercise, told: Sequence[Told]) -> Sequence[_Story]:
    """One for each value of `same`, in the order of their first events; an event without a value is of every story.

    A story begins as what such events told before it, and they are told to those alone whose next step they meet: so thousands
    of stories cost no more than their events.
    """
    common, own = _Story(), dict[str, _Story]()
    waiting: list[set[str]] = [set() for _ in (*exercise.steps, None)]  # names of stories, by how many steps they have met

    def tell(names: Iterable[str], event: Told) -> None:
        for name in names:
            before = len(own[name].met)
            own[name].tell(exercise, event)
            if len(own[name].met) > before:
                waiting[before].remove(name)
                waiting[before + 1].add(name)

    for event in told:
        value = _text(event, exercise.same)
        if value is None:
            common.tell(exercise, event)
            for place, step in reversed([*enumerate(exercise.steps)]):  # so that one event is one step of a story
                if waiting[place] and step.met_by(event):
                    tell(list(waiting[place]), event)
            continue
        if value not in own:
            own[value] = common.copy()
            waiting[len(common.met)].add(value)
        tell([value], event)
    return list(own.values()) or [common]


def field_of(payload: dict[str, Any], name: str) -> Any:
    """A field by its dotted name; None where it is not there."""
    value: Any = payload
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _has(code: str, name: str) -> bool:
    return name.split(".")[0] in REGISTRY[code].model_fields


def _text(event: Told, name: str | None) -> str | None:
    value = field_of(event.payload, name) if name else None
    return None if value is None else str(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
