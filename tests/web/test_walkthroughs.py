"""The five tasks of docs/walkthroughs.md, done by clicks on a real server: each within five of the overview."""

import re

import pytest

from tests.running import ROOT, server
from tests.web.browsing import chromium, watch  # noqa: F401 - fixtures among them
from tests.web.screenshots import DOCS
from tests.web.walkthroughs import MOST_CLICKS, PICTURES, walk_through


@pytest.mark.slow
@pytest.mark.browser
def test_each_task_takes_five_clicks_at_most(home, tmp_path, tiny_model, monkeypatch, watch):
    monkeypatch.setenv("BREWSLM_BASE_MODEL", f"path:{tiny_model}")
    with server(home) as serving:
        clicks = walk_through(serving, watch().page, tmp_path, tmp_path)
    assert len(clicks) == 5 and max(clicks.values()) <= MOST_CLICKS
    told = re.findall(r"^In (\d) clicks\.", (ROOT / "docs" / "walkthroughs.md").read_text(), re.MULTILINE)
    assert [int(one) for one in told] == list(clicks.values())


def test_the_pictures_that_documents_show_are_there():
    shown = set()
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", path.read_text()):
            assert (path.parent / target).is_file(), f"{path.name}: {target}"
            shown.add((path.parent / target).resolve())
    kept = {one.resolve() for one in PICTURES.glob("*.png") if one.stem not in DOCS}
    assert kept <= shown, "a picture that no document shows"
