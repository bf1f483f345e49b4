"""What a caller sees when model servers die, fall silent, are slow or lie; and that nobody notices a switch."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest

from brewslm.pipeline.execute import call
from brewslm.serving.request_log import log_files
from brewslm.serving.statistics import summaries
from brewslm.serving.traffic import in_use
from brewslm.stages.deploy.slot_settings import SlotSettingsRequest
from tests.running import PATIENCE_SECONDS, closed_port, until
from tests.serving.odd import bare_export, gateway, odd, point_to, published, says, version

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture
def export(project, tiny_base, tmp_path):
    return bare_export(project, tiny_base, tmp_path / "made")


@pytest.fixture
def url(export):
    with gateway() as address:
        yield address + "/serve/1/default"


@pytest.fixture
def client(url):
    with openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0) as made:
        yield made


def ask(client, **more):
    return client.chat.completions.create(model="default", messages=HELLO, **more)


def settings(**some):
    call("test", SlotSettingsRequest(project=1, **some))


def outcomes(version_id, requests=1):
    """Of so many requests, once they are counted: each is after its answer was sent, and that is written every other second."""

    def counted():
        found = summaries([version_id])
        return found and found[version_id].requests == requests and found[version_id].outcomes

    return until(counted, f"the statistics of {requests} requests")


def test_an_answer_comes_back_whole_or_streamed_under_the_models_own_name(export, client, url):
    one = version(export, 1)
    with odd(says("a good day")) as server, published(one, server.base_url):
        assert ask(client).choices[0].message.content == "a good day"
        assert "".join(part.choices[0].delta.content for part in ask(client, stream=True)) == "a good day"
        assert [body["model"] for _, body in server.seen] == ["default-v1"] * 2  # what some servers insist on
        raw = httpx2.post(url + "/v1/chat/completions", json={"messages": HELLO}, timeout=PATIENCE_SECONDS)
        assert raw.headers["x-brewslm-model"] == "default-v1"
        refused = httpx2.get(url + "/v1/embeddings", timeout=PATIENCE_SECONDS)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "route_not_found")


@pytest.mark.parametrize("body", [b"", b"{broken", b'"text"', b"[]"])
def test_what_is_no_request_is_told_before_a_server_is_asked(export, url, body):
    one = version(export, 1)
    with odd(says("a")) as server, published(one, server.base_url):
        refused = httpx2.post(url + "/v1/chat/completions", content=body, timeout=PATIENCE_SECONDS)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request") and server.seen == []


def test_the_official_client_shows_an_error_as_one_readable_sentence(export, client):
    with pytest.raises(openai.InternalServerError) as shown:
        ask(client)
    assert str(shown.value) == (
        "Error code: 503 - No model answers here: slot default; no version is promoted. Promote one: brewslm deploy promote."
    )
    assert (shown.value.code, shown.value.type) == ("endpoint_unavailable", "server_error")
    document = shown.value.response.json()
    assert document["type"] == "urn:brewslm:reason:endpoint_unavailable"
    assert shown.value.response.headers["content-type"] == "application/problem+json"


def test_a_request_to_a_server_that_just_died_goes_to_the_one_that_is_promoted_then(export, client):
    old = version(export, 1)
    switched = threading.Event()

    def dies(asked):
        point_to(new)
        switched.set()
        asked.die()

    with odd(dies) as dying, odd(says("new")) as other:
        new = version(export, 2)
        point_to(old)
        with published(old, dying.base_url), published(new, other.base_url):
            assert ask(client).choices[0].message.content == "new"
            point_to(old)
            assert "".join(part.choices[0].delta.content for part in ask(client, stream=True)) == "new"
        assert switched.is_set() and len(dying.seen) == 2


def test_a_refused_connection_is_tried_again_until_the_server_is_back(export, client):
    one = version(export, 1)
    settings(wait_seconds=PATIENCE_SECONDS)
    with closed_port() as port, published(one, f"http://127.0.0.1:{port}/v1"), ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask, client)
        with odd(says("back")) as server:
            from brewslm.serving.endpoints import Endpoint, endpoint_file
            from brewslm.store.files import write_json

            assert not waiting.done()
            write_json(endpoint_file(one), Endpoint(base_url=server.base_url, model="default-v1", pid=1).model_dump())
            assert waiting.result(PATIENCE_SECONDS).choices[0].message.content == "back"


def test_a_request_that_kills_every_server_is_given_up(export, client):
    one = version(export, 1)
    with odd(lambda asked: asked.die()) as server, published(one, server.base_url):
        with pytest.raises(openai.InternalServerError, match="broke off") as shown:
            ask(client)
        assert (shown.value.status_code, shown.value.code, len(server.seen)) == (502, "model_server_broke", 3)
    assert outcomes(one) == {"model_server_broke": 1}


def test_without_a_server_a_request_waits_as_long_as_the_slot_allows(export, client):
    version(export, 1)
    settings(wait_seconds=0.2)
    with pytest.raises(openai.InternalServerError) as shown:
        ask(client)
    assert (shown.value.status_code, shown.value.code) == (503, "endpoint_unavailable")
    assert shown.value.response.headers["retry-after"] == "2"


def test_a_stream_that_breaks_off_is_not_begun_anew_and_its_client_is_told(export, client):
    one = version(export, 1)

    def breaks(asked):
        asked.begin()
        asked.word("half")
        asked.die()

    with odd(breaks) as server, published(one, server.base_url):
        stream, words = ask(client, stream=True), []
        with pytest.raises(openai.APIError, match="The model server broke off"):
            for part in stream:
                words.append(part.choices[0].delta.content)
        assert words == ["half"] and len(server.seen) == 1
    assert outcomes(one) == {"model_server_broke": 1}


@pytest.mark.parametrize("ends", [True, False])
def test_an_error_within_a_stream_is_passed_on_and_counted(export, client, ends):
    """OpenAI's client leaves as soon as it reads it: that the stream's end comes later changes nothing."""
    one = version(export, 1)
    counted = threading.Event()

    def fails(asked):
        asked.begin()
        asked.word("half")
        asked.event('{"error": {"message": "no more room", "type": "server_error", "code": 500}}')
        if ends:
            asked.end()
        else:
            counted.wait(PATIENCE_SECONDS)

    with odd(fails) as server, published(one, server.base_url):
        with pytest.raises(openai.APIError, match="no more room"):
            list(ask(client, stream=True))
        found = outcomes(one)
        counted.set()
    assert found == {"http_500": 1} and summaries([one])[one].errors == 1


def test_a_stream_whose_caller_leaves_at_its_closing_event_is_answered_well(export, client):
    """As OpenAI's client does."""
    one = version(export, 1)
    counted = threading.Event()

    def goes_on(asked):
        asked.begin()
        asked.word("a day")
        asked.event("[DONE]")
        counted.wait(PATIENCE_SECONDS)

    with odd(goes_on) as server, published(one, server.base_url):
        assert "".join(part.choices[0].delta.content for part in ask(client, stream=True)) == "a day"
        found = outcomes(one)
        counted.set()
    assert found == {"ok": 1} and summaries([one])[one].latency_seconds.n == 1


