"""A support bundle: what a helper needs is in it, readable offline; no secret and no row's text ever is."""

import hashlib
import json
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import itsdangerous
import pytest
from typer.testing import CliRunner

from brewslm.audit import emit_event
from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe.events import events
from brewslm.observe.support import LINK_SECONDS, linked_file, support_bundle, support_bundles, support_contents
from brewslm.observe.tasks import tasks
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.keys import keep_key
from brewslm.pipeline.support import SupportBundleRequest
from brewslm.pipeline.support.contents import Contents, without_rows
from brewslm.pipeline.support.logs import tail, without_messages, without_said
from brewslm.reasons.system import OperationFailed
from brewslm.store.database import forget_connections, transaction
from brewslm.store.files import run_folder, write_json
from brewslm.store.tables import DeploymentVersion
from tests.filters.test_redaction import spellings
from tests.synthetic import reviews

CANARIES = {
    "HF_TOKEN": "canary/hugging+7", "KAGGLE_KEY": "canary_of_kaggle9", "OPENAI_API_KEY": "canary-openai&3",
    "BREWSLM_KEY_HELPER": "canary of an endpoint 5", "BREWSLM_JUDGE_API_KEY": 'canary"judge\\1',
}  # fmt: skip
KEPT, IN_URL, SIGNED = "canary-kept-in-a-file-2", "canary%40in%2Furl", "canary0signed0in0a0query"
PATTERNS = ("hf_CanaryOfNobody0123456", "sk-canary0123456789abcdefgh", "AKIACANARYCANARYCANA", "canary.person@example.org")
ROW = "the okapi that ate the manuscript"


