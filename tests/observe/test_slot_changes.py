"""What promote, reject and rollback would change, as it is shown before they are done."""

import pytest

from brewslm.errors import StageError
from brewslm.observe.deployments import deployments, slots
from brewslm.observe.drift import checks
from brewslm.observe.slot_changes import slot_change
from brewslm.store.database import transaction
from brewslm.store.tables import DeploymentVersion
from tests.versions import measured, version
from tests.web.conftest import card  # noqa: F401 - a scorecard


@pytest.fixture
def prepared(walk):
    walk.imported()
    walk.prepared()
    return walk


def test_a_promotion_shows_from_which_model_to_which_and_how_much_better_it_is(prepared, card):
    version(prepared, measured(prepared, card, 10), "promoted", 1)
    second = version(prepared, measured(prepared, card, 18), "pending", 2)
    shown = slot_change(second, "promote")
    assert (shown.before.name, shown.after.name) == ("default v1", "default v2")
    assert (shown.state_before, shown.state_after, shown.refusal) == ("pending", "promoted", None)
    apart = shown.difference
    assert (apart.value, apart.fixed, apart.broken, apart.n) == (0.4, 8, 0, 20) and 0 < apart.low < 0.4 < apart.high < 1
    assert (shown.after.metric.value, shown.after.metric_name) == (0.9025, "accuracy") and len(shown.gates) == len(card.gates)


def test_a_first_promotion_comes_from_nothing_and_a_refused_one_says_why(prepared, card):
    good = version(prepared, measured(prepared, card, 18), "pending", 1)
    shown = slot_change(good, "promote")
    assert (shown.before, shown.after.name, shown.difference, shown.not_compared) == (None, "default v1", None, "")
    bad = version(prepared, measured(prepared, card, 5, promotable=False), "pending", 2)
    assert slot_change(bad, "promote").refusal["code"] == "deployment_promote_blocked"
    assert "not promotable" in slot_change(bad, "promote").refusal["detail"]
    assert slot_change(bad, "reject").refusal is None and slot_change(bad, "reject").state_after == "rejected"
    assert slot_change(good, "rollback").refusal["code"] == "deployment_state_conflict"


def test_a_rollback_goes_back_to_the_version_before_and_shows_what_is_lost(prepared, card):
    first = version(prepared, measured(prepared, card, 10), "superseded", 1)
    second = version(prepared, measured(prepared, card, 18), "promoted", 2, predecessor=first)
    shown = slot_change(second, "rollback")
    assert (shown.before.name, shown.after.name, shown.state_after) == ("default v2", "default v1", "rolled_back")
    assert shown.difference.value == -0.4 and shown.difference.broken == 8
    with transaction() as session:
        session.get_one(DeploymentVersion, second).predecessor_id = None
    shown = slot_change(second, "rollback")
    assert shown.refusal["code"] == "deployment_rollback_no_predecessor" and shown.after == shown.before


def test_what_can_not_be_held_against_each_other_says_why(prepared, card):
    one = measured(prepared, card, 10)
    first, second = version(prepared, one, "promoted", 1), version(prepared, one, "pending", 2)
    assert slot_change(second, "promote").not_compared == f"both serve the weights of {one}, which eval-1 measured"
    unmeasured = version(prepared, prepared.trained([]), "pending", 3)
    assert slot_change(unmeasured, "promote").not_compared == "default v3 was not measured"
    assert slot_change(first, "promote").refusal["code"] == "deployment_state_conflict"
    with pytest.raises(StageError) as none:
        slot_change(99, "promote")
    assert none.value.reason.code == "unknown_deployment"


def test_slots_and_their_versions_are_paged(prepared, card):
    one = measured(prepared, card, 10)
    ids = [version(prepared, one, "superseded", number) for number in (1, 2, 3)] + [version(prepared, one, "promoted", 4)]
    version(prepared, one, "pending", 1, slot="canary")
    found = slots(prepared.project)
    assert [(one.name, one.versions, one.pending) for one in found] == [("default", 4, 0), ("canary", 1, 1)]
    assert found[0].answering.id == ids[3] and found[1].answering is None
    assert [one.version for one in deployments(prepared.project, "default", limit=2)] == [4, 3]
    assert [one.version for one in deployments(prepared.project, "default", before=ids[2], limit=2)] == [2, 1]


def test_checks_are_those_of_a_slot_a_version_and_before_a_number(prepared, card):
    one = measured(prepared, card, 10)
    main, canary = version(prepared, one, "promoted", 1), version(prepared, one, "promoted", 1, slot="canary")
    for deployment in (main, canary, main):
        prepared.run("check", "deploy.check_drift", "failed", request={"deployment": deployment})
    assert [one.run for one in checks(prepared.project)] == ["check-3", "check-2", "check-1"]
    assert [one.run for one in checks(prepared.project, slot="canary")] == ["check-2"]
    assert [one.run for one in checks(prepared.project, main, before=3)] == ["check-1"]
    assert [one.run for one in checks(prepared.project, limit=1)] == ["check-3"]
