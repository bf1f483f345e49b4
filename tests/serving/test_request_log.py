"""The request log keeps what helps to see what a model is asked, and nobody's personal data; and it does not grow without end."""

import json
import threading

import orjson

from brewslm.serving.exchange import Exchange
from brewslm.serving.request_log import LONGEST_TEXT, entry, log_files, without_pii, write
from brewslm.serving.slots import SlotNow, SlotSettings

CARD, MAIL = "4111 1111 1111 1111", "ana.lopez@corp.example"


def exchange(asked, *answer, megabytes=64):
    settings = SlotSettings(log_requests=True, log_megabytes=megabytes)
    one = Exchange(1, "default", "/chat/completions", asked=orjson.dumps(asked), now=SlotNow(1, "default", 4, 2, settings))
    one.outcome, one.status = "ok", 200
    for part in answer:
        one.took(part)
    return one


def event(text):
    return b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}) + b"\n\n"


def test_personal_data_is_masked_in_whatever_is_asked():
    asked = {
        "messages": [
            {"role": "user", "content": f"charge {CARD}"},
            {
                "role": "user",
                "content": [{"type": "text", "text": f"for {MAIL}"}, {"image_url": {"url": "data:image/png;base64,AAAA"}}],
            },
        ],
        "user": MAIL,
        "metadata": {"mail": MAIL},
    }
    line = entry(exchange(asked))
    assert line["asked"]["messages"][0] == {"role": "user", "content": "charge [CARD]"}
    assert line["asked"]["messages"][1]["content"] == [{"type": "text", "text": "for [EMAIL]"}, {"image_url": {"url": "[DATA]"}}]
    assert set(line["asked"]) == {"messages"} and "lopez" not in json.dumps(line)
    assert (line["deployment"], line["model"], line["status"]) == (4, "default-v2", 200)


def test_a_value_that_lies_across_the_events_of_a_stream_is_found():
    parts = [event(text) for text in ("pay with 4111", " 1111 11", "11 1111", " now")]
    cut = b"".join(parts)
    line = entry(exchange({"messages": []}, cut[:70], cut[70:150], cut[150:], b"data: [DONE]\n\n"))
    assert line["answered"] == ["pay with [CARD] now"]


def test_tokens_and_endless_texts_are_counted_and_not_shown():
    """Ids of tokens are a text that no detector can read."""
    assert without_pii({"prompt": [1, 2, 3]}) == {"prompt": "[3 numbers]"}
    assert without_pii([[1, 2], [3]]) == ["[2 numbers]", "[1 numbers]"]
    assert without_pii("a" * (LONGEST_TEXT + 1)) == f"[TEXT of {LONGEST_TEXT + 1} characters]"
    assert without_pii({MAIL: [MAIL, None, True, 2.5]}) == {"[EMAIL]": ["[EMAIL]", None, True, 2.5]}


def test_a_row_of_predict_and_its_spans_are_masked():
    one = exchange({"row": {"text": f"from {MAIL}"}})
    one.path = "/predict"
    one.took_whole(orjson.dumps({"output": [{"type": "mail", "start": 5, "end": 27, "text": MAIL}], "input": f"from {MAIL}"}))
    line = entry(one)
    assert line["asked"] == {"row": {"text": "from [EMAIL]"}}
    assert line["answered"]["output"][0]["text"] == "[EMAIL]" and "lopez" not in json.dumps(line)


def test_what_is_no_json_is_not_shown_at_all():
    one = exchange({})
    one.asked = b"{broken " + MAIL.encode()
    one.took_whole(b"plain " + MAIL.encode())
    assert (entry(one)["asked"], entry(one)["answered"]) == ({}, [])


def test_the_log_keeps_no_more_than_it_may_and_the_newest(home):
    for number in range(60):
        write(exchange({"messages": [{"role": "user", "content": f"{number} " + "word " * 8_000}]}, megabytes=1))
    older, newer = log_files(1, "default")
    assert older.stat().st_size + newer.stat().st_size <= 2**20
    kept = [json.loads(line)["asked"]["messages"][0]["content"].split()[0] for path in (older, newer) for line in path.open()]
    assert kept == [str(number) for number in range(60 - len(kept), 60)] and len(kept) > 12


def test_two_writers_cut_no_line_in_two(home):
    def many(name):
        for number in range(40):
            write(exchange({"messages": [f"{name} {number}"]}), dropped=number)

    writers = [threading.Thread(target=many, args=(name,)) for name in "ab"]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    lines = [json.loads(line) for line in log_files(1, "default")[1].open()]
    assert sorted(line["asked"]["messages"][0] for line in lines) == sorted(f"{name} {n}" for name in "ab" for n in range(40))
    assert sum("dropped_before" in line for line in lines) == 78
