from brewslm.handlers import HANDLERS
from brewslm.models.catalogue import catalogue
from brewslm.observe.goals import _WORDS, goals
from brewslm.settings import settings


def test_every_task_profile_is_told_in_words_with_rows_and_a_base_model_that_can_learn_it():
    found = {goal.task_profile: goal for goal in goals()}
    assert found.keys() == HANDLERS.keys() == _WORDS.keys()
    for name, goal in found.items():
        assert goal.rows and goal.base_models, name
        for locator in set(goal.base_models) & catalogue().keys():
            assert any(catalogue()[locator].architecture in one.architectures for one in HANDLERS[name]), (name, locator)


def test_the_base_model_of_this_installation_is_the_first_where_it_can_learn_the_task():
    found = {goal.task_profile: goal.base_models[0] for goal in goals()}
    assert found["qa"] == found["classification"] == settings().base_model
    assert found["audio_transcript"] != settings().base_model
