"""Plugins that are really installed, used by the command line in a process of its own."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from brewslm.mappers import MAPPERS
from brewslm.observe.connectors import connectors, mappers
from brewslm.sources import CONNECTORS, names_a_path
from tests.plugins import distribution

ROOT = Path(__file__).parents[1]
NOTES = "billing: Where is my invoice?\n\nDelivery: It came broken.\nbilling: \n"
MAPPING = ("--mapper", "topic_note", "--map", "note=note", "--map", "topic=topic")

BROKEN = {
    "missing": ("no_such_module:Gone", "ModuleNotFoundError"),
    "crashing": ("bad_plugin_crash:Any", "ZeroDivisionError"),
    "leaving": ("bad_plugin_exit:Any", "SystemExit"),
    "nameless": ("bad_plugin:Nameless", "its meaning is no str"),
    "function": ("bad_plugin:function", "it is no subclass of"),
    "abstract": ("bad_plugin:Abstract", "it lacks all_rows"),
    "shouting": ("bad_plugin:Shouting", "is not of the form"),
    "unmade": ("bad_plugin:Unmade", "no made connector"),
    "thief": ("bad_plugin:Thief", "the scheme csv is taken"),
    "twin": ("bad_plugin:Twin", "the scheme twin is taken"),
    "nowhere": ("bad_plugin:Nowhere", "AttributeError"),
}
BAD_MODULE = """
from brewslm.sources import Connector
from brewslm.sources.jsonl import JsonlConnector
def function(): ...
class Nameless(JsonlConnector):
    scheme, meaning = "nameless", None
class Abstract(Connector):
    scheme = grammar = meaning = extension = "abstract"
    def file(self, reference): ...
class Shouting(JsonlConnector):
    scheme = "No Scheme"
class Thief(JsonlConnector):
    scheme = "csv"
class Unmade(JsonlConnector):
    scheme = "unmade"
    def __init__(self): raise ValueError("no made connector" + "!" * 1000)
class Good(JsonlConnector):
    scheme = "twin"
    reads_a_path = False
class Twin(Good): ...
class Odd(Good):
    scheme = "odd"
"""


def page() -> tuple[str, dict[str, Any]]:
    """The module and the entry points that docs/plugins.md shows."""
    text = (ROOT / "docs" / "plugins.md").read_text()
    module, table = (re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1] for language in ("python", "toml"))
    return module, tomllib.loads(table)["project"]["entry-points"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed distributions: the page's own, and one where everything is broken."""
    folder = tmp_path / "site"
    module, points = page()
    distribution(folder, "brew-notes", {"brew_notes": module}, points)
    modules = {"bad_plugin": BAD_MODULE, "bad_plugin_crash": "1 / 0", "bad_plugin_exit": "import sys; sys.exit(3)"}
    bad = {name: value for name, (value, _) in BROKEN.items()} | {"another": "bad_plugin:Good", "odd": "bad_plugin:Odd"}
    distribution(folder, "bad-plugin", modules, {"brewslm.sources": bad, "brewslm.mappers": {"wrong": "bad_plugin:Good"}})
    return folder


def brewslm(site: Path, *arguments: str, exit_code: int = 0) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    command = [sys.executable, "-m", "brewslm.cli.main", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=site.parent, check=False)
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def events(site: Path) -> list[dict[str, Any]]:
    found = json.loads(brewslm(site, "audit", "tail", "--limit", "500", "--json"))
    return [event for event in found if event["reason_code"] == "extension_load_failed"]


