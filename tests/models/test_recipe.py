"""What a recipe says when nobody says otherwise."""

import pytest

from brewslm.errors import StageError
from brewslm.models.recipe import FULL_LEARNING_RATE, recipe_named


def test_every_weight_is_trained_at_a_rate_of_its_own_unless_one_is_set():
    assert recipe_named("qa").learning_rate == 5e-4
    assert recipe_named("qa", {"method": "dora"}).learning_rate == 5e-4
    assert recipe_named("qa", {"method": "full"}).learning_rate == FULL_LEARNING_RATE
    assert recipe_named("qa", {"method": "full", "learning_rate": "1e-4"}).learning_rate == 1e-4


def test_a_method_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(StageError) as refused:
        recipe_named("qa", {"method": "lorra"})
    assert refused.value.reason.code == "invalid_request" and "'lora', 'dora', 'full' or 'qlora'" in refused.value.cause
