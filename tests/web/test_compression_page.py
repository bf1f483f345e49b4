import pytest
from nicegui.testing import User

from brewslm.observe.compression import compression, promotions
from brewslm.observe.tasks import tasks
from brewslm.stages.export.choosing import Limits
from brewslm.web.compression import Asked
from brewslm.web.pareto_chart import described, options
from brewslm.web.query import heard
from tests.bundles import compared, exported  # noqa: F401 - fixtures
from tests.web.test_data_page import links, native, press

pytestmark = pytest.mark.anyio


async def test_what_was_measured_is_drawn_and_told_with_the_one_to_take(user: User, project, compared):
    await user.open(f"/projects/{project}/compression")
    for seen in ("Size and macro f1", "Take gguf-q8_0", "It is the smallest that is not worse than the reference.",
                 "85.0 % (75.0 % to 95.0 %)", "worse", "90 tok/s", "worse than the reference by 0.050",
                 "safetensors-merged was not measured: it is a part of another format"):  # fmt: skip
        await user.should_see(seen)
    native(user, "input", id="max_mb")[0].trigger("change", "200,000 or so")
    press(user, "Choose within these limits")
    await user.should_see("It is a number.")
    await user.open(f"/projects/{project}/compression?max_mb=200&min_tokens_per_second=95")
    await user.should_see("Take none of them")
    await user.should_see("270 MB, the limit is 200")
    assert links(user)["No limits"].startswith(f"/projects/{project}/compression")
    await user.open(f"/projects/{project}/compression?max_mb=much&max_memory_mb=-1&min_quality=inf&min_tokens_per_second=1,000")
    for seen in ("It is 0 or more.", "Take none of them"):  # the limit that is right holds
        await user.should_see(seen)
    kept = {name: native(user, "input", id=name)[0] for name in ("max_mb", "max_memory_mb", "min_quality")}
    assert [next(iter(one.elements)).props["defaultValue"] for one in kept.values()] == ["much", "-1", "inf"]
    assert all(next(iter(one.elements)).props["aria-invalid"] == "true" for one in kept.values())


async def test_which_variants_may_be_promoted_and_why_not_the_others(user: User, project, compared):
    found = promotions(compared)
    assert found["gguf-q8_0"] == found["gguf-f16"] == found["hf"] == ""
    assert found["gguf-q4_k_m"] == f"{compared}:gguf-q4_k_m is worse than its reference by 0.050"
    await user.open(f"/projects/{project}/compression?export={compared}")
    await user.should_see(found["gguf-q4_k_m"])


async def test_a_few_bit_variant_that_nobody_measured_can_be_measured_from_here(user: User, project, exported):
    await user.open(f"/projects/{project}/compression")
    await user.should_see("They were not measured yet")
    await user.should_see(f"nobody measured {exported}:gguf-q4_k_m")
    press(user, "Measure the variants")
    await user.should_see("Measure the variants?")
    native(user, "input", id="rows")[0].trigger("change", "none")
    press(user, "Measure them now")
    await user.should_see("Give a whole number from 1, or none.")
    native(user, "input", id="rows")[0].trigger("change", "12")
    press(user, "Measure them now")
    await user.should_see("export.compare")
    assert tasks(operation="export.compare")[0].request == {"export": exported, "rows": 12}


async def test_without_an_export_there_is_nothing_to_compress(user: User, project):
    await user.open(f"/projects/{project}/compression")
    await user.should_see("Variants are of an export, and none was made yet.")
    assert (await user.http_client.get(f"/projects/{project}/compression?export=export-1")).status_code == 404


def test_the_chart_has_each_variant_at_its_size_with_its_interval(compared):
    view = compression(compared, Limits())
    drawn = options(view)
    *spans, points, names = drawn["series"]
    assert drawn["xAxis"]["min"] == 0 and [one["value"] for one in points["data"]] == [
        [270.0, 90.0],
        [145.0, 90.0],
        [100.0, 85.0],
    ]
    assert spans[1]["data"] == [[145.0, 80.0], [145.0, 100.0]]
    labels = [one["label"]["formatter"] for one in names["data"][::-1]]
    assert labels == ["gguf-f16 (reference)", "gguf-q8_0 (take it)", "gguf-q4_k_m (worse)"]
    assert described(view) == (
        "Size and macro f1 on 100 rows: gguf-f16 270 MB 90.0 %, gguf-q8_0 145 MB 90.0 %, gguf-q4_k_m 100 MB 85.0 %"
    )


def test_limits_are_numbers_or_nothing():
    assert heard(Asked, {"max_mb": " 1,200 ", "min_quality": ""}).value.limits == Limits(max_mb=1200)
