"""What may leave the house: secrets that are known or look like one are out of it in every spelling, innocent values stay."""

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brewslm.filters.redaction import Redactor
from brewslm.store.secrets import is_secret_name, known_secrets, secrets_of_url

SECRET = 'Wz/9+q"8&Kö u\\7~pass'
INNOCENT = {
    "tokenizer_name": "TokenizersBackend", "max_tokens": 512, "author": "ana", "token_count": 12, "eos_token": "<|im_end|>",
    "tokenizer_config_hash": "3f2a91c40b" * 6, "sha256": "e0050c0b7da1eea53ffaf149c0cfbb5c6e2e2b69c4bef22c81fa6eb73e5f6173",
    "run_id": "exp-42", "row_id": "r3f2a9c01d4e5b677-4182", "ts": "2026-11-30T00:40:24.123+00:00", "learning_rate": "5e-4",
    "locator": "hf:imdb:train", "path": "experiments/exp-42/adapter", "content_key": "0" * 32, "keyboard": "qwerty",
}  # fmt: skip


def spellings(secret: str) -> dict[str, str]:
    data = secret.encode()
    return {
        "plain": secret,
        "json": json.dumps(secret)[1:-1],
        "json in json": json.dumps(json.dumps(secret))[1:-1],
        "every character escaped": "".join(f"\\u{ord(char):04X}" for char in secret),
        "half of it escaped": "".join(char if place % 2 else f"\\u{ord(char):04x}" for place, char in enumerate(secret)),
        "repr": repr(secret),
        "url": quote(secret, safe=""),
        "url twice": quote(quote(secret, safe=""), safe=""),
        "form": quote_plus(secret),
        "html": secret.replace("&", "&amp;").replace('"', "&quot;"),
        "hex": data.hex().upper(),
        "base64": base64.b64encode(data).decode(),
        "base64 of user and secret": base64.b64encode(b"ana:" + data).decode(),
        "base64 within": base64.urlsafe_b64encode(b"a " + data + b" b").decode(),
    }


@pytest.mark.parametrize("how", spellings(""))
def test_a_known_secret_is_found_in_every_spelling(how):
    spelled = spellings(SECRET)[how]
    said = Redactor([SECRET.encode()]).text(f"before {spelled} after")
    assert said.startswith("before ") and said.endswith(" after") and "[SECRET]" in said
    assert spelled not in said and SECRET[4:9] not in said


def test_a_secret_of_bytes_is_found_in_hex_and_base64():
    key = bytes(range(100, 132))
    for spelled in (key.hex(), base64.b64encode(b"x" + key).decode()):
        assert Redactor([key]).text(f"<{spelled}>") == "<[SECRET]>"


def test_each_long_line_of_a_secret_of_several_lines_is_one():
    key = b"-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG\n-----END X-----\n"
    assert "MIIE" not in Redactor([key]).text("a line of it: MIIEvQIBADANBgkqhkiG")


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Authorization: Bearer abcDEF123456ghiJKL789", "abcDEF"),
        ("using hf_AbCdEfGhIjKlMnOpQr12", "hf_AbCd"),
        ("key sk-abcdefghijklmnopqrst12345", "sk-abc"),
        ("AKIAIOSFODNN7EXAMPLE is out", "AKIAIO"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----", "MIIE"),
        ("url:https://ana:hunter2@example.org/rows.csv", "hunter2"),
        ("https://example.org/rows.csv?X-Amz-Signature=abcdef&page=2", "abcdef"),
        ("/data/ana.b@example.org/rows.csv", "ana.b"),
        ("/home/ana/rows.csv", "ana"),
        ("at C:\\Users\\ana\\rows.csv", "ana"),
    ],
)
def test_what_looks_like_a_secret_goes_though_nobody_knows_it(text, gone):
    assert gone not in Redactor().text(text)


def test_the_home_and_the_host_have_stand_ins():
    redactor = Redactor((), {Path("/srv/slm"): "$BREWSLM_HOME", Path("/srv"): "~"}, "ana-laptop")
    said = redactor.text("/srv/slm/projects/1 on ana-laptop, %2Fsrv%2Fslm, /srv/slm2, ANA-LAPTOP.local")
    assert said == "$BREWSLM_HOME/projects/1 on [HOST], $BREWSLM_HOME, ~/slm2, [HOST].local"


def test_what_stands_under_a_secrets_name_goes():
    said = Redactor().value({"api_key": "x", "hf_token": ["y"], "settings": {"password": 1, "key": "support"}})
    assert said == {"api_key": "[SECRET]", "hf_token": ["[SECRET]"], "settings": {"password": "[SECRET]", "key": "support"}}


def test_innocent_values_stay():
    assert Redactor([SECRET.encode()]).value(INNOCENT) == INNOCENT
    text = json.dumps(INNOCENT)
    assert Redactor([SECRET.encode()]).text(text) == text
    assert [name for name in INNOCENT if is_secret_name(name)] == []


WORDS = st.sampled_from(
    [
        "token=",
        "hf_",
        "sk-",
        "Bearer ",
        "://",
        "a:b@",
        "@x.org",
        "[SECRET]",
        "[EMAIL]",
        "/home/",
        "password: ",
        "\\u0041",
        "%41",
        "?k=v",
    ]
)


@given(st.lists(WORDS | st.text(max_size=12), max_size=12).map("".join), st.lists(st.binary(min_size=6, max_size=24), max_size=3))
@example("password: hunter2hunter2 a@b.org", [b"hunter"])
def test_redacting_twice_changes_nothing_more(text, known):
    redactor = Redactor(known, {Path("/home/ana/slm"): "$BREWSLM_HOME"}, "machine")
    once = redactor.text(text)
    assert redactor.text(once) == once
    assert redactor.value({text: [text]}) == {once: [once]} or is_secret_name(text)


@given(
    st.from_regex(r"[0-9a-f]{64}", fullmatch=True) | st.from_regex(r"(exp|eval|import)-[0-9]{1,5}", fullmatch=True)
    | st.floats(allow_nan=False).map(str) | st.datetimes().map(str) | st.integers().map(str)
)  # fmt: skip
def test_hashes_ids_figures_and_times_are_innocent(value):
    redactor = Redactor([SECRET.encode()])
    assert redactor.value({"sha256": value, "note": f"step of {value}, loss"}) == {
        "sha256": value,
        "note": f"step of {value}, loss",
    }


def test_known_secrets_are_those_of_environment_home_and_urls(home, project):
    kept = home / "projects" / str(project) / "secrets"
    kept.mkdir(parents=True)
    (kept / "endpoint-x.key").write_text("kept-in-a-file")
    found = known_secrets(
        {"HF_TOKEN": "of-hugging", "KAGGLE_KEY": "of-kaggle", "BREWSLM_KEY_X": "of-endpoint", "PATH": "/usr/bin",
         "MAX_TOKENS": "1234567",         "BREWSLM_DATABASE_URL": "postgresql+psycopg://ana:p%40ssword@db/x", "HTTPS_PROXY": "http://ana:of-proxy@proxy:3128"}
    )  # fmt: skip
    assert {b"kept-in-a-file", b"of-hugging", b"of-kaggle", b"of-endpoint", b"p@ssword", b"p%40ssword", b"of-proxy"} <= found
    assert not found & {b"/usr/bin", b"1234567"}
    assert set(secrets_of_url("url:https://x.org/a?api_key=abc&page=2")) == {b"abc"}
