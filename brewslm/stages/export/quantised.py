"""AWQ and GPTQ: the merged weights in 4 bits, calibrated on training rows, made in a toolchain and run by vLLM."""

from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.formats import MERGED, Format
from brewslm.models.four_bit import counted, group_size, tensor_types
from brewslm.models.templates import example_ids
from brewslm.models.trained import WHOLE
from brewslm.processes import programs
from brewslm.processes.toolchains import environment, required, run_program
from brewslm.reasons.export import ExportQuantizationFailed
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.settings import settings
from brewslm.stages.export.calibration import train_rows
from brewslm.stages.export.job import Artifact
from brewslm.stages.export.making import Making
from brewslm.stages.export.vllm import check_with_vllm, copy_beside_weights
from brewslm.store.files import write_json

TOOLCHAIN = "llmcompressor"
SAMPLES, SAMPLE_TOKENS = 64, 512
"""Rows to calibrate on, spread over the train split, and how much of each: GPTQ of 64 rows of 128 tokens took 42 s here."""
RECORD = "quantization.json"


def calibration_rows(data: PreparedData) -> list[PreparedRow]:
    """The rows that a quantiser sees: no row of dev, eval or gold is among them, whatever a manifest says."""
    rows = train_rows(data)
    return rows[:: max(1, len(rows) // SAMPLES)][:SAMPLES]


def make_quantised(making: Making, wanted: Format) -> Artifact:
    """Quantise the merged weights, write down what each tensor became, and have vLLM run them.

    Raises:
        StageError(ToolchainMissing): A toolchain is not installed.
        StageError(ExportQuantizationFailed): The quantiser failed; its last words are the cause.
        StageError(ExportRunFailed): vLLM can't run the result, or too few tokens agree with the trained model.
    """
    assert wanted.quantization is not None
    folder, source = making.folder / wanted.name, making.folder / MERGED
    size, rows = group_size(source), calibration_rows(making.data)
    if size is None or not rows:
        raise _failed(making, wanted, "no group size divides its widths" if rows else "there is no training row to calibrate on")
    copy_beside_weights(source, folder)
    told = request(making, wanted, size, rows)
    _quantise(making, wanted, told)
    if not (folder / WHOLE).is_file():
        raise _failed(making, wanted, f"it wrote no {WHOLE}")
    types = tensor_types(folder / WHOLE)
    if "INT4" not in types.values():
        raise _failed(making, wanted, "no tensor was quantised")
    write_json(
        folder / RECORD,
        {
            "schema_version": "brewslm/quantization/1",
            "method": wanted.quantization,
            "bits": 4,
            "group_size": size,
            "calibration": {
                "split": "train",
                "manifest_sha256": making.job.manifest_sha256,
                "row_ids": [row.row_id for row in rows],
                "tokens": sum(map(len, told["rows"])),
            },
            "tensors": types,
        },
    )
    check_with_vllm(making, wanted)
    return making.describe(wanted.name, WHOLE).model_copy(update={"tensor_types": counted(types)})


def request(making: Making, wanted: Format, size: int, rows: list[PreparedRow]) -> dict[str, Any]:
    """What the quantiser is told: with the rows as training saw them, prompt, answer and end mark."""
    handler = handler_for(making.data.manifest.task_profile, making.data.manifest.output_schema)
    asked = [(handler.prompt(row.payload), handler.completion(row.payload)) for row in rows]
    return {
        "model": str(making.folder / MERGED), "output": str(making.folder / wanted.name), "method": wanted.quantization,
        "group_size": size, "threads": settings().threads,
        "rows": [example_ids(making.tokenizer, *both)[0][:SAMPLE_TOKENS] for both in asked],
    }  # fmt: skip


def _quantise(making: Making, wanted: Format, told: dict[str, Any]) -> None:
    """Run the quantiser. The rows' tokens are in no file of the bundle, nor left in the run's folder."""
    one, run, threads = required(TOOLCHAIN), making.context.folder, told["threads"]
    file, log = run / f"{wanted.name}-request.json", run / f"{wanted.name}-quantise.log"
    write_json(file, told)
    try:
        command = [str(one.python), "-P", str(Path(programs.__path__[0]) / "quantise.py"), str(file)]
        more = {"OMP_NUM_THREADS": str(threads)} if threads else {}
        status, said = run_program(command, environment(one, more), log, making.context.check)
    finally:
        file.unlink(missing_ok=True)
    if status:
        words = [line for line in said if "Error" in line] or said or ["nothing"]
        raise _failed(making, wanted, f"the quantiser ended with status {status}; last it said: {words[-1][-300:]}", log)


def _failed(making: Making, wanted: Format, cause: str, log: Path | None = None) -> StageError:
    reason = ExportQuantizationFailed(experiment_id=making.job.experiment_id, format=wanted.name, error=cause)
    where = f"{log.parent.name}/{log.name}" if log else ""
    return StageError(reason, f"{wanted.name} could not be made", where=where, cause=cause)
