"""Training runs as the tables, the frozen job and the trace say them."""

import orjson
from nicegui.testing.user_interaction import UserInteraction

from brewslm.models.recipe import Recipe
from brewslm.pipeline.execute import look
from brewslm.store.database import transaction
from brewslm.store.files import project_folder, run_folder, write_json
from brewslm.store.tables import Evaluation, Run
from brewslm.web.parts import Text

FIGURES = {"learning_rate": 5e-4, "grad_norm": 1.5, "tokens_per_second": 700.0, "memory_bytes": 3 * 2**30}
RESULT = {
    "final_train_loss": 0.111, "best_dev_loss": 0.222, "best_step": 2, "steps": 2, "trained_rows": 32, "seconds": 124.0,
    "real_tokens_per_second": 702.0, "peak_memory_bytes": 4 * 2**30, "adapter_sha256": "a" * 64, "base_sha256": "b" * 64,
    "manifest_version": 1, "warnings": [], "ledger": {"rows_in": 33, "rows_out": 32, "rejected": {"over_length": 1}},
}  # fmt: skip


def freeze(run_id: str, **changes) -> None:
    """The job of a training run, with these settings of its recipe."""
    recipe = Recipe(id="classification").model_copy(update=changes)
    train = {
        "recipe": recipe.model_dump(mode="json"),
        "base": {"locator": "path:x"},
        "manifest_path": "/home/prepared/v1/manifest.json",
    }
    write_json(run_folder(run_id) / "job.json", {"job": {"train": train, "plan": None}})


def write_steps(run_id: str, rows: list[list[str]], first: int = 1) -> None:
    with (run_folder(run_id) / "trace.jsonl").open("ab") as file:
        for step, ids in enumerate(rows, first):
            line = {"kind": "step", "ts": 1.0, "step": step, "loss": 1 / step, **FIGURES, "row_ids": ids}
            file.write(orjson.dumps(line) + b"\n")


def trained(walk, rows: list[list[str]], **changes) -> str:
    """One that ended well."""
    run_id = walk.trained([])
    freeze(run_id, **changes)
    write_steps(run_id, rows)
    with transaction() as session:
        run = session.get_one(Run, run_id)
        run.result, run.started_at = RESULT, run.created_at
    return run_id


def measured(walk, experiment: str, card, answers: dict[str, bool] | None = None) -> str:
    """An evaluation of it with this scorecard."""
    run_id = walk.evaluated(experiment, answers or {}, promotable=card.promotable)
    with transaction() as session:
        kept = session.get_one(Evaluation, run_id)
        kept.scorecard = card.model_copy(update={"experiment_id": experiment}).model_dump(mode="json")
    return run_id


def checkpoint(walk, experiment: str, step: int, dev_loss: float) -> None:
    folder = project_folder(walk.project) / "experiments" / experiment / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    said = {"step": step, "dev_loss": dev_loss, "trace_bytes": 0, "made_from": {}, "files": {}}
    write_json(folder / "COMPLETE.json", said)


def state(run_id: str) -> str:
    return look(run_id).state


def press(user, text: str) -> None:
    """Click the one button that says exactly this: `find` takes whatever contains it."""
    with user:
        found = user.find(kind=Text, content=text).elements
        (button,) = [one for one in found if one.text == text and one.props.get("type") == "button"]
    UserInteraction(user, {button}, None).click()
