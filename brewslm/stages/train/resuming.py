"""What a run that was cut off may go on from."""

import hashlib

from brewslm.errors import StageError
from brewslm.reasons.training import CheckpointDamaged, CheckpointMismatch
from brewslm.stages.train.checkpoints import Checkpoint, sound_checkpoints
from brewslm.stages.train.job import TrainJob


def made_from(job: TrainJob) -> dict[str, str]:
    """Hashes of all that the weights are a function of."""
    recipe = hashlib.sha256(job.recipe.model_dump_json().encode()).hexdigest()
    return {"recipe": recipe, "manifest": job.manifest_sha256, "base_model": job.base.sha256}


def usable_checkpoints(job: TrainJob) -> tuple[list[Checkpoint], list[CheckpointDamaged]]:
    """The sound ones, oldest first; and what is to be told of the others, which are passed over.

    Raises:
        StageError(CheckpointMismatch): One was made from another recipe, manifest or base model.
    """
    found, damaged = sound_checkpoints(job.output / "checkpoints")
    wanted = made_from(job)
    for checkpoint in found:
        changed = sorted(name for name, was in checkpoint.said.made_from.items() if wanted.get(name) != was)
        if changed:
            cause = f"{checkpoint.path.name} was made from another {', '.join(changed).replace('_', ' ')}"
            reason = CheckpointMismatch(experiment_id=job.experiment_id, error=cause, changed=changed)
            raise StageError(reason, "The run was not resumed", cause=cause)
    told = [CheckpointDamaged(experiment_id=job.experiment_id, checkpoint=one.path.name, file=one.file) for one in damaged]
    return found, told
