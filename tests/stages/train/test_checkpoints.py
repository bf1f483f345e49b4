"""A checkpoint is whole or does not count; what goes on from one gives the same weights, byte by byte."""

import json
import subprocess
import sys

import pytest

from brewslm.errors import StageError
from brewslm.processes.context import PAUSE, Paused
from brewslm.store.files import sha256
from tests.stages.train.small import job_for, steps, stopped, told, train, train_until

# Steps of 4 rows, 5 to an epoch, several forward passes to a step; checkpoints at 4, 8, 12, 16 (all in mid-epoch) and 20.
LONG = {"epochs": "4", "checkpoints": "5", "pack_tokens": "100"}


@pytest.fixture(scope="module")
def straight(tmp_path_factory, tiny_model):
    """The adapter of a run that was never cut off."""
    job = job_for(tmp_path_factory.mktemp("straight"), tiny_model, dev=4, **LONG)
    return train(job).adapter_sha256


def flip(path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "optimizer.pt", "trainer_state.json", "COMPLETE.json"])
def test_a_damaged_checkpoint_is_named_and_the_last_sound_one_gives_the_same_weights(tmp_path, tiny_model, straight, file):
    job = job_for(tmp_path, tiny_model, dev=4, **LONG)
    *_, sound, last = train_until(job, 11)
    if file == "COMPLETE.json":
        (last / file).write_bytes((last / file).read_bytes()[:-9])
    else:
        flip(last / file)
    assert train(job).adapter_sha256 == straight
    assert told(job)[:2] == ["checkpoint_damaged", "training_resumed"]
    damaged, resumed = (line["payload"] for line in steps(job, "reason")[:2])
    assert (damaged["checkpoint"], damaged["file"]) == (last.name, file)
    assert f"checkpoint-{resumed['from_step']}" == sound.name
    assert [step["step"] for step in steps(job)] == list(range(1, len(steps(job)) + 1))


def test_one_that_was_cut_off_while_it_was_written_has_no_name_yet(tmp_path, tiny_model, straight):
    job = job_for(tmp_path, tiny_model, dev=4, **LONG)
    newest = train_until(job, 9)[-1]
    torn = job.output / "checkpoints" / ".writing" / "checkpoint-12"
    torn.mkdir(parents=True)
    (torn / "adapter_model.safetensors").write_bytes((newest / "adapter_model.safetensors").read_bytes()[:100])
    assert train(job).adapter_sha256 == straight
    assert told(job) == ["training_resumed"] and not torn.exists()


def test_best_and_last_are_kept_and_the_best_becomes_the_adapter(tmp_path, tiny_model):
    job = job_for(tmp_path, tiny_model, dev=4, **LONG)
    result = train(job)
    losses = {line["step"]: line["dev_loss"] for line in steps(job, "eval")}
    assert len(losses) == 5
    best = min(losses, key=losses.get)
    assert (result.best_step, result.best_dev_loss) == (best, losses[best])
    kept = {path.name for path in (job.output / "checkpoints").iterdir()}
    assert kept == {f"checkpoint-{best}", f"checkpoint-{max(losses)}"}
    assert result.adapter_sha256 == sha256(job.output / "checkpoints" / f"checkpoint-{best}" / "adapter_model.safetensors")


@pytest.mark.parametrize(
    ("settings", "dev", "changed"),
    [({"learning_rate": "0.02"}, 4, ["recipe"]), ({}, 6, ["manifest"])],
    ids=["recipe", "manifest"],
)
def test_a_changed_recipe_or_manifest_is_not_gone_on_with(tmp_path, tiny_model, settings, dev, changed):
    left = train_until(job_for(tmp_path, tiny_model, dev=4, **LONG), 9)
    error = stopped(job_for(tmp_path, tiny_model, dev=dev, **(LONG | settings)))
    assert error.reason.code == "checkpoint_mismatch" and error.reason.payload()["changed"] == changed
    assert all(path.exists() for path in left)


def test_a_pause_keeps_where_it_was_and_changes_nothing(tmp_path, tiny_model, straight):
    job = job_for(tmp_path, tiny_model, dev=4, **LONG)
    train_until(job, 5)
    pause = tmp_path / "run" / PAUSE
    pause.touch()
    with pytest.raises(Paused):
        train(job)
    at = steps(job)[-1]["step"]
    assert at == 5 and (job.output / "checkpoints" / "checkpoint-5").exists()
    pause.unlink()
    assert train(job).adapter_sha256 == straight
    assert steps(job, "reason")[-1]["payload"]["from_step"] == 5


def test_a_disk_that_is_full_at_a_checkpoint_leaves_the_last_one_whole_to_go_on_from(tmp_path, tiny_model):
    """On a real file system of 640 kB, which holds two of them, in a mount namespace of its own."""
    command = [sys.executable, "-m", "tests.stages.train.full_disk", str(tmp_path), str(tiny_model), "640k"]
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["problem"]["code"] == "disk_full" and "The checkpoint of step" in found["problem"]["title"]
    assert found["sound"] and found["left"] == [f"checkpoint-{step}" for step in found["sound"]], "something half lies about"
    assert found["told"] == ["training_resumed"] and found["from_step"] == found["sound"][-1]
    assert found["same"] and found["damaged"] == 0


def test_training_stops_when_the_dev_loss_has_stopped_falling_and_a_resume_knows_it(tmp_path, tiny_model):
    # A rate at which what is learned is soon unlearned again.
    restless = {"epochs": "20", "checkpoints": "60", "patience": "3", "learning_rate": "0.3", "schedule": "constant"}
    job = job_for(tmp_path, tiny_model, dev=4, **restless)
    result = train(job)
    losses = [line["dev_loss"] for line in steps(job, "eval")]
    assert len(losses) < 60 and losses.index(min(losses)) == len(losses) - 4
    payload = steps(job, "reason")[-1]["payload"]
    assert told(job)[-1] == "training_stopped_early"
    assert (payload["best_step"], payload["planned_steps"], payload["patience"]) == (result.best_step, 100, 3)
    again = train(job)
    assert (again.adapter_sha256, again.steps) == (result.adapter_sha256, result.steps), "the resume trained on"


def test_a_dora_adapter_learns_and_survives_the_merge(tmp_path, tiny_model):
    import torch

    from brewslm.models.loading import load_model

    job = job_for(tmp_path, tiny_model, method="dora")
    result = train(job)
    assert steps(job)[-1]["loss"] < steps(job)[0]["loss"] / 2 and result.steps == 12
    beside, merged = (load_model(tiny_model, job.output / "adapter", "fp32", merge=merge) for merge in (False, True))
    assert any("magnitude" in name for name, _ in beside.named_parameters())
    ids = torch.arange(20)[None]
    assert torch.allclose(beside(ids).logits, merged(ids).logits, atol=1e-4)


def test_an_error_while_writing_that_is_not_a_full_disk_stays_what_it_is(tmp_path):
    from brewslm.stages.train.trainer import _not_written

    told_as = _not_written(RuntimeError("a tensor is not contiguous"), tmp_path, 3)
    assert isinstance(told_as, RuntimeError)
    full = _not_written(RuntimeError("I/O error: No space left on device (os error 28)"), tmp_path, 3)
    assert isinstance(full, StageError) and full.reason.code == "disk_full" and "step 3" in full.what
