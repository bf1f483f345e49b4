"""Where prepare has put a row, in each version of the manifest."""

from dataclasses import dataclass
from pathlib import Path

from brewslm.rows.rowfile import RowFile


@dataclass(frozen=True)
class Placement:
    """One row in one manifest version.

    Attributes:
        split: "train", "dev" (the slice of train that chooses checkpoints), "eval", "gold"; None when prepare rejected it.
        reason: Why it was rejected, or None.
    """

    version: int
    split: str | None
    reason: str | None


def placements(prepared: Path, row_id: str) -> list[Placement]:
    """Every placement of a row, oldest version first.

    Args:
        prepared: The project's `prepared` folder.
    """
    versions = sorted(int(folder.name[1:]) for folder in prepared.glob("v*") if folder.name[1:].isdigit())
    found = (_placement(prepared / f"v{version}", version, row_id) for version in versions)
    return [placement for placement in found if placement is not None]


def _placement(folder: Path, version: int, row_id: str) -> Placement | None:
    for split in ("eval", "gold", "train"):
        row = RowFile(folder / f"{split}.jsonl").find(row_id)
        if row:
            return Placement(version, row.get("slice") or split, None)
    rejected = RowFile(folder / "rejected.jsonl").find(row_id)
    return Placement(version, None, rejected["reason"]) if rejected else None
