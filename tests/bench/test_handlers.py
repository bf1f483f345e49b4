"""The README's table of handlers is that which was measured, with settings that are still those of the table."""

import json

from bench.handlers import settings_hash, table
from bench.handlers_table import TABLE
from bench.report import RESULTS

MEASURED = json.loads((RESULTS / "handlers.json").read_text())["measured"]


def test_the_readme_shows_every_line_that_was_measured():
    readme = (RESULTS.parent.parent / "README.md").read_text().splitlines()
    assert [line for line in table(MEASURED) if line not in readme] == []


def test_what_was_measured_is_what_the_table_would_measure():
    assert [name for name, found in MEASURED.items() if found["settings_hash"] != settings_hash(TABLE[name])] == []
