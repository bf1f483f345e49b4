import orjson
import pytest

from brewslm.errors import StageError
from brewslm.models.memory import MEASURED_OFF, spread
from brewslm.models.recipe import Recipe
from brewslm.observe.training_offer import GROUPS, differing, implied, setting_fields, setting_problems, training_offer
from tests.running import ROOT


def test_every_setting_of_a_recipe_is_in_a_group_with_its_meaning_and_bounds():
    fields = {one.name: one for one in setting_fields(Recipe(id="classification"))}
    assert set(fields) == set(Recipe.model_fields) - {"id"}
    assert {name for name, one in fields.items() if one.group == "Further"} == {"seed"}  # whatever is new is shown too
    assert set(fields) - {"seed"} == {name for members in GROUPS.values() for name in members}
    assert all(one.meaning for one in fields.values())
    assert fields["lora_top_layers"].bounds == "above 0, at most 1" and fields["lora_top_layers"].kind == "number"
    assert fields["schedule"].choices == ["linear", "cosine", "constant"] and fields["batch_size"].kind == "whole"


def test_before_anything_is_prepared_there_is_no_task(walk):
    offer = training_offer(walk.project)
    assert (offer.task_profile, offer.manifest, offer.manifests) == (None, None, [])


def test_the_usual_choice_is_that_of_task_and_base(walk):
    walk.imported()
    walk.prepared()
    offer = training_offer(walk.project)
    assert (offer.task_profile, offer.manifest, offer.recipe) == ("classification", 1, "classification")
    assert offer.manifests[0].rows["eval"] == 10 and "general" in offer.eval_packs
    assert next(one for one in offer.fields if one.name == "lora_top_layers").usual == 0.67  # the preset's, not the schema's
    assert training_offer(walk.project, recipe="preference").fields[0].usual == "dpo"


@pytest.mark.parametrize("asked", [{"manifest": 9}, {"recipe": "clasification"}])
def test_what_there_is_not_is_refused(walk, asked):
    walk.imported()
    walk.prepared()
    with pytest.raises(StageError) as refused:
        training_offer(walk.project, **asked)
    assert refused.value.reason.code == "invalid_request" and refused.value.cause


def test_a_setting_that_can_not_be_used_is_named():
    assert setting_problems("classification", {"epochs": "2", "lora_r": "8"}) == {}
    found = setting_problems("classification", {"epochs": "many", "lora_r": "0"})
    assert set(found) == {"epochs", "lora_r"} and found["lora_r"] == "It is more than 0."


def test_only_what_is_not_the_preset_s_is_a_setting():
    told = Recipe(id="classification").model_copy(update={"lora_top_layers": 0.67, "epochs": 2.0}).model_dump(mode="json")
    assert differing("classification", told) == {"epochs": "2"}
    assert implied("classification", {"method": "full"}) == {"learning_rate": "2e-05"}
    assert implied("classification", {"method": "full", "learning_rate": "1e-4"}) == {}


def test_the_spread_of_an_estimate_is_what_the_bench_measured():
    held_out = orjson.loads((ROOT / "bench/results/memory_fit.json").read_bytes())["measured"]["held_out"]
    assert (-round(held_out["most_under"], 3), round(held_out["most_over"], 3)) == MEASURED_OFF
    low, high = spread(1000)
    assert low < 1000 < high
