"""The machine and the program, as far as it helps to know them: no variable's value but our own settings'."""

import os
import platform
import shutil
import sys
from importlib.metadata import distributions
from typing import Any

import psutil

import brewslm
from brewslm.processes import toolchains
from brewslm.settings import settings


def environment() -> dict[str, Any]:
    """Python, packages, machine, devices, toolchains, settings by name. Secrets are told as set or not."""
    packages = {one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]}
    return {
        "brewslm": brewslm.__version__,
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "memory_available_bytes": psutil.virtual_memory().available,
        "disk_free_bytes": shutil.disk_usage(settings().home).free,
        "devices": _devices(),
        "toolchains": {one.name: toolchains.installed(one) is not None for one in toolchains.toolchains()},
        "settings": _settings(),
        "variables": sorted(name for name in os.environ if name.startswith(("BREWSLM_", "HF_", "CUDA_", "OMP_"))),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _devices() -> list[str]:
    """Without importing torch where nothing has: that takes seconds, and a bundle is wanted when things go badly."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return [f"cpu ({platform.processor() or platform.machine()})", "torch was not loaded: no others were looked for"]
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return [f"cpu ({torch.backends.cpu.get_cpu_capability()})", *names, *(["mps"] if torch.backends.mps.is_available() else [])]


def _settings() -> dict[str, Any]:
    now = settings()
    shown = now.model_dump(mode="json")
    shown["database_url"] = now.resolved_database_url.partition(":")[0]
    del shown["judge_api_key"]
    return shown | {"judge_api_key_is_set": bool(now.judge_api_key.get_secret_value())}
