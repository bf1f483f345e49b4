"""deploy.check_drift: what is told of answers that a server gives, and that a server's trouble is told as what it is."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from sqlalchemy import select

from brewslm.observe.drift import checks
from brewslm.observe.status import status
from brewslm.pipeline import drift
from brewslm.pipeline.execute import RunFailed, _open, call, perform
from brewslm.stages import evaluate
from brewslm.stages.deploy.drift import CheckRequest
from brewslm.store.database import reading, transaction
from brewslm.store.files import run_folder, write_json
from brewslm.store.records import Records
from brewslm.store.tables import DeploymentVersion, RunEvent
from tests.drift import OTHER, TRUTH, live_at, promoted_version, under_a_grammar, with_reference
from tests.openai_server import service
from tests.running import PATIENCE_SECONDS

ROWS = list(TRUTH)


@pytest.fixture
def version(project, tiny_base, tmp_path):
    return promoted_version(project, tiny_base, tmp_path)


def job_of(version, run_id="check-9"):
    with reading() as session:
        project = session.get_one(DeploymentVersion, version).project_id
        return drift.resolve(CheckRequest(deployment=version), Records(session, run_id, project, "ana"))


@pytest.fixture
def reference(version):
    """Right answers to every row; returns their file."""
    return with_reference(version, evaluate.live_rows(job_of(version).live).sha256)


def wrong_on(count):
    """A model that has lost the answers to so many rows."""
    return lambda text: OTHER[TRUTH[text]] if ROWS.index(text) < count else TRUTH[text]


def checked(version, said, **fields):
    with service(under_a_grammar(said)) as live, live_at(version, live.base_url):
        return call("ana", CheckRequest(deployment=version, **fields)).result


def refused(request):
    with pytest.raises(RunFailed) as failed:
        call("ana", request)
    return failed.value.error


def events():
    with reading() as session:
        found = session.scalars(select(RunEvent).where(RunEvent.stage == "deployment").order_by(RunEvent.id))
        return [(event.reason_code, event.severity, orjson.loads(event.payload)) for event in found]


@pytest.mark.usefixtures("reference")
def test_a_version_that_answers_as_before_is_steady(version, project):
    first, second = checked(version, TRUTH.get), checked(version, wrong_on(10))
    assert (first["verdict"], first["look"], first["n"], first["value"], first["worse"]) == ("steady", 1, 24, 1.0, 0)
    assert (second["verdict"], second["look"], second["worse"], second["told_at"]) == ("steady", 2, 10, 11)
    assert second["p_value"] == pytest.approx(2**-10) and second["rows_from"] == "eval"
    assert [(code, severity) for code, severity, _ in events()] == [("deployment_checked", "info")] * 2
    assert [(one.look, one.verdict, one.name, one.actor) for one in checks(project)[:2]] == [
        (2, "steady", "default v1", "ana"),
        (1, "steady", "default v1", "ana"),
    ]


@pytest.mark.usefixtures("reference")
def test_a_version_that_lost_its_answers_has_drifted_and_the_rows_are_named(version, project):
    found = checked(version, wrong_on(11))
    assert (found["verdict"], found["worse"], found["better"]) == ("drifted", 11, 0)
    assert found["before"] == 1.0 and found["value"] == pytest.approx(13 / 24) and found["fall"] == pytest.approx(11 / 24)
    assert len(found["worse_rows"]) == 11 and found["rollback"] is None
    (_, info, _), (code, severity, said) = events()
    assert (info, code, severity) == ("info", "deployment_drift_detected", "error")
    assert (said["worse"], said["n"], said["alpha"]) == (11, 24, 0.05 / 90)
    assert checks(project)[0].worse_rows == found["worse_rows"]
    advice = status(project).next
    assert advice.command == "brewslm deploy checks --project 1 --deployment 1" and "default v1 answers worse" in advice.reason
    checked(version, TRUTH.get)
    assert "deploy checks" not in status(project).next.command


@pytest.mark.usefixtures("reference")
def test_a_wider_tolerance_forgives_more(version):
    assert checked(version, wrong_on(11), tolerance=0.1)["verdict"] == "steady"


def test_a_server_that_is_not_up_is_an_error_of_the_check(version, reference, project):
    error = refused(CheckRequest(deployment=version, rollback=True))
    assert error.reason.code == "endpoint_unavailable" and "brewslm serve" in error.next_step
    assert [(code, severity, said["problem"]) for code, severity, said in events()] == [
        ("deployment_check_failed", "error", "endpoint_unavailable")
    ]
    failed = checks(project)[0]
    assert (failed.verdict, failed.problem, failed.look) == ("failed", "endpoint_unavailable", None)


@pytest.fixture
def impatient(monkeypatch):
    """A question that failed is not asked again: the client would wait before it does."""
    monkeypatch.setattr(evaluate.live, "RETRIES", 0)


def raw(status, body, content_type="application/json"):
    """A server that answers everything with these bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.mark.parametrize(
    ("status", "body", "content_type", "cause"),
    [
        (200, b"<html>Sign in</html>", "text/html", "something else than was agreed"),
        (200, b'{"choices": [', "application/json", "something else than was agreed"),
        (200, b'{"status": "ok"}', "application/json", "something else than was agreed"),
        (200, b'{"choices": []}', "application/json", "something else than was agreed"),
        (500, b'{"error": {"message": "no"}}', "application/json", "HTTP 500"),
        (404, b"not here", "text/plain", "HTTP 404 (it has no such model, or no such address)"),
    ],
)
def test_rubbish_is_an_error_of_the_check_and_not_drift(version, reference, impatient, status, body, content_type, cause):
    server = raw(status, body, content_type)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with live_at(version, f"http://127.0.0.1:{server.server_port}/v1"):
            error = refused(CheckRequest(deployment=version, rollback=True))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert error.reason.code == "deployment_check_failed" and error.reason.problem == "eval_runtime_error", error
    assert cause in error.cause
    assert [code for code, _, _ in events()] == ["deployment_check_failed"], "and nothing was rolled back"


