"""What a person should know of a new manifest before going on."""

from brewslm.rows.manifest import Manifest
from brewslm.stages.prepare.job import Former


def notes(manifest: Manifest, former: Former | None) -> list[str]:
    """One sentence each."""
    said = []
    if former is not None and manifest.continued is None:
        said.append(f"the split was drawn anew: rows may stand on another side than in v{former.version}")
    if manifest.task_profile == "classification" and len(manifest.output_schema.labels) == 1:
        said.append(f"train holds one label only, {manifest.output_schema.labels[0]!r}: preflight will stop training")
    leaks, kept = manifest.ledger.rejected.get("leak", 0), manifest.ledger.rows_out
    if leaks > kept / 4:
        said.append(f"{leaks:,} rows nearly equal held-out ones and were kept out: split rows made from templates by --group-by")
    if manifest.pii.findings and manifest.pii.policy == "report":
        kinds = ", ".join(f"{kind} in {count:,} rows" for kind, count in sorted(manifest.pii.findings.items()))
        said.append(f"personal data is in what was kept: {kinds}; --pii block keeps such rows out")
    return said
