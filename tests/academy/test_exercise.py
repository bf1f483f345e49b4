"""The pure function that looks for an exercise in the stream."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brewslm.academy import Exercise, evaluate
from brewslm.academy.exercise import Condition


class Event(NamedTuple):
    id: int
    reason_code: str
    payload: dict[str, Any]


def asked(*steps: dict[str, Any], **more: Any) -> Exercise:
    return Exercise.model_validate({"goal": "Do it.", "commands": ["brewslm academy"], "steps": steps, **more})


def step(code: str, stage: str, **where: Any) -> dict[str, Any]:
    return {"said": f"{code} came", "stage": stage, "reasons": [code], "where": where}


TRAINED, EVALUATED = step("training_completed", "training"), step("evaluation_completed", "eval", n={"at_least": 10})


def told(*events: tuple[str, dict[str, Any]]) -> list[Event]:
    return [Event(number, code, payload) for number, (code, payload) in enumerate(events, 1)]


def seen(exercise: Exercise, *events: tuple[str, dict[str, Any]]) -> list[int | None]:
    return [one.event for one in evaluate(exercise, told(*events)).steps]


def test_steps_must_come_in_their_order():
    train, measure = ("training_completed", {}), ("evaluation_completed", {"n": 10})
    exercise = asked(TRAINED, EVALUATED)
    assert seen(exercise) == [None, None]
    assert seen(exercise, measure, train) == [2, None]
    assert seen(exercise, measure, train, ("dataset_prepared", {}), measure) == [2, 4]
    assert evaluate(exercise, told(train, measure)).done and not evaluate(exercise, told(measure, train)).done


def test_a_step_is_not_met_by_other_fields():
    exercise = asked(TRAINED, EVALUATED)
    assert seen(exercise, ("training_completed", {}), ("evaluation_completed", {"n": 9})) == [1, None]
    assert seen(exercise, ("training_completed", {}), ("evaluation_completed", {})) == [1, None]


def test_same_keeps_a_story_to_one_experiment_and_takes_the_one_that_came_furthest():
    exercise = asked(TRAINED, EVALUATED, same="experiment_id")
    one, two = {"experiment_id": "exp-1", "n": 50}, {"experiment_id": "exp-2", "n": 50}
    assert seen(exercise, ("training_completed", one), ("evaluation_completed", two)) == [1, None]
    assert seen(exercise, ("training_completed", one), ("training_completed", two), ("evaluation_completed", two)) == [2, 3]


def test_an_event_without_the_field_belongs_to_every_story():
    exercise = asked(step("dataset_prepared", "prepare"), TRAINED, EVALUATED, same="experiment_id")
    one = {"experiment_id": "exp-1", "n": 50}
    assert seen(exercise, ("dataset_prepared", {}), ("training_completed", one), ("evaluation_completed", one)) == [1, 2, 3]


CODES = ("dataset_prepared", "training_completed", "evaluation_completed")
VALUES = st.fixed_dictionaries({"experiment_id": st.sampled_from([None, "exp-1", "exp-2"]), "n": st.just(50)})


@given(st.lists(st.tuples(st.sampled_from(CODES), VALUES), max_size=30), st.sampled_from([None, "experiment_id"]))
def test_stories_told_together_come_as_far_as_each_alone(events, differs):
    steps = (step(CODES[0], "prepare"), TRAINED, TRAINED, EVALUATED)
    exercise = asked(*steps, same="experiment_id", **({"differs": differs} if differs else {}))
    names = dict.fromkeys(one["experiment_id"] for _, one in events if one["experiment_id"])
    alone = [[event.id for event in told(*events) if event.payload["experiment_id"] in (None, name)] for name in names] or [
        [event.id for event in told(*events)]
    ]
    best = max((followed(exercise, [told(*events)[at - 1] for at in one]) for one in alone), key=len)
    assert [one for one in seen(exercise, *events) if one is not None] == best


def followed(exercise: Exercise, events: list[Event]) -> list[int]:
    """One story, plainly: each step takes the first event after that of the step before it."""
    met, taken = [], set()
    for event in events:
        value = event.payload.get(exercise.differs or "")
        if len(met) < len(exercise.steps) and exercise.steps[len(met)].met_by(event) and (value is None or value not in taken):
            met.append(event.id)
            taken.add(value)
    return met


def test_differs_wants_another_value_each_time():
    reviewed = step("gold_rows_reviewed", "eval")
    exercise = asked(reviewed, reviewed, differs="reviewer")
    ana, ben = ("gold_rows_reviewed", {"reviewer": "ana"}), ("gold_rows_reviewed", {"reviewer": "ben"})
    assert seen(exercise, ana, ana) == [1, None]
    assert seen(exercise, ana, ana, ben) == [1, 3]


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ({"equals": "a"}, "a", True),
        ({"equals": "a"}, "b", False),
        ({"equals": True}, None, False),
        ({"one_of": ["a", "b"]}, "b", True),
        ({"one_of": ["a", "b"]}, "c", False),
        ({"at_least": 1}, 1, True),
        ({"at_least": 1}, 0, False),
        ({"at_least": 1}, True, False),
        ({"at_least": 1}, "many", False),
        ({"at_most": 1, "at_least": 1}, 1.5, False),
        ({"above": "base"}, 0.9, True),
        ({"above": "base"}, 0.5, False),
        ({"above": "nothing"}, 0.9, False),
        ({"has": "x"}, ["x"], True),
        ({"has": "x"}, "x", False),
        ({"has": "x"}, [], False),
    ],
)
def test_a_condition(condition, value, holds):
    assert Condition.model_validate(condition).holds(value, {"base": 0.5}) is holds


def test_a_dotted_name_leads_into_an_object():
    exercise = asked(step("dataset_prepared", "prepare", **{"ledger.over_length": {"at_least": 1}}))
    assert seen(exercise, ("dataset_prepared", {"ledger": {"over_length": 2}})) == [1]
    assert seen(exercise, ("dataset_prepared", {"ledger": {}}), ("dataset_prepared", {"ledger": 5})) == [None]


def test_a_condition_is_asked_of_the_reasons_that_have_its_field():
    decided = step("deployment_changed", "deployment", action={"equals": "promote"})
    exercise = asked(decided | {"reasons": ["deployment_changed", "deployment_promote_blocked"]})
    assert seen(exercise, ("deployment_changed", {"action": "create"})) == [None]
    assert seen(exercise, ("deployment_changed", {"action": "promote"})) == [1]
    assert seen(exercise, ("deployment_promote_blocked", {"slot": "default"})) == [1]


@pytest.mark.parametrize("more", [{"same": "no_field"}, {"differs": "no_field"}, {"steps": []}, {"commands": []}, {"hint": "x"}])
def test_what_can_not_be_meant_is_refused(more):
    with pytest.raises(ValidationError):
        Exercise.model_validate({"goal": "x", "commands": ["x"], "steps": [TRAINED], **more})