def test_an_address_where_nobody_listens_is_an_error_of_the_check(version, reference, impatient):
    with live_at(version, "http://127.0.0.1:9/v1"):
        assert refused(CheckRequest(deployment=version)).reason.code == "deployment_check_failed"


def test_a_server_that_is_too_slow_is_an_error_of_the_check(version, reference, impatient, monkeypatch):
    monkeypatch.setattr(evaluate.live, "ANSWER_SECONDS", 0.2)
    free = threading.Event()

    def slow(body):
        free.wait(PATIENCE_SECONDS)
        return "positive"

    try:
        with service(slow) as live, live_at(version, live.base_url):
            error = refused(CheckRequest(deployment=version))
            free.set()
    finally:
        free.set()
    assert error.reason.code == "deployment_check_failed" and "did not answer in time" in error.cause


def test_answers_that_are_had_in_another_way_are_not_compared(version, reference):
    """The server knows grammars no more: its labels are written freely, and that is no matter of the model."""
    with service(lambda body: TRUTH.get(body["messages"][-1]["content"], "hello")) as live, live_at(version, live.base_url):
        error = refused(CheckRequest(deployment=version))
    assert error.reason.code == "deployment_check_failed"
    assert "had by strict_parsing, and those of the reference by constrained" in error.cause


def test_reference_answers_that_were_changed_are_not_believed(version, reference):
    reference.write_bytes(reference.read_bytes().replace(b"positive", b"negative"))
    with service(under_a_grammar(TRUTH.get)) as live, live_at(version, live.base_url):
        error = refused(CheckRequest(deployment=version))
    assert error.reason.problem == "reference_changed" and "the reference answers are changed" in error.cause
    reference.unlink()
    with service(under_a_grammar(TRUTH.get)) as live, live_at(version, live.base_url):
        assert "are gone" in refused(CheckRequest(deployment=version)).cause


def test_without_a_reference_the_file_must_be_that_of_the_export(version, project):
    """What was promoted can't be asked any more: a check that compared the live server with itself would always be steady."""
    from brewslm.store.files import project_folder

    (project_folder(project) / "exports" / "export-1" / "gguf-q8_0" / "model.gguf").write_bytes(b"another")
    with service(under_a_grammar(TRUTH.get)) as live, live_at(version, live.base_url):
        error = refused(CheckRequest(deployment=version))
    assert (error.reason.code, error.reason.problem) == ("deployment_check_failed", "export_changed")