@pytest.mark.parametrize("begun", [False, True])
def test_a_silent_server_is_given_up_in_time(export, client, begun):
    one = version(export, 1)
    settings(silence_seconds=0.3)
    done = threading.Event()

    def silent(asked):
        if begun:
            asked.begin()
            asked.word("half")
        done.wait(PATIENCE_SECONDS)

    with odd(silent) as server, published(one, server.base_url):
        try:
            with pytest.raises(openai.APIError, match=r"The model server is silent.*said nothing for 0.3 s") as shown:
                list(ask(client, stream=True))
        finally:
            done.set()
        if not begun:
            assert (shown.value.status_code, shown.value.code) == (504, "model_server_silent")


def test_what_the_model_server_refuses_is_passed_on_as_it_said_it(export, client):
    one = version(export, 1)
    error = {"error": {"message": "too many tokens", "type": "invalid_request_error", "code": 400}}
    refuses = pytest.raises(openai.BadRequestError, match="Error code: 400 - too many tokens")
    with odd(lambda asked: asked.answer(error, 400)) as server, published(one, server.base_url), refuses:
        ask(client)
    assert outcomes(one) == {"http_400": 1}
    assert summaries([one])[one].errors == 0


def test_more_than_the_slot_allows_is_refused_with_the_seconds_to_wait(export, client):
    one = version(export, 1)
    settings(in_flight=1, waiting=0)
    come, done = threading.Event(), threading.Event()

    def slow(asked):
        come.set()
        done.wait(PATIENCE_SECONDS)
        says("late")(asked)

    with odd(slow) as server, published(one, server.base_url), ThreadPoolExecutor() as pool:
        first = pool.submit(ask, client)
        assert come.wait(PATIENCE_SECONDS) and in_use(one)
        with pytest.raises(openai.RateLimitError, match="Too many requests: slot default; 1 are being answered") as shown:
            ask(client)
        assert shown.value.code == "queue_full" and int(shown.value.response.headers["retry-after"]) >= 1
        assert [one.id for one in client.models.list()] == ["odd"]  # a look at what is there takes no place
        done.set()
        assert first.result(PATIENCE_SECONDS).choices[0].message.content == "late"
    until(lambda: not in_use(one), "the end of the request")
    assert outcomes(one, 2) == {"ok": 1, "queue_full": 1}


