"""`… python -m tests.stages.full_disk_export ROOM < job.json`: an export in a mount namespace of its own, on a disk of that size.

Prints what happened, and what is left there, as JSON.
"""

import subprocess
import sys

import orjson

from brewslm.errors import StageError
from brewslm.processes.context import DirectContext
from brewslm.stages import export
from brewslm.stages.export import ExportJob

job, room = ExportJob.model_validate_json(sys.stdin.read()), sys.argv[1]
folder = job.output.parent
folder.mkdir(parents=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(folder)], check=True)
try:
    export.run(job, DirectContext(job.project_folder))
    problem = {}
except StageError as error:
    problem = error.problem()
print(orjson.dumps({"problem": problem, "left": sorted(path.name for path in folder.iterdir())}).decode())
