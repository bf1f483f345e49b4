import pytest

from brewslm.errors import StageError
from brewslm.observe.scorecards import scorecard
from brewslm.store.database import transaction
from brewslm.store.tables import DeploymentVersion, Evaluation, Slot
from tests.web.conftest import card  # noqa: F401 - a scorecard


def measured(walk, experiment, card) -> str:
    run = walk.evaluated(experiment, {})
    with transaction() as session:
        kept = session.get_one(Evaluation, run)
        kept.scorecard = card.model_copy(update={"experiment_id": experiment}).model_dump(mode="json")
    return run


def promote(walk, export, slot="default") -> None:
    with transaction() as session:
        version = DeploymentVersion(
            project_id=walk.project, slot=slot, version=3, export_id=export, variant="hf", target="local", actor="test"
        )
        session.add(version)
        session.flush()
        session.add(Slot(project_id=walk.project, name=slot, version_id=version.id))


def test_without_an_evaluation_there_is_no_scorecard(walk):
    walk.imported()
    walk.prepared()
    walk.trained([])
    assert scorecard(walk.project) is None


def test_until_a_model_is_promoted_the_newest_scorecard_is_shown(walk, card):
    walk.imported()
    walk.prepared()
    first, second = walk.trained([]), walk.trained([])
    measured(walk, first, card)
    newest = measured(walk, second, card)
    shown = scorecard(walk.project)
    assert (shown.evaluation, shown.deployment, shown.card.experiment_id) == (newest, None, second)


def test_the_promoted_model_is_shown_though_a_newer_one_was_measured(walk, card):
    walk.imported()
    walk.prepared()
    first, second = walk.trained([]), walk.trained([])
    measured(walk, first, card)
    again = measured(walk, first, card)
    measured(walk, second, card)
    promote(walk, walk.exported(second), slot="canary")
    promote(walk, walk.exported(first))
    shown = scorecard(walk.project)
    assert (shown.evaluation, shown.deployment, shown.card.experiment_id) == (again, "default v3", first)


def test_a_scorecard_of_an_unknown_project_is_refused():
    with pytest.raises(StageError) as refused:
        scorecard(9)
    assert refused.value.reason.code == "unknown_project"
