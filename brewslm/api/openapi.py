"""`python -m brewslm.api.openapi > docs/openapi.json`: the contract, checked in, so that a change of it is seen."""

import json
import sys

from brewslm.api.app import create_app


def document() -> str:
    """The OpenAPI document, as text."""
    return json.dumps(create_app(with_worker=False).openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
