import base64
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from brewslm.errors import StageError
from brewslm.rows import RawRow
from brewslm.settings import settings
from brewslm.sources import connector_of
from brewslm.sources.kaggle import KaggleConnector
from tests.kaggle_server import SIGNATURE, STORAGE, TOKEN, Kaggle, kaggle  # noqa: F401 - a server

CSV = b"text,label\ngood,pos\nbad,neg\n"
ROWS = [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}]


def read(reference: str) -> list[dict[str, Any]]:
    return [row.values for row in KaggleConnector().load(reference) if isinstance(row, RawRow)]


def refused(reference: str) -> StageError:
    with pytest.raises(StageError) as caught:
        KaggleConnector().file(reference)
    assert caught.value.next_step
    assert not any(secret in str(caught.value.problem()) for secret in (TOKEN, SIGNATURE))
    return caught.value


def zipped(**files: bytes) -> bytes:
    """A zip file; `__` in a name stands for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def test_the_only_file_that_can_be_read_is_taken_and_fetched_once(kaggle: Kaggle) -> None:
    kaggle.files["competition:titanic"] = {"train.csv": CSV, "about.txt": b"x", "picture.png": b"x", "notes.md": b"x"}
    connector, reference = connector_of("kaggle:competition:titanic")
    path = connector.file(reference)
    assert path.name == "train.csv" and path.is_relative_to(settings().cache) and path.read_bytes() == CSV
    assert connector.reader(path).scheme == "csv" and read("competition:titanic") == ROWS
    assert kaggle.downloads() == 1
    described = connector.describe(reference)
    assert (described.locator, described.columns) == ("kaggle:competition:titanic", ["text", "label"])


def test_a_file_that_changed_is_fetched_anew(kaggle: Kaggle) -> None:
    kaggle.files["dataset:team/reviews"] = {"rows.csv": CSV}
    assert read("dataset:team/reviews") == ROWS
    kaggle.files["dataset:team/reviews"] = {"rows.csv": CSV + b"fine,pos\n"}
    assert len(read("dataset:team/reviews")) == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", CSV),
        ("deep/er/rows.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)),
        ("rows.json", json.dumps(ROWS).encode()),
        ("rows.csv.gz", gzip.compress(CSV, mtime=0)),
        ("rows.zip", zipped(rows__csv=CSV, read_me__txt=b"x")),
        ("packed.zip/a/rows.csv", b""),
    ],
    ids=["csv", "in folders", "json", "gzip", "zip", "in a zip"],
)
def test_a_named_file_is_read_by_what_is_in_it(kaggle: Kaggle, name: str, content: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/rows.csv", CSV)
        archive.writestr("b/rows.csv", b"other\n1\n")
    files = {"first.csv": b"a\n1\n", "packed.zip": buffer.getvalue(), "last.csv": b"a\n1\n"}
    kaggle.files["dataset:team/reviews"] = files | ({name: content} if content else {})
    assert read(f"dataset:team/reviews?file={name}") == ROWS


def test_a_file_that_comes_packed_by_kaggle_itself_is_unpacked(kaggle: Kaggle) -> None:
    kaggle.files["competition:titanic"] = {"train.csv": CSV, "test.csv": b"text\nx\n"}
    kaggle.zipped["train.csv"] = zipped(train__csv=CSV)
    assert read("competition:titanic?file=train.csv") == ROWS


@pytest.mark.parametrize(
    ("reference", "code", "said"),
    [
        ("titanic", "invalid_request", "kaggle:competition:<slug>"),
        ("dataset:titanic", "invalid_request", "kaggle:dataset:<owner>/<slug>"),
        ("dataset:../../etc", "invalid_request", "it has another form"),
        ("competition:titanic?path=x", "invalid_request", "option path is unknown"),
        ("competition:titanik", "source_not_found", "no such competition"),
        ("competition:titanic", "source_not_found", "its files: train.csv, test.csv"),
        ("competition:titanic?file=trian.csv", "source_not_found", "did you mean train.csv?"),
        ("competition:titanic?file=train.csv/x", "source_not_found", "train.csv is no zip file"),
        ("competition:titanic?file=../train.csv", "path_outside_project", "leads out"),
        ("competition:titanic?file=/etc/passwd", "path_outside_project", "leads out"),
        ("competition:titanic?file=a\\..\\b", "path_outside_project", "leads out"),
        ("competition:closed", "source_forbidden", "kaggle.com/c/closed/rules"),
        ("dataset:team/closed", "source_forbidden", "shared with them"),
        ("dataset:team/pictures", "source_not_found", "its files: cat.png"),
        ("dataset:team/nothing", "source_not_found", "no file at all"),
        ("dataset:team/evil", "path_outside_project", "leads out"),
        ("dataset:team/many", "source_not_found", "its files: many.zip/a.csv, many.zip/b.csv"),
        ("dataset:team/many?file=many.zip/c.csv", "source_not_found", "known: a.csv, b.csv"),
        ("dataset:team/bomb", "source_too_large", "unpack to over"),
        ("dataset:team/torn", "source_unreadable", "can't be"),
    ],
)
def test_what_can_not_be_read_says_why(kaggle: Kaggle, monkeypatch, reference: str, code: str, said: str) -> None:
    monkeypatch.setattr("brewslm.sources.kaggle.RATIO_FROM", 1000)
    kaggle.files["competition:titanic"] = {"train.csv": CSV, "test.csv": CSV}
    kaggle.files["competition:closed"] = kaggle.files["dataset:team/closed"] = {"train.csv": CSV}
    kaggle.closed = {"competition:closed", "dataset:team/closed"}
    kaggle.files["dataset:team/pictures"] = {"cat.png": b"x"}
    kaggle.files["dataset:team/nothing"] = {}
    kaggle.files["dataset:team/evil"] = {"evil.zip": zipped(**{"../../evil__csv": CSV, "good__csv": CSV})}
    kaggle.files["dataset:team/many"] = {"many.zip": zipped(a__csv=CSV, b__csv=CSV)}
    kaggle.files["dataset:team/bomb"] = {"bomb.zip": zipped(bomb__csv=b"a\n" * 1_000_000)}
    kaggle.files["dataset:team/torn"] = {"torn.zip": zipped(rows__csv=os.urandom(5000))[:3000]}
    error = refused(reference)
    assert error.reason.code == code and said in str(error)
    assert not list(settings().cache.rglob(".*")) and not list(settings().cache.rglob("*evil.csv*"))


def test_credentials_are_those_of_the_client_and_their_lack_is_said(kaggle: Kaggle, tmp_path: Path, monkeypatch) -> None:
    kaggle.files["competition:titanic"] = {"train.csv": CSV}
    kaggle.files["dataset:team/open"] = {"train.csv": CSV}
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    error = refused("competition:titanic")
    assert error.reason.code == "source_forbidden" and "there are no Kaggle credentials" in error.cause
    assert "KAGGLE_API_TOKEN" in error.next_step and kaggle.asked == []
    assert read("dataset:team/open") == ROWS, "what is public needs none"

    monkeypatch.setenv("KAGGLE_USERNAME", "ada")
    monkeypatch.setenv("KAGGLE_KEY", "key-of-ada")
    assert read("competition:titanic") == ROWS
    assert kaggle.asked[-1].authorization is None
    assert base64.b64decode((kaggle.asked[-2].authorization or "").removeprefix("Basic ")) == b"ada:key-of-ada"

    monkeypatch.delenv("KAGGLE_USERNAME")
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text('{"username": "bea", "key": "key-of-bea"}')
    kaggle.asked.clear()
    assert read("competition:titanic") == ROWS
    assert base64.b64decode((kaggle.asked[0].authorization or "").removeprefix("Basic ")) == b"bea:key-of-bea"


def test_a_kaggle_that_fails_breaks_off_or_is_not_there_says_so_and_leaves_nothing(kaggle: Kaggle, monkeypatch) -> None:
    kaggle.files["competition:titanic"] = {"train.csv": CSV}
    kaggle.cut = True
    error = refused("competition:titanic")
    assert error.reason.code == "source_unavailable" and "broke off" in error.cause
    assert not [path for path in settings().cache.rglob("*") if path.is_file() and path.suffix != ".lock"]
    kaggle.status = 503
    assert refused("competition:titanic").cause == "Kaggle answered HTTP 503"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    error = refused("competition:titanic")
    assert error.reason.code == "source_unavailable" and "can't be reached" in error.cause


def test_the_token_goes_to_kaggle_in_its_header_and_nowhere_else(kaggle: Kaggle, tmp_path: Path, home: Path) -> None:
    kaggle.files["dataset:team/reviews"] = {"rows.csv": CSV, "other.csv": CSV}
    locator = "kaggle:dataset:team/reviews?file=rows.csv"
    command = [sys.executable, "-m", "app.cli.dataset_import", "run", "--locator", locator, "--project", "1"]
    command += ["--mapper", "label_to_classification", "--map", "text=text", "--map", "label=label"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    kept = {asked.authorization for asked in kaggle.asked if asked.url.startswith(STORAGE)}
    assert kept == {None} and {asked.authorization for asked in kaggle.asked} == {None, f"Bearer {TOKEN}"}
    assert not any(TOKEN in asked.url + str(asked.body) for asked in kaggle.asked)
    assert TOKEN not in done.stdout + done.stderr and SIGNATURE not in done.stdout + done.stderr
    written = [path for path in {*home.rglob("*"), *tmp_path.rglob("*")} if path.is_file()]
    assert written and not any(secret.encode() in path.read_bytes() for path in written for secret in (TOKEN, SIGNATURE))
