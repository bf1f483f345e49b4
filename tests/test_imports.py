import pkgutil
import subprocess
import sys

import brewslm

HEAVY = (
    "torch", "transformers", "peft", "sklearn", "scipy", "nicegui", "dbos", "llama_cpp", "xllamacpp", "pyarrow",
    "datasets", "kagglesdk",
)  # fmt: skip
IMPORT_ALL = f"""
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    loaded = sorted(set(sys.modules) & set({HEAVY!r}))
    if loaded:
        sys.exit(f"{{name}} imports {{loaded}}")
"""


TORCH_OR_PAGES = ("brewslm.web.", "brewslm.models.kernels.", "brewslm.processes.programs.")


def modules() -> list[str]:
    found = pkgutil.walk_packages(brewslm.__path__, "brewslm.")
    return sorted(one.name for one in found if ".migrations" not in one.name and not one.name.startswith(TORCH_OR_PAGES))


def test_no_module_imports_anything_heavy_when_it_is_imported():
    """But for pages, which brewslm.web.mount imports, kernels, which training does, and the programs of toolchains."""
    assert len(modules()) > 50 and {"brewslm.web", "brewslm.api.app"} < set(modules())
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL, *modules()], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_help_needs_neither_the_database_nor_pydantic():
    code = "import brewslm.cli.main, sys; sys.exit(str(sorted(set(sys.modules) & {'sqlalchemy', 'pydantic', 'orjson'})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
