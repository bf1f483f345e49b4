"""The export of a model that is not causal: made again after a kill, and never one that learned nothing."""

import signal
import subprocess
import sys

import pytest

from brewslm.errors import StageError
from brewslm.models.architectures import architecture_for
from brewslm.processes.context import DirectContext
from brewslm.rows.manifest import OutputSchema
from brewslm.stages import export
from brewslm.store.files import read_json, sha256
from tests.experiments import LABELS, export_job
from tests.tiny import make_tiny_encoder

FORMATS = ("hf", "safetensors-merged")
HEAD = "classifier.weight"
KILLED = """
import os, signal, sys
from brewslm.processes.context import DirectContext
from brewslm.stages import export
from brewslm.stages.export import ExportJob, bundle
bundle._card = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # weights, tokenizer and smoke trace are written by then
job = ExportJob.model_validate_json(sys.stdin.read())
export.run(job, DirectContext(job.project_folder))
"""


@pytest.fixture
def encoder(tmp_path):
    return architecture_for("encoder", make_tiny_encoder(tmp_path / "base"), OutputSchema(scoring_mode="label", labels=LABELS))


@pytest.fixture
def job_of(encoder, tmp_path):
    """Makes the job of a model whose head's weights were multiplied by so much in training."""

    def made(factor):
        import torch

        model = encoder.load(precision="fp32")
        with torch.no_grad():
            model.get_parameter(HEAD).mul_(factor)
        model.save_pretrained(tmp_path / "trained")
        return export_job(encoder.folder, tmp_path / "trained", tmp_path).model_copy(update={"formats": FORMATS})

    return made


def test_what_a_killed_export_has_left_is_made_again(job_of):
    job = job_of(-2.0)
    killed = subprocess.run([sys.executable, "-c", KILLED], input=job.model_dump_json(), text=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = job.output.parent / ".export-1.partial"
    assert {"hf", "smoke-trace.json"} <= {one.name for one in left.iterdir()}
    made = export.run(job, DirectContext(job.project_folder))
    assert [one.format for one in made.artifacts] == list(FORMATS) and not left.exists()
    for path, digest in read_json(job.output / "manifest.json")["files"].items():
        assert sha256(job.output / path) == digest


def test_a_model_that_learned_nothing_is_not_exported(job_of):
    job = job_of(1.0)
    with pytest.raises(StageError, match="changed nothing") as error:
        export.run(job, DirectContext(job.project_folder))
    assert error.value.reason.code == "export_run_failed" and not job.output.exists()
