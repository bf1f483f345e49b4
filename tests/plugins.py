"""Distributions made on the spot: a folder that holds what an installer would put into site-packages."""

from collections.abc import Mapping
from pathlib import Path


def distribution(site: Path, name: str, modules: Mapping[str, str], entry_points: Mapping[str, Mapping[str, str]]) -> None:
    """Write modules and metadata.

    Args:
        site: To be on PYTHONPATH.
        entry_points: Group to name to value.
    """
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items()) for group, points in entry_points.items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    for module, content in modules.items():
        (site / f"{module}.py").write_text(content)
