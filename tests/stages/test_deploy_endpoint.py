"""The target `endpoint`: a server that somebody else runs is believed when it says what the exported file said, and no sooner."""

import json
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from sqlalchemy import select, text

from brewslm.errors import StageError
from brewslm.observe.deployments import deployments
from brewslm.observe.predict import ask_deployment
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.keys import keep_key
from brewslm.serving import serve_model
from brewslm.serving.targets.elsewhere import EndpointTarget
from brewslm.stages.deploy import smoke
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.store.database import engine, reading
from brewslm.store.files import project_folder, read_json
from brewslm.store.secrets import secret_path
from brewslm.store.tables import AuditEntry, Slot
from tests.experiments import adopt_bundle, make_experiment
from tests.openai_server import service
from tests.running import PATIENCE_SECONDS, closed_port

SECRET = "sk-very-secret-7"


@pytest.fixture
def export(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


@pytest.fixture(scope="module")
def served(tiny_bundle):
    """llama.cpp's server on the exported file, run by somebody else."""
    with serve_model(tiny_bundle / "gguf-f16" / "model-f16.gguf", "theirs") as endpoint:
        yield endpoint


def version_at(export, url, model="theirs", variant="gguf-f16", **more):
    settings = {"url": url, "model": model} | more
    return call("ana", CreateRequest(export=export, variant=variant, target="endpoint", settings=settings)).result["deployment"]


def refused(request):
    with pytest.raises(RunFailed) as failed:
        call("ana", request)
    return failed.value.error


def fails(version, cause):
    """Its promote is refused for this cause, and nothing is half promoted."""
    error = refused(PromoteRequest(deployment=version))
    assert error.reason.code == "deployment_smoke_failed" and cause in str(error), str(error)
    with reading() as session:
        assert session.scalars(select(Slot)).first() is None
    assert deployments(1)[0].state == "pending"


def test_a_server_elsewhere_that_says_the_same_is_promoted_and_asked(export, served):
    version = version_at(export, served.base_url)
    done = call("ana", PromoteRequest(deployment=version)).result
    assert (done["same"], done["asked"], done["by"]) == (32, 32, "tokens")
    view = deployments(1)[0]
    assert (view.state, view.target, view.settings) == ("promoted", "endpoint", {"url": served.base_url, "model": "theirs"})
    assert ask_deployment("default", ["the movie 1 was lovely and lovely"], 1)[0].output == "positive"


def test_what_a_version_ran_on_other_machines_is_given_back_when_it_answers_no_more(export, served, monkeypatch):
    given_back = []
    monkeypatch.setattr(EndpointTarget, "release", lambda self, servable: given_back.append(servable.version_id))
    first, second = version_at(export, served.base_url), version_at(export, served.base_url)
    call("ana", PromoteRequest(deployment=first))
    assert given_back == []
    call("ana", PromoteRequest(deployment=second))
    assert given_back == [first]
    call("ana", RollbackRequest(deployment=second))
    assert given_back == [first, second]
    with service(lambda _: 500) as theirs:
        third = version_at(export, theirs.base_url)
        assert refused(PromoteRequest(deployment=third)).reason.code == "deployment_smoke_failed"
    assert given_back == [first, second, third]


def test_one_that_is_down_is_told(export):
    with closed_port() as port:
        fails(version_at(export, f"http://127.0.0.1:{port}/v1"), "nothing answers at")


def test_one_that_knows_another_model_is_told(export, served):
    fails(version_at(export, served.base_url, model="ours"), "it has no model ours; it has theirs")


def test_one_that_serves_another_model_under_our_name_is_told(export, tiny_model, tiny_bundle, tmp_path):
    """The base that was never trained: the same tokenizer and template, other tokens."""
    from brewslm.models.gguf_writer import write_gguf
    from brewslm.models.loading import load_tokenizer
    from brewslm.models.templates import end_token_id

    base, tokenizer = shutil.copytree(tiny_model, tmp_path / "base"), load_tokenizer(tiny_model)
    tokenizer.save_pretrained(base)  # with its guarded template, as an export does
    write_gguf(base, tmp_path / "base.gguf", name="base", end_token=end_token_id(tokenizer))
    with serve_model(tmp_path / "base.gguf", "theirs") as liar:
        fails(version_at(export, liar.base_url), "are those of the exported file")


def answer_of(bundle):
    """An answer to each prompt of the trace, as a service without tokens gives it."""
    known = {one["messages"][-1]["content"]: one["answer"] for one in read_json(bundle / "smoke-trace.json")["prompts"]}
    return lambda body: known[body["messages"][-1]["content"]]


def same_length(bundle, monkeypatch):
    """tests.openai_server always says 7 tokens; what it is asked for here is the text."""
    from brewslm.models.endpoint import EndpointPredictor

    monkeypatch.setattr(EndpointPredictor, "prompt_length", lambda self, prompt: None)


def test_one_that_gives_no_tokens_is_held_to_its_words(export, tiny_bundle, monkeypatch):
    same_length(tiny_bundle, monkeypatch)
    said = answer_of(tiny_bundle)

    def tokenless(body):
        return said(body) if "messages" in body else 404

    with service(tokenless) as theirs:
        done = call("ana", PromoteRequest(deployment=version_at(export, theirs.base_url))).result
    assert done["by"] == "texts" and done["same"] == done["asked"] > 20


def test_one_that_says_other_words_is_told(export, tiny_bundle, monkeypatch):
    same_length(tiny_bundle, monkeypatch)
    with service(lambda body: "as a language model" if "messages" in body else 400) as theirs:
        fails(version_at(export, theirs.base_url), "characters are those of the exported file")


@pytest.mark.parametrize(("status", "cause"), [(401, "HTTP 401 (it wants a key)"), (500, "HTTP 500")])
def test_one_that_refuses_is_told(export, status, cause):
    with service(lambda _: status) as theirs:
        fails(version_at(export, theirs.base_url), cause)


@contextmanager
def trickle():
    """A server that sends its headers, and then a byte now and then: never late by itself, done when nobody waits any more."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            end = time.monotonic() + PATIENCE_SECONDS
            while not over.wait(0.05) and time.monotonic() < end:
                self.wfile.write(b" ")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_one_that_never_comes_to_an_end_is_left_after_a_while(export, monkeypatch):
    monkeypatch.setattr(smoke, "ALL_SECONDS", 1.0)
    with trickle() as url:
        fails(version_at(export, url), "did not answer all within 1 s")


def test_one_that_takes_a_connection_and_says_nothing_is_told(export, monkeypatch):
    monkeypatch.setattr(smoke, "ANSWER_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        fails(version_at(export, f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), "did not answer in time")


def test_what_is_no_openai_server_is_told(export):
    with service(lambda _: 404) as theirs:
        page = theirs.base_url.removesuffix("/v1") + "/nothing"
        assert httpx2.get(page, timeout=PATIENCE_SECONDS).status_code == 404
        fails(version_at(export, page), "HTTP 404 (it has no such model, or no such address)")


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"model": "m"}, "url"),
        ({"url": "ftp://host/v1", "model": "m"}, "http or https"),
        ({"url": f"http://me:{SECRET}@host/v1", "model": "m"}, "no user, password"),
        ({"url": f"http://host/v1?key={SECRET}", "model": "m"}, "no user, password"),
        ({"url": "http://host/v1", "model": "m", "key": f"{SECRET}!"}, "never the key itself"),
        ({"url": "http://host/v1", "model": ""}, "model"),
        ({"url": "http://host/v1", "modell": "m"}, "model"),
    ],
)
def test_settings_that_can_not_be_used_are_refused_and_not_repeated(export, settings, cause):
    error = refused(CreateRequest(export=export, target="endpoint", settings=settings))
    assert error.reason.code == "invalid_request" and cause in str(error) and SECRET not in str(error)


def test_a_key_is_sent_and_stands_in_no_table_file_or_event(export, tiny_bundle, served, home, monkeypatch):
    """A service that wants a key, before the real server."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.passed_on(b"")

        def do_POST(self):
            self.passed_on(self.rfile.read(int(self.headers["content-length"])))

        def passed_on(self, body):
            asked.append(self.headers["authorization"])
            known = self.headers["authorization"] == f"Bearer {SECRET}"
            whole = {"content": body, "timeout": PATIENCE_SECONDS}
            said = httpx2.request(self.command, served.address + self.path, **whole) if known else None
            self.send_response(said.status_code if said else 401)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(said.content if said else b'{"error": {"message": "no"}}')

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    version = version_at(export, f"http://127.0.0.1:{server.server_port}/v1", key="acme-1")
    lacking = refused(PromoteRequest(deployment=version))
    assert lacking.reason.code == "deployment_promote_blocked" and "BREWSLM_KEY_ACME_1" in str(lacking)
    monkeypatch.setenv("BREWSLM_KEY_ACME_1", "another")
    fails(version, "it wants a key")
    monkeypatch.delenv("BREWSLM_KEY_ACME_1")
    keep_key("ana", 1, "acme-1", f"{SECRET}\n")
    call("ana", PromoteRequest(deployment=version))
    server.shutdown()
    server.server_close()
    assert f"Bearer {SECRET}" in asked
    file = secret_path(1, "endpoint-acme-1")
    assert file.read_text() == SECRET and file.stat().st_mode & 0o077 == 0
    leaks = [path for path in home.rglob("*") if path.is_file() and path != file and SECRET.encode() in path.read_bytes()]
    assert leaks == []
    with engine().connect() as connection:
        tables = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'event_search'"))
            .scalars()
            .all()
        )
        rows = [str(row) for table in tables for row in connection.execute(text(f'SELECT * FROM "{table}"'))]
    assert rows and not any(SECRET in row for row in rows)
    with reading() as session:
        assert [one.actor for one in session.scalars(select(AuditEntry).where(AuditEntry.operation == "deploy.key"))] == ["ana"]


@pytest.mark.parametrize(("name", "key"), [("Acme", "k"), ("../x", "k"), ("acme", " "), ("acme", "two words")])
def test_what_can_be_no_key_is_refused(project, name, key):
    with pytest.raises(StageError) as error:
        keep_key("ana", project, name, key)
    assert error.value.reason.code == "invalid_request"
    assert not (project_folder(project) / "secrets").exists()


def test_the_settings_of_a_version_are_kept_in_their_own_types(export):
    call("ana", CreateRequest(export=export, settings={"parallel": "8"}))
    assert deployments(1)[0].settings == {"parallel": 8}
    for settings, cause in (({"parallel": "0"}, "parallel"), ({"paralel": "2"}, "did you mean parallel?")):
        error = refused(CreateRequest(export=export, settings=settings))
        assert error.reason.code == "invalid_request" and cause in str(error)
    assert json.loads(json.dumps(deployments(1)[0].settings)) == {"parallel": 8}