def test_what_somebody_else_serves_is_held_against_its_first_look(version):
    with transaction() as session:
        session.get_one(DeploymentVersion, version).target = "endpoint"
    first, second, third = checked(version, wrong_on(2)), checked(version, wrong_on(12)), checked(version, wrong_on(14))
    assert (first["verdict"], first["reference"]["taken_from"], first["p_value"]) == ("reference", "live", 1.0)
    assert (second["verdict"], second["worse"], second["before"]) == ("steady", 10, pytest.approx(22 / 24))
    assert (third["verdict"], third["worse"], third["look"]) == ("drifted", 12, 3)


@pytest.mark.usefixtures("reference")
def test_only_a_promoted_version_is_checked(version):
    with transaction() as session:
        session.get_one(DeploymentVersion, version).state = "superseded"
    assert refused(CheckRequest(deployment=version)).reason.code == "deployment_state_conflict"


@pytest.mark.usefixtures("reference")
def test_a_rollback_that_is_wanted_and_can_not_be_is_told_and_is_no_failure_of_the_check(version):
    found = checked(version, wrong_on(24), rollback=True)
    assert found["verdict"] == "drifted"
    assert (found["rollback"]["state"], found["rollback"]["problem"]) == ("failed", "deployment_rollback_no_predecessor")
    told = [code for code, _, _ in events()]
    assert told == ["deployment_drift_detected", "deployment_rollback_no_predecessor", "deployment_checked"]


@pytest.mark.usefixtures("reference")
def test_a_steady_version_is_never_rolled_back(version):
    assert checked(version, wrong_on(10), rollback=True)["rollback"] is None


@pytest.mark.usefixtures("reference")
def test_a_check_that_was_cut_off_before_its_rollback_goes_on_with_it_and_asks_nobody_again(version):
    task = _open("ana", CheckRequest(deployment=version, rollback=True), None, None, "running")
    with service(under_a_grammar(wrong_on(24))) as live, live_at(version, live.base_url):
        other = call("ana", CheckRequest(deployment=version)).result
        asked = len(live.asked)
        write_json(run_folder(task) / "decided.json", other | {"told": True})  # as the attempt left it that was killed
        found = perform(task).result
        assert len(live.asked) == asked
    assert found["rollback"]["problem"] == "deployment_rollback_no_predecessor"
    assert [code for code, _, _ in events()].count("deployment_drift_detected") == 1


@pytest.mark.usefixtures("reference")
def test_a_check_that_was_cut_off_among_its_rows_asks_the_rest_alone(version):
    task = _open("ana", CheckRequest(deployment=version), None, None, "running")
    with service(under_a_grammar(TRUTH.get)) as live, live_at(version, live.base_url):
        perform_half(task, version)
        before = len(live.asked)
        found = perform(task).result
        asked_again = len(live.asked) - before
    assert (found["verdict"], found["n"]) == ("steady", 24) and asked_again <= 13, asked_again


def perform_half(task, version):
    """The same work, ended by an error once half of the rows are answered."""
    from brewslm.processes.context import DirectContext

    class Ended(Exception):
        pass

    def end_at_half(done, _total, _unit, _figures):
        if done >= 12:
            raise Ended

    with pytest.raises(Ended):
        drift.run(job_of(version, task), DirectContext(run_folder(task), on_progress=end_at_half))


def test_too_few_rows_are_refused_because_they_could_never_say_drift(version, monkeypatch):
    monkeypatch.setattr(evaluate.live, "MOST_ROWS", 10)
    with service(under_a_grammar(TRUTH.get)) as live, live_at(version, live.base_url):
        error = refused(CheckRequest(deployment=version))
    assert error.reason.code == "invalid_request" and "10 rows could never say drift; 11 could" in error.cause


@pytest.mark.usefixtures("reference")
def test_of_many_rows_the_same_part_is_asked_each_time(version, monkeypatch):
    monkeypatch.setattr(evaluate.live, "MOST_ROWS", 12)
    first, second = (evaluate.live_rows(job_of(version).live) for _ in range(2))
    assert (len(first.rows), first.of, first.sha256) == (12, 24, second.sha256)
    places = [ROWS.index(row.payload["text"]) for row in first.rows]
    assert places == sorted(places) and places != list(range(12))
