"""`python -m tests.stages.killed_export FORMAT < job.json`: an export that is killed when it has half written FORMAT."""

import os
import signal
import sys

from brewslm.models.formats import BY_NAME
from brewslm.processes.context import DirectContext
from brewslm.stages import export
from brewslm.stages.export import ExportJob
from brewslm.stages.export.makers import MAKERS

job, at = ExportJob.model_validate_json(sys.stdin.read()), sys.argv[1]
maker = BY_NAME[at].maker
whole = MAKERS[maker]


def halved(making, wanted):
    if wanted.name == at:
        (making.folder / at / f"model-{wanted.quantization}.gguf").write_bytes(b"GGUF and no more")
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(making, wanted)


MAKERS[maker] = halved
export.run(job, DirectContext(job.project_folder))
