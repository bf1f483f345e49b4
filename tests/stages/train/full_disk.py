"""Run in a mount namespace of its own: checkpoints on a file system with little room, then with enough.

Prints what happened as JSON.
"""

import subprocess
import sys
from pathlib import Path

import orjson

from brewslm.errors import StageError
from brewslm.stages.train.checkpoints import checkpoints, sound_checkpoints
from tests.stages.train.small import job_for, steps, told, train

folder, base, room = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
LONG = {"epochs": "4", "checkpoints": "5", "pack_tokens": "100"}

straight = train(job_for(folder / "straight", base, dev=4, **LONG)).adapter_sha256
job = job_for(folder / "full", base, dev=4, **LONG)
small = job.output / "checkpoints"
small.mkdir(parents=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(small)], check=True)
try:
    train(job)
    problem = {}
except StageError as error:
    problem = error.problem()
left = sorted(path.name for path in small.iterdir())
sound = [one.said.step for one in checkpoints(small) if not one.damaged_file()]
subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
again = train(job).adapter_sha256
print(
    orjson.dumps(
        {
            "problem": problem,
            "left": left,
            "sound": sound,
            "told": told(job),
            "from_step": steps(job, "reason")[-1]["payload"]["from_step"],
            "same": again == straight,
            "damaged": len(sound_checkpoints(small)[1]),
        }
    ).decode()
)
