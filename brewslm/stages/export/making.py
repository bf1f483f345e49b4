"""An export under way: what every maker reads, where it writes, and which artifacts are whole already.

A killed export goes on here: its folder keeps its name, and an artifact counts once its record, written last, names its files'
hash. What was being made has no record, and is made again.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from brewslm.models.formats import BY_NAME, MERGED, Format
from brewslm.models.gguf_writer import tensor_types
from brewslm.models.loading import load_model
from brewslm.processes.context import Context
from brewslm.rows.manifest import PreparedData
from brewslm.stages.export.calibration import Calibration, calibrated
from brewslm.stages.export.job import Artifact, ExportJob
from brewslm.stages.export.smoke import SmokeCheck
from brewslm.store.files import read_json, sha256, write_json

RECORDS = "records"


class Kept(BaseModel):
    """An artifact that is whole, and what its smoke check found."""

    artifact: Artifact
    files: dict[str, str]
    found: dict[str, Any]


@dataclass
class Making:
    """What the makers share.

    Attributes:
        folder: The bundle that is being filled; a format's files stand in `folder / name`.
        tokenizer: The base's; `end`: the id that ends an answer.
        smoke: What the trained model says, and the checks of each artifact against it.
    """

    job: ExportJob
    folder: Path
    data: PreparedData
    context: Context
    tokenizer: Any
    end: int
    smoke: SmokeCheck
    model: Any = None
    _calibration: Calibration | None = None

    def trained(self) -> Any:
        """The trained model, adapter beside base, in fp32; the caller may change it, so it is given once."""
        model, self.model = self.model, None
        return model or load_model(self.job.base.folder, self.job.adapter, "fp32", merge=False)

    def made(self, name: str, make: "Callable[[Making, Format], Artifact]") -> Artifact:
        """The artifact that stands there already, or the one that is made now."""
        record = self.folder / RECORDS / f"{name}.json"
        if record.is_file():
            kept = Kept.model_validate(read_json(record))
            if files_of(self.folder / name) == kept.files:
                self.smoke.restore(kept.found)
                return kept.artifact
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir()
        artifact = make(self, BY_NAME[name])
        kept = Kept(artifact=artifact, files=files_of(self.folder / name), found=self.smoke.found(name))
        write_json(record, kept.model_dump(mode="json"))
        return artifact

    def calibration(self) -> Calibration:
        """What the training rows say of the merged model: made when it is first asked for, and its rows written down."""
        if self._calibration is None:
            policy = self.job.policy.importance
            made = self._calibration = calibrated(self.folder / MERGED, self.data, self.tokenizer, policy)
            write_json(
                self.folder / "importance.json",
                {"split": "train", "rows": made.row_ids, "held_out": made.held_out_ids, "tokens": made.tokens, "note": made.why},
            )
        return self._calibration

    def describe(self, name: str, weights: str) -> Artifact:
        """The record of what stands in the folder `name`, and of its smoke check; `weights` is the file that holds them."""
        found = self.smoke.of(name)
        made = described(self.folder, name, weights, found.top1 if found else None)
        return made.model_copy(update={"kl": found.kl if found else None, "stopped": self.smoke.stopped(name)})


def files_of(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its path in it, with its SHA-256."""
    return {str(each.relative_to(folder)): sha256(each) for each in sorted(folder.rglob("*")) if each.is_file()}


def described(bundle: Path, variant: str, weights: str, agreement: float | None) -> Artifact:
    """The record of a GGUF file, or of the folder of a variant; `weights` is the file in that folder which holds them."""
    file = bundle / variant / weights
    is_gguf = file.suffix == ".gguf"
    whole = [file] if is_gguf else [each for each in (bundle / variant).rglob("*") if each.is_file()]
    return Artifact(
        format=variant,
        quantization=BY_NAME[variant].quantization,
        path=f"{variant}/{weights}" if is_gguf else variant,
        weights=f"{variant}/{weights}",
        size_bytes=sum(each.stat().st_size for each in whole),
        sha256=sha256(file),
        agreement=agreement,
        tensor_types=tensor_types(file) if is_gguf else {},
    )
