"""One training of `bench.memory_fit`, in the product's own child process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock


def run_here(job: Any, folder: Path, precision: str) -> dict[str, Any]:
    """Run the job; its peak resident bytes."""
    from brewslm.processes import lifeline
    from brewslm.store.files import read_json, write_json

    write_json(folder / "job.json", {"operation": "train.run", "job": job.model_dump(mode="json")})
    read_end, _ = lifeline.hold()
    command = [sys.executable, "-m", "bench.memory_child", str(folder), str(read_end), precision]
    with (folder / "log.txt").open("wb") as log:
        subprocess.run(command, pass_fds=[read_end], stdout=log, stderr=log, check=False, env=None)
    if not (folder / "result.json").exists():
        print((folder / "log.txt").read_text()[-3000:], file=sys.stderr)
        return {"peak_bytes": 0}
    return {"peak_bytes": read_json(folder / "result.json")["peak_memory_bytes"]}


@contextmanager
def processor(precision: str) -> Iterator[None]:
    """With "fp32", as on a processor that does not multiply bf16."""
    import torch

    with ExitStack() as stack:
        for asked in ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if precision == "fp32" else ():
            stack.enter_context(mock.patch.object(torch.cpu, asked, lambda: False))
        yield


def main() -> None:
    """The child."""
    with processor(sys.argv.pop()):
        from brewslm.pipeline.child import main as product_child

        product_child()


if __name__ == "__main__":
    main()