def test_a_caller_that_goes_away_ends_the_work_on_the_model_server(export, url):
    one = version(export, 1)
    ended = threading.Event()

    def endless(asked):
        asked.begin()
        try:
            while True:
                asked.word("more " * 1000)
        except OSError:
            ended.set()

    with odd(endless) as server, published(one, server.base_url):
        asked = {"messages": HELLO, "stream": True}
        with httpx2.stream("POST", url + "/v1/chat/completions", json=asked, timeout=PATIENCE_SECONDS) as answer:
            assert next(answer.iter_bytes())
        assert ended.wait(PATIENCE_SECONDS)
    assert outcomes(one) == {"client_gone": 1}


def test_statistics_are_of_the_version_that_answered(export, client):
    one, two = version(export, 1), version(export, 2)
    with odd(says("a good day")) as server, published(one, server.base_url), published(two, server.base_url):
        for place, number in enumerate((one, two, two, one, two)):
            point_to(number)
            ask(client) if place % 2 else list(ask(client, stream=True))
    found = until(lambda: (got := summaries([one, two])) and sum(each.requests for each in got.values()) == 5 and got, "five")
    assert {number: each.requests for number, each in found.items()} == {one: 2, two: 3}
    assert (found[one].prompt_tokens, found[one].tokens) == (5, 5)  # a whole answer's usage, and the events of a stream but two
    assert (found[one].latency_seconds.n, found[one].first_token_seconds.n) == (2, 1)
    assert 0 < found[two].first_token_seconds.p50 <= found[two].latency_seconds.p99


def test_no_request_is_written_down_unless_the_slots_owner_wants_it(export, client):
    one = version(export, 1)
    older, newer = log_files(1, "default")
    mail = "write to ana.lopez@corp.example or call"
    with odd(says(mail)) as server, published(one, server.base_url):
        ask(client)
        settings(log_requests=True)
        list(ask(client, stream=True))
        client.completions.create(model="x", prompt="my card is 4111 1111 1111 1111")
        settings(log_requests=False)
        ask(client)
        lines = until(lambda: newer.exists() and len(found := newer.read_text().splitlines()) == 2 and found, "two lines")
    assert "lopez" not in "".join(lines) and "4111" not in "".join(lines) and not older.exists()
    first, second = map(json.loads, lines)
    assert first["asked"] == {"messages": HELLO} and first["answered"] == ["write to [EMAIL] or call"]
    assert second["asked"] == {"prompt": "my card is [CARD]"} and second["answered"] == ["write to [EMAIL] or call"]
    assert (second["outcome"], second["status"], second["path"], second["model"]) == ("ok", 200, "/completions", "default-v1")


def test_a_row_goes_to_the_server_that_is_promoted_then_too(export, url):
    old = version(export, 1)

    def dies(asked):
        point_to(new)
        asked.die()

    with odd(dies) as dying, odd(says("positive")) as other:
        new = version(export, 2)
        point_to(old)
        with published(old, dying.base_url), published(new, other.base_url):
            said = httpx2.post(url + "/predict", json={"text": "a film"}, timeout=PATIENCE_SECONDS).json()
    assert (said["output"], said["model"], said["row_id"], len(dying.seen)) == ("positive", "default-v2", "input-1", 1)


def test_a_row_that_finds_no_answer_in_time_is_a_problem(export, url):
    one = version(export, 1)
    settings(silence_seconds=0.3)
    done = threading.Event()
    with odd(lambda _: done.wait(PATIENCE_SECONDS)) as server, published(one, server.base_url):
        refused = httpx2.post(url + "/predict", json="a film", timeout=PATIENCE_SECONDS)
        done.set()
    assert (refused.status_code, refused.json()["code"]) == (504, "model_server_silent")
    assert refused.headers["content-type"] == "application/problem+json"
    assert outcomes(one) == {"model_server_silent": 1}
