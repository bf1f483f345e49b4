"""`python -m app.cli.dataset_import run|preview|introspect|sources|mappers …`: another spelling of brewslm's own commands."""

import sys

from brewslm.cli.main import app

VERBS = {
    "run": ("map", "--commit"),
    "preview": ("map",),
    "introspect": ("introspect",),
    "sources": ("sources",),
    "mappers": ("mappers",),
}
_USAGE = f"usage: python -m app.cli.dataset_import {{{','.join(VERBS)}}} [--help] …"


def main(arguments: list[str]) -> None:
    """Run the command that the first argument stands for."""
    verb, *rest = arguments or [""]
    if verb not in VERBS:
        wanted = verb in ("--help", "-h")
        print(_USAGE, file=sys.stdout if wanted else sys.stderr)
        raise SystemExit(0 if wanted else 2)
    app([*VERBS[verb], *rest], prog_name="brewslm")


if __name__ == "__main__":
    main(sys.argv[1:])