def test_the_plugin_of_the_page_works_to_the_commit_and_a_broken_one_is_told_of_once(site: Path, home: Path) -> None:
    (site.parent / "notes.txt").write_text(NOTES)
    command = ("map", "--project", "1", "--locator", "notes:notes.txt", *MAPPING)
    said = brewslm(site, *command, "--commit", "--json")
    result = json.loads(said)["result"]
    assert (result["accepted_count"], result["rejection_counts"]) == (2, {"empty_text": 1})
    rows = [json.loads(line) for line in (home / "projects" / "1" / result["written_path"]).read_text().splitlines()]
    assert [row["payload"] for row in rows] == [
        {"text": "Where is my invoice?", "label": "billing"}, {"text": "It came broken.", "label": "delivery"},
    ]  # fmt: skip

    told = {event["payload"]["entry_point"]: event for event in events(site)}
    assert len(told) == len(BROKEN) + 1 == len(events(site))  # the import was an ingest and a commit, in one process
    for name, (value, error) in BROKEN.items():
        event = told[f"brewslm.sources: {name} = {value} of bad-plugin 1.0"]
        assert error in event["payload"]["error"] and len(event["payload"]["error"]) <= 200
        assert (event["severity"], event["project"]) == ("warning", 0)
    assert "no subclass of Mapper" in told["brewslm.mappers: wrong = bad_plugin:Good of bad-plugin 1.0"]["payload"]["error"]


def test_a_plugin_is_listed_and_a_broken_one_is_named_when_it_is_asked_for(site: Path) -> None:
    listed = {each["scheme"] for each in json.loads(brewslm(site, "sources", "--json"))["sources"]}
    assert {"csv", "notes", "twin", "odd"} <= listed and not {"nameless", "abstract", "unmade"} & listed
    assert "topic_note" in {each["id"] for each in json.loads(brewslm(site, "mappers", "--json"))}
    said = brewslm(site, "introspect", "--locator", "unmade:x", exit_code=2)
    assert "unknown_scheme" in said and "no made connector" in said
    rows = site.parent / "rows.jsonl"
    rows.write_text('{"a": "b"}\n')
    said = brewslm(site, "map", "--locator", f"jsonl:{rows}", "--project", "1", "--mapper", "wrong", "--map", "a=a", exit_code=2)
    assert "unknown_mapper" in said and "wrong = bad_plugin:Good" in said
    assert events(site) == []  # nothing of this was an import


VIEW = """
import json
from brewslm.observe.connectors import connectors, mappers
from brewslm.sources import names_a_path
print(json.dumps([
    {each.grammar: each.problem for each in connectors() if each.problem},
    {each.id: each.problem for each in mappers() if each.problem},
    [names_a_path(scheme) for scheme in ("notes", "twin", "jsonl", "url", "sample", "unmade", "no-such")],
]))
"""


def test_a_view_shows_the_broken_ones_and_a_path_is_known_as_one(site: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", VIEW], env=environment, capture_output=True, text=True, check=True)
    sources, wrong, paths = json.loads(done.stdout)
    assert len(sources) == len(BROKEN) and len(wrong) == 1
    assert paths == [True, False, True, False, False, False, False]


def test_the_catalogues_name_the_broken_ones_beside_the_list(site: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    for verb, count in (("sources", len(BROKEN)), ("mappers", 1)):
        command = [sys.executable, "-m", "brewslm.cli.main", verb]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr.count("could not be loaded: ") == count and "could not be loaded" not in done.stdout


def test_without_plugins_there_is_nothing_to_tell() -> None:
    assert not any(each.problem for each in (*connectors(), *mappers()))
    assert len(CONNECTORS) == len(list(CONNECTORS)) and len(MAPPERS) == len(list(MAPPERS))
    assert names_a_path("csv") and not names_a_path("url")


def test_a_module_of_a_plugin_is_not_imported_before_it_is_needed(site: Path) -> None:
    code = (
        "import sys; from brewslm.sources import CONNECTORS, connector_of; from brewslm.mappers import mapper_type\n"
        "connector_of('jsonl:a'); mapper_type('text_only'); assert not {'brew_notes', 'bad_plugin'} & set(sys.modules)\n"
        "connector_of('notes:a'); assert 'brew_notes' in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