@pytest.fixture
def planted(walk, monkeypatch) -> str:
    """A project with a secret in every place that one may get to; returns the run that failed."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTPS_PROXY", f"http://ana:{IN_URL}@proxy.example.org:3128")
    forget_connections()  # the settings are read anew
    walk.imported()
    walk.prepared()
    keep_key("test", walk.project, "helper", KEPT)
    every = [*CANARIES.values(), KEPT, IN_URL, *PATTERNS]
    said = " | ".join(every)
    locator = f"url:https://ana:{IN_URL}@example.org/rows.csv?signature={SIGNED}"
    problem = {"code": "operation_failed", "title": f"it failed: {said}", "detail": said, "next_step": said}
    failed = walk.run(
        "import", "map.commit", "failed", problem=problem | {"payload": {"error": said}},
        request={"locator": locator, "token": "short", "field_map": {said: said}, "payload": {"text": ROW}},
    )  # fmt: skip
    job = {"path": f"/data/{said}.csv", "drawn": [{"text": ROW}]}
    write_json(run_folder(failed) / "job.json", {"operation": "map.commit", "job": job})
    known = [*CANARIES.values(), KEPT, IN_URL]
    spelled = "\n".join(f"{how}: {one}" for secret in known for how, one in spellings(secret).items())
    raised = f'Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: can\'t parse {ROW}\nand {ROW}\n'
    (run_folder(failed) / "log.txt").write_text(f"{spelled}\n{json.dumps({'a': said})}\n{raised}\nat the end {SIGNED}\n")
    (run_folder(failed) / "trace.jsonl").write_text(json.dumps({"kind": "x", "row": ROW}))
    with transaction() as session:
        emit_event(OperationFailed(operation="map.commit", error=said), project_id=walk.project, actor=said[:90], run_id=failed)
    exported = walk.exported(walk.trained([]))
    with transaction() as session:
        version = DeploymentVersion(
            project_id=walk.project, slot="default", version=1, export_id=exported, variant="hf", target="endpoint", actor="test",
            settings={"base_url": f"https://x.example.org/?key={SIGNED}", "key": "helper", "note": said},
            smoke={"asked": 1, "answers": [ROW]},
        )  # fmt: skip
        session.add(version)
    return failed


def made(project: int, **more) -> tuple[dict, dict[str, bytes]]:
    view = call("test", SupportBundleRequest(project=project, **more))
    with zipfile.ZipFile(support_bundle(view.task_id).path) as bundle:
        assert bundle.testzip() is None
        return view.result, {name: bundle.read(name) for name in bundle.namelist()}


def test_canaries_never_come_out_of_any_member_in_any_spelling(planted, walk, home):
    result, files = made(walk.project)
    assert f"logs/{planted}/log.txt" in files and f"jobs/{planted}.json" in files
    for secret in (*CANARIES.values(), KEPT, IN_URL, SIGNED):
        for how, spelled in spellings(secret).items():
            found = [name for name, data in files.items() if spelled.encode() in data or spelled in name]
            assert not found, f"{secret} as {how}"
    assert not [name for name, data in files.items() if any(one.encode() in data for one in PATTERNS)]
    assert {"known_secret", "secret", "email", "url"} <= set(result["redactions"])
    assert not any(str(home).encode() in data for data in files.values()) and b"$BREWSLM_HOME" in files["environment.json"]


def test_no_rows_text_no_result_no_weights_no_database(planted, walk):
    _, files = made(walk.project)
    texts = [row["text"].encode() for row in reviews(60)]
    assert not [name for name, data in files.items() if ROW.encode() in data or any(text in data for text in texts)]
    assert {name.partition("/")[0] for name in files} == {
        "index.html", "manifest.json", "environment.json", "project.json", "chain.json", "models.json", "deployments.json",
        "manifests", "runs.jsonl", "events.jsonl", "jobs", "logs",
    }  # fmt: skip


def test_what_a_helper_needs_is_in_it(planted, walk):
    _, files = made(walk.project)
    manifest = json.loads(files["manifest.json"])
    assert {one["path"]: one["sha256"] for one in manifest["files"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "manifest.json"
    }
    chain, environment = json.loads(files["chain.json"]), json.loads(files["environment.json"])
    assert chain["verified"]["is_whole"] and chain["head"]["sequence"] == chain["verified"]["events"] > 0
    assert environment["packages"]["torch"] and environment["settings"]["judge_api_key_is_set"] is True
    runs = {one["id"]: one for one in map(json.loads, files["runs.jsonl"].splitlines())}
    assert runs[planted]["state"] == "failed" and runs[planted]["problem"]["code"] == "operation_failed"
    assert runs["prepare-1"]["figures"]["ledger"]["rows_in"] == 62 - 2
    events = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    assert events[-1]["reason_code"] == "operation_failed" and events[-1]["remedy"] and len(events[-1]["hash"]) == 64
    assert json.loads(files["manifests/v1.json"])["splits"]["train"]["sha256"]
    log = files[f"logs/{planted}/log.txt"].decode()
    assert "ValueError: [message left out" in log and 'File "x.py", line 1' in log and "at the end" in log


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.found = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.found += [value for name, value in attrs if name in ("href", "src", "action", "srcset")]


def test_the_page_is_whole_without_a_network(planted, walk):
    _, files = made(walk.project)
    text = files["index.html"].decode()
    page = Links(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"} and "url(" not in text and "@import" not in text
    assert page.found and all(one[1:] and (one.startswith("#") or one in files) for one in page.found)
    assert planted in text and "operation_failed" in text and "Read the run&#39;s log.txt" in text
    assert "The event chain is whole" in text


def test_a_bundle_of_one_run_has_that_run_alone(planted, walk):
    _, files = made(walk.project, run=planted)
    assert [json.loads(line)["id"] for line in files["runs.jsonl"].splitlines()] == [planted]
    assert {json.loads(line)["run_id"] for line in files["events.jsonl"].splitlines()} == {planted}
    with pytest.raises(RunFailed, match="No run") as refused:
        call("test", SupportBundleRequest(project=walk.project, run="exp-99"))
    assert refused.value.error.reason.code == "unknown_run"


def test_what_has_no_room_is_named_and_the_newest_stays(tmp_path):
    contents = Contents(tmp_path, 100)
    assert contents.add("a", b"x" * 60) and not contents.add("b", b"x" * 60)
    kept = contents.add_lines("c", iter([{"n": 3}, {"n": 2}, {"n": 1}]), 0.5, 3)
    assert kept == [{"n": 2}, {"n": 3}] and (tmp_path / "c").read_text() == '{"n":2}\n{"n":3}\n'
    assert [(one.what, one.size_bytes) for one in contents.left_out] == [("b", 60), ("c", None)]
    assert contents.room == 100 - 60 - 16


def test_failing_and_newest_runs_logs_come_first_and_the_rest_is_left_out(walk):
    for number in range(12):
        run = walk.run("exp", "train.run", "failed" if number == 0 else "succeeded")
        (run_folder(run) / "log.txt").write_text("".join(f"{run} step {step} loss 0.5\n" for step in range(20_000)))
    result, files = made(walk.project, megabytes=8)
    logs = [name for name in files if name.startswith("logs/")]
    assert logs[:2] == ["logs/exp-1/log.txt", "logs/exp-12/log.txt"] and 4 < len(logs) < 12
    left = {one["what"]: one["why"] for one in result["left_out"]}
    assert left["logs/exp-2/log.txt"] == "there was no room for it" and "logs/exp-2/log.txt" not in files
    assert sum(map(len, files.values())) <= 8 * 2**20


def test_the_messages_that_may_quote_a_row_go_and_frames_stay():
    log = """step 1
Traceback (most recent call last):
  File "a.py", line 3, in f
    g(row)
