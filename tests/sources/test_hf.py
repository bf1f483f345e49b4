import base64
import datetime
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pyarrow
import pytest

from brewslm.errors import StageError
from brewslm.rows import RawRow, SentinelRow
from brewslm.settings import settings
from brewslm.sources import connector_of
from brewslm.sources.hf import HfConnector
from tests.hub import TOKEN, Hub, add_imdb, card, hub, parquet, running_hub  # noqa: F401 - a server

TEXT = {"name": "text", "dtype": "string"}
LABEL = {"name": "label", "dtype": {"class_label": {"names": {"0": "neg", "1": "pos"}}}}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def read(reference: str) -> list[dict[str, Any] | str]:
    """The rows; of a sentinel, its reason."""
    rows = HfConnector().load(reference)
    return [row.values if isinstance(row, RawRow) else row.reason.value for row in rows if isinstance(row, RawRow | SentinelRow)]


def refused(reference: str) -> StageError:
    """The problem; nothing of the source, whole or half, may be left."""
    with pytest.raises(StageError) as caught:
        HfConnector().file(reference)
    left = [path for path in settings().cache.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert left == []
    assert caught.value.next_step and TOKEN not in str(caught.value.problem())
    return caught.value


def small(rows: int = 4, split: str = "train") -> dict[str, bytes]:
    """The files of a dataset of one split."""
    columns = {"text": [f"text {number}" for number in range(rows)], "label": [number % 2 for number in range(rows)]}
    return {"README.md": card([TEXT, LABEL], {split: rows}), f"data/{split}-0.parquet": parquet(columns)}


def test_class_numbers_become_names_and_the_split_is_written_down_once_for_its_commit(hub: Hub) -> None:
    commit = add_imdb(hub, 60).refs["main"]
    connector, reference = connector_of("hf:imdb:train")
    path = connector.file(reference)
    rows = [row for row in connector.load(reference) if isinstance(row, RawRow)]
    assert [row.values["label"] for row in rows] == ["neg"] * 30 + ["pos"] * 30
    assert rows[0].values["text"].startswith("train review 0: ") and [row.position for row in rows] == list(range(1, 61))
    assert path.is_relative_to(settings().cache) and commit[:12] in path.name

    hub.asked.clear()
    assert connector.file(reference) == path
    assert [asked.status for asked in hub.asked] == [307, 200], "only the commit was asked for, by an old name"


def test_a_split_and_a_revision_may_be_named_and_a_commit_that_was_read_needs_no_hub(hub: Hub, monkeypatch) -> None:
    repository = hub.repository("team/set", small(4))
    first = repository.refs["main"]
    repository.commit(small(6), "v2")
    assert len(read("team/set")) == len(read("team/set:train:main")) == len(read("team/set::main")) == 4
    assert len(read("team/set:train:v2")) == 6
    assert read(f"team/set:train:{first}") == read("team/set")
    repository.commit(small(8))
    assert len(read("team/set")) == 8, "the branch has moved on"
    hub.broken = True
    assert len(read(f"team/set:train:{first}")) == 4


def test_without_a_name_the_only_split_is_taken_then_train_and_else_none(hub: Hub) -> None:
    hub.repository("team/one", small(3, "validation"))
    assert len(read("team/one")) == 3
    files = small(3, "validation") | small(3, "test")
    hub.repository("team/two", files | {"README.md": card([TEXT, LABEL], {"validation": 3, "test": 3})})
    error = refused_split(hub, "team/two")
    assert "none of them is train" in error.what and error.cause.endswith("known: test, validation")


def refused_split(hub: Hub, reference: str) -> StageError:
    with pytest.raises(StageError) as caught:
        HfConnector().file(reference)
    return caught.value


def test_a_config_is_chosen_by_its_name(hub: Hub) -> None:
    both = b"---\nconfigs:\n- config_name: easy\n  data_files: easy.jsonl\n- config_name: hard\n  data_files: hard.jsonl\n---\n"
    hub.repository("team/two", {"README.md": both, "easy.jsonl": b'{"a": "x"}\n', "hard.jsonl": b'{"a": "y"}\n{"a": "z"}\n'})
    assert read("team/two?config=hard") == [{"a": "y"}, {"a": "z"}]
    assert read("team/two:train?config=easy") == [{"a": "x"}]
    error = refused_split(hub, "team/two")
    assert "no default" in error.what and error.cause == "known: easy, hard"
    error = refused_split(hub, "team/two?config=hrad")
    assert error.reason.code == "source_not_found" and "did you mean hard?" in error.cause


def test_values_of_every_kind_become_json(hub: Hub) -> None:
    names = {"0": "O", "1": "B-PER", "2": "I-PER"}
    features = [
        {"name": "tokens", "sequence": "string"},
        {"name": "ner_tags", "sequence": {"class_label": {"names": names}}},
        {
            "name": "answers",
            "list": [{"name": "kind", "dtype": {"class_label": {"names": names}}}, {"name": "at", "dtype": "int32"}],
        },
        {"name": "label", "dtype": {"class_label": {"names": names}}},
        {"name": "image", "dtype": "image"},
        {"name": "sound", "dtype": {"audio": {"sampling_rate": 16000}}},
        {"name": "raw", "dtype": "binary"},
        {"name": "day", "dtype": "timestamp[s]"},
        {"name": "score", "dtype": "float64"},
    ]
    day = datetime.datetime(2026, 3, 1, 12)
    columns = {
        "tokens": [["Ada", "Lovelace", "wrote"], None, []],
        "ner_tags": [[1, 2, 0], [-1], []],
        "answers": [[{"kind": 1, "at": 7}], [], None],
        "label": [-1, 2, None],
        "image": [{"bytes": PNG, "path": None}, {"bytes": None, "path": "cat.png"}, None],
        "sound": [{"bytes": b"\x00\xff", "path": "a.flac"}, None, None],
        "raw": [b"plain", b"\xff\x00", None],
        "day": [day, None, None],
        "score": [0.5, None, float("nan")],
    }
    media = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    table = pyarrow.table(
        {name: pyarrow.array(rows, media if name in ("image", "sound") else None) for name, rows in columns.items()}
    )
    files = {"data/train-0.parquet": parquet(dict(zip(table.column_names, table.columns, strict=True)))}
    hub.repository("team/kinds", files | {"README.md": card(features, {"train": 3})})
    first, second, third = read("team/kinds")
    octets = "data:application/octet-stream;base64,"
    assert first == {
        "tokens": ["Ada", "Lovelace", "wrote"],
        "ner_tags": ["B-PER", "I-PER", "O"],
        "answers": [{"kind": "B-PER", "at": 7}],
        "label": None,
        "image": f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
        "sound": f"data:audio/flac;base64,{base64.b64encode(bytes((0, 255))).decode()}",
        "raw": "plain",
        "day": "2026-03-01T12:00:00",
        "score": 0.5,
    }
    assert isinstance(second, dict) and second["ner_tags"] == [None] and second["label"] == "I-PER"
    assert second["image"] == "cat.png" and second["raw"] == octets + "/wA=" and second["tokens"] is None
    assert third == "non_finite_number"


def test_the_first_rows_of_a_large_split_are_had_without_the_rest(hub: Hub) -> None:
    connector = HfConnector()
    hub.repository("team/small", small(50))
    assert connector.head_file("team/small", 7) is None
    parts = {f"data/train-{part}.parquet": parquet({"text": [f"{part} {n}" for n in range(6000)]}) for part in range(3)}
    hub.repository("team/large", {"README.md": card([TEXT], {"train": 2_000_000})} | parts)
    head = connector.head_file("team/large", 7)
    assert head is not None and [orjson.loads(line)["text"] for line in head.open()] == [f"0 {n}" for n in range(7)]
    described = connector.describe("team/large")
    assert described.sample_reach == "head" and described.approximate_total_rows == 5000 and described.columns == ["text"]
    assert any("train-0" in path for path in hub.paths()) and not any("train-1" in path for path in hub.paths())
    hub.asked.clear()
    assert connector.head_file("team/large", 7) == head and len(hub.asked) == 1
    assert connector.describe("team/small").sample_reach == "file"


@pytest.mark.parametrize(
    ("reference", "code", "said"),
    [
        ("", "invalid_request", "it names no dataset"),
        ("team/set?split=train", "invalid_request", "option split is unknown"),
        ("../../etc", "source_not_found", "Repo id must"),
        ("csv", "source_not_found", "is public"),
        ("other/set", "source_not_found", "did you mean team/set?"),
        ("team/private", "source_not_found", "set HF_TOKEN"),
        ("team/gated", "source_forbidden", "set HF_TOKEN"),
        ("team/set:trian", "source_not_found", "did you mean train?"),
        ("team/set:train:v1", "source_not_found", "known: main"),
        ("team/set:train+train", "source_not_found", "known: train"),
        ("team/set?config=x", "source_not_found", "known: default"),
        ("team/script", "source_unreadable", "refs/convert/parquet"),
        ("team/nothing", "source_unreadable", "No (supported) data files"),
        ("team/torn", "source_unreadable", "thrift"),
        ("team/empty", "source_empty", "0 rows"),
        ("team/outside", "source_unreadable", "don't belong to team/outside"),
    ],
)
def test_what_can_not_be_read_says_why_and_leaves_nothing(hub: Hub, reference: str, code: str, said: str) -> None:
    whole = small()
    half_torn = {"data/train-1.parquet": b"PAR1" + bytes(100) + b"PAR1"}
    elsewhere = b"---\nconfigs:\n- config_name: default\n  data_files: hf://datasets/team/set@main/data/train-0.parquet\n---\n"
    hub.repository("team/set", whole)
    hub.repository("team/private", whole, private=True)
    hub.repository("team/gated", whole, gated=True)
    hub.repository("team/script", {"script.py": b"raise SystemExit(9)", "README.md": b"# rows by code\n"})
    hub.repository("team/nothing", {"README.md": b"# nothing yet\n", "notes.pages": b"x"})
    hub.repository("team/torn", whole | half_torn)
    hub.repository("team/empty", small(0))
    hub.repository("team/outside", {"README.md": elsewhere})
    error = refused(reference)
    assert error.reason.code == code
    assert said in str(error)


@pytest.mark.parametrize("address", ["{url}/blobs/rows.csv", "zip://rows.csv::{url}/blobs/rows.zip", "/etc/passwd"])
@pytest.mark.parametrize("card_name", ["README.md", ".huggingface.yaml"])
def test_a_card_can_not_send_us_elsewhere(hub: Hub, address: str, card_name: str) -> None:
    with running_hub() as elsewhere:
        elsewhere.blobs["rows.csv"] = b"a,b\n1,2\n"
        path = address.format(url=elsewhere.url)
        told = f"configs:\n- config_name: default\n  data_files:\n  - path: {path}\n    split: train\n"
        told = f"---\n{told}---\n" if card_name == "README.md" else told
        hub.repository("team/set", {card_name: told.encode(), "data.csv": b"a\n1\n"})
        error = refused("team/set")
        assert error.reason.code == "source_unreadable" and "outside of it" in error.cause
        assert elsewhere.asked == []


def test_a_hub_that_fails_or_is_not_there_says_so(hub: Hub, monkeypatch) -> None:
    import huggingface_hub

    add_imdb(hub, 4)
    hub.broken = True
    error = refused("imdb:train")
    assert error.reason.code == "source_unavailable" and "answered HTTP 500" in error.cause
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    error = refused("imdb:train")
    assert error.reason.code == "source_unavailable" and error.cause == "127.0.0.1:9 can't be reached: ConnectError"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    error = refused("imdb:train")
    assert error.reason.code == "source_unavailable" and error.cause == "HF_HUB_OFFLINE is set"


def run(hub: Hub, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The documented command, in a process of its own whose libraries take the hub's address from the environment."""
    command = [sys.executable, "-m", "app.cli.dataset_import", *arguments]
    told = os.environ | hub.environment(folder) | environment
    return subprocess.run(command, env=told, capture_output=True, text=True, timeout=300)


def test_the_token_goes_to_the_hub_in_its_header_and_nowhere_else(hub: Hub, tmp_path: Path, home: Path) -> None:
    with running_hub() as elsewhere:
        hub.repository("team/private", small(40), private=True, gated=True, elsewhere=elsewhere)
        arguments = ("run", "--locator", "hf:team/private", "--project", "1", "--mapper", "label_to_classification")
        arguments += ("--map", "text=text", "--map", "label=label")
        done = run(hub, tmp_path, *arguments, HF_TOKEN=TOKEN)
        failed = run(hub, tmp_path, "introspect", "--locator", "hf:team/private:trian", HF_TOKEN=TOKEN)
        assert done.returncode == 0, done.stderr
        assert failed.returncode == 1 and "did you mean train?" in failed.stderr + failed.stdout
        assert {asked.authorization for asked in hub.asked} == {f"Bearer {TOKEN}"}
        assert elsewhere.asked and {asked.authorization for asked in elsewhere.asked} == {None}
    assert not any(TOKEN in asked.path for asked in (*hub.asked, *elsewhere.asked))
    assert TOKEN not in done.stdout + done.stderr + failed.stdout + failed.stderr
    written = [path for folder in (home, tmp_path) for path in folder.rglob("*") if path.is_file()]
    assert written and not any(TOKEN.encode() in path.read_bytes() or TOKEN in str(path) for path in written)


def test_a_stream_that_is_left_early_ends_well_and_needs_neither_torch_nor_the_users_own_folders(
    hub: Hub, tmp_path: Path
) -> None:
    """Arrow's own reader has threads that bring the process down when only the first rows were wanted."""
    texts = [f"{number} {os.urandom(1000).hex()}" for number in range(5000)]
    parts = {f"data/train-{part}.parquet": parquet({"text": texts}, row_group_size=100) for part in range(2)}
    hub.repository("team/large", {"README.md": card([TEXT], {"train": 2_000_000})} | parts)
    code = (
        "import sys; from brewslm.sources.hf import HfConnector; assert HfConnector().head_file('team/large', 7);"
        "import huggingface_hub.constants as c, datasets; assert c.HF_HUB_DISABLE_TELEMETRY;"
        "assert not datasets.config.HF_UPDATE_DOWNLOAD_COUNTS; sys.exit('torch' in sys.modules)"
    )
    environment = os.environ | hub.environment(tmp_path) | {"HOME": str(tmp_path / "nobody")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "nobody").exists()


def test_the_documented_import_of_imdb_brings_both_labels_in(hub: Hub, tmp_path: Path, home: Path) -> None:
    """25,000 rows, integer labels, sorted by label, as the page writes the command."""
    add_imdb(hub, 25_000)
    done = run(hub, tmp_path, "run", "--locator", "hf:imdb:train", "--project", "1", "--auto", "--limit", "5000")
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"confidence (\d\.\d+)", done.stderr)[1]) >= 0.80
    rows = [
        orjson.loads(line)
        for path in (home / "projects" / "1").rglob("synthetic.jsonl")
        for line in path.read_bytes().splitlines()
    ]
    assert len(rows) == 5000
    assert {row["payload"]["label"] if "payload" in row else row["label"] for row in rows} == {"neg", "pos"}
