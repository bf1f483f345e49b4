"""`python -m tests.audit_lint`, the former spelling of `brewslm audit lint`."""

import sys

from brewslm.cli.main import app

if __name__ == "__main__":
    app(["audit", "lint"], prog_name="brewslm")
    sys.exit()
