"""Measured experiments and deployment versions of a project that walks: see observe/conftest.py."""

from typing import TYPE_CHECKING

from brewslm.store.database import transaction
from brewslm.store.tables import DeploymentVersion, Evaluation, Slot

if TYPE_CHECKING:
    from brewslm.stages.evaluate.scorecard import Scorecard
    from tests.observe.conftest import Walk

ROWS = [f"row-{place}" for place in range(20)]


def measured(walk: "Walk", card: "Scorecard", right: int, promotable: bool = True) -> str:
    """An experiment that had the first `right` rows right; returns its id."""
    experiment = walk.trained([])
    run = walk.evaluated(experiment, {row: place < right for place, row in enumerate(ROWS)}, promotable)
    with transaction() as session:
        kept = session.get_one(Evaluation, run)
        kept.scorecard = card.model_copy(update={"experiment_id": experiment}).model_dump(mode="json")
    return experiment


def version(
    walk: "Walk", experiment: str, state: str, number: int, predecessor: int | None = None, slot: str = "default"
) -> int:  # fmt: skip
    """A version of a new export of the experiment; returns its id."""
    export = walk.exported(experiment)
    with transaction() as session:
        made = DeploymentVersion(
            project_id=walk.project, slot=slot, version=number, export_id=export, variant="gguf-q8_0", target="local",
            actor="test", state=state, predecessor_id=predecessor,
        )  # fmt: skip
        session.add(made)
        session.flush()
        if state == "promoted":
            session.merge(Slot(project_id=walk.project, name=slot, version_id=made.id))
        return made.id