pydantic.ValidationError: 1 error
a field of text
    bad [input='okapi']

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 4, in h
FileNotFoundError: no file x
KeyError: 'okapi'
and okapi
  | json.JSONDecodeError: okapi
INFO goes on
torch.OutOfMemoryError: 2 GB
"""
    said = without_messages(log)
    assert "okapi" not in said and "a field of text" not in said
    kept = ['  File "a.py", line 3, in f', "    g(row)", "FileNotFoundError: no file x", "INFO goes on"]
    kept.append("torch.OutOfMemoryError: 2 GB")
    assert [line for line in said.split("\n") if line in kept] == kept
    assert without_messages(said) == said


def test_the_faults_of_a_run_come_without_what_was_said():
    assert without_said('{"cause": "crashed", "said": "okapi"}\n{"torn') == '{"cause":"crashed"}\n'


def test_a_log_is_cut_at_a_line(tmp_path):
    (tmp_path / "log").write_text("first\nsecond\nthird\n")
    assert tail(tmp_path / "log", 12) == ("third\n", 13)


def test_a_request_has_no_rows_and_says_where_it_is_cut():
    judged = [{"row_id": "r1", "fields": {"label": "x"}}]
    said = without_rows({"judgements": judged, "rows": 5, "ids": ["a"] * 300, "note": "x" * 3000})
    assert said["judgements"] == [{"row_id": "r1", "fields": "[row text]"}] and said["rows"] == 5
    assert said["ids"][-1] == "[100 more]" and said["note"] == "[text of 3,000 characters]"


def test_a_link_is_for_one_file_and_for_a_day(walk, monkeypatch):
    first, second = (call("test", SupportBundleRequest(project=walk.project)).task_id for _ in range(2))
    link = support_bundle(first).link.partition("token=")[2]
    assert linked_file(first, link) == Path(support_bundle(first).path)
    assert [one.task_id for one in support_bundles(walk.project)] == [second, first]
    assert [one.reason_code for one in events(walk.project)][-2:] == ["support_bundle_made"] * 2

    def refused(task: str, token: str) -> str:
        with pytest.raises(StageError) as error:
            linked_file(task, token)
        return error.value.reason.code

    assert refused(second, link) == refused(first, link[:-3] + "abc") == refused(first, "") == "link_invalid"
    earlier = itsdangerous.TimestampSigner.get_timestamp
    with monkeypatch.context() as patch:
        patch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda self: earlier(self) - LINK_SECONDS - 5)
        old = support_bundle(first).link.partition("token=")[2]
    assert refused(first, old) == "link_expired"
    linked_file(first, link).unlink()
    assert refused(first, link) == "unknown_run" and not support_bundle(first).is_there


def test_the_command_copies_the_zip_and_prints_what_it_left_out(walk):
    out = walk.folder / "for-support.zip"
    done = CliRunner().invoke(app, ["support", "bundle", "--project", str(walk.project), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert zipfile.is_zipfile(out) and hashlib.sha256(out.read_bytes()).hexdigest() in done.output
    listed = CliRunner().invoke(app, ["support", "list", "--project", str(walk.project)]).output
    assert "support-1" in listed
    assert "/api/support-bundles/support-1/file?token=" in CliRunner().invoke(app, ["support", "link", "support-1"]).output
    refused = CliRunner().invoke(app, ["support", "bundle", "--project", str(walk.project), "--out", "/proc/x/y.zip"])
    assert refused.exit_code == 2 and "it stands at" in refused.output


def test_what_a_bundle_would_hold_is_counted_before_it_is_made_and_nothing_is_made(planted, walk):
    whole, one = support_contents(walk.project), support_contents(walk.project, planted)
    assert (whole.runs, whole.failed_runs) == (len(tasks(walk.project)), 1) and whole.events == len(events(walk.project))
    assert (one.of_run, one.runs, one.failed_runs, one.manifests) == (
        planted,
        1,
        1,
        whole.manifests,
    ) and one.events < whole.events
    assert whole.logs == len([*run_folder(planted).glob("*.log"), *run_folder(planted).glob("log.txt")]) and whole.log_bytes > 0
    assert whole.secrets >= len(CANARIES) and support_bundles(walk.project) == []
    made = call("test", SupportBundleRequest(project=walk.project)).result
    with zipfile.ZipFile(support_bundle("support-1").path) as bundle:
        assert len(bundle.read("runs.jsonl").splitlines()) == whole.runs + 1 and made is not None  # and the bundle's own
    with pytest.raises(StageError) as refused:
        support_contents(walk.project, "exp-99")
    assert refused.value.reason.code == "unknown_run"
    with pytest.raises(StageError) as refused:
        support_bundle("support-99")
    assert refused.value.next_step == "See brewslm support list, or make one: brewslm support bundle."
