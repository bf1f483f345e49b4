"""One fault met again has one signature, and two faults have two."""

import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.processes.origin import Origin, digest, origin_of, short_path, signature, template
from brewslm.processes.verdict import Cause
from brewslm.reasons.refusals import SourceEmpty, SourceNotFound

WORDS = st.lists(st.text(string.ascii_lowercase.replace("x", ""), min_size=1, max_size=6), min_size=1, max_size=4)
HEX = st.text("0123456789abcdef", min_size=12, max_size=64)
NAME = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=12)
SLOTS = {
    "number": st.one_of(
        st.integers(0, 10**12).map(str),
        st.integers(-(10**9), -1).map(str),
        st.floats(0, 1e9, allow_nan=False).map(repr),
        st.integers(1000, 10**9).map("{:,}".format),
    ),
    "run": st.integers(1, 10**6).map("exp-{}".format),
    "hash": HEX,
    "uuid": st.uuids().map(str),
    "time": st.datetimes().map(lambda when: when.isoformat(timespec="milliseconds") + "+00:00"),
    "path": st.lists(NAME, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts)),
    "file": NAME.map(lambda name: f"{name}.jsonl"),
    "quoted": st.text(max_size=30).map(repr),
    "address": st.integers(0, 2**60).map(hex),
    "url": NAME.map(lambda name: f"https://example.org/{name}?page={name}"),
    "shape": st.lists(st.integers(1, 9999), min_size=1, max_size=4).map(lambda sides: f"[{', '.join(map(str, sides))}]"),
}


@st.composite
def two_fillings(draw) -> tuple[str, str]:
    """A message twice: the same words, with other values at the same places."""
    words = draw(WORDS)
    slots = [draw(st.sampled_from([*SLOTS, ""])) for _ in words]
    return tuple(  # type: ignore[return-value]
        " ".join(f"{word} {draw(SLOTS[slot])}" if slot else word for word, slot in zip(words, slots, strict=True))
        for _ in range(2)
    )


@given(two_fillings())
def test_the_same_words_with_other_values_are_one_template(messages):
    first, second = messages
    assert template(first) == template(second)


@given(WORDS, WORDS)
def test_other_words_are_another_template(first, second):
    assert (template(" ".join(first)) == template(" ".join(second))) == (first == second)


ORIGINS = st.builds(
    Origin,
    exception=st.sampled_from(["ValueError", "KeyError", "RuntimeError < OSError", ""]),
    frames=st.lists(st.sampled_from(["brewslm/a.py:f", "brewslm/a.py:g", "torch/nn/functional.py:linear"]), max_size=3),
    said=st.sampled_from(["", "it broke", "it broke at <n>"]),
)
FAULTS = st.tuples(st.sampled_from([Cause.CRASHED, Cause.OOM, Cause.REFUSED]), st.sampled_from(["", "disk_full"]), ORIGINS)


@given(FAULTS, FAULTS)
def test_whatever_is_otherwise_makes_another_signature(first, second):
    assert (signature(*first) == signature(*second)) == (first == second)
    assert len(signature(*first)) == 12


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("row 17 of '/data/a.csv' has 3 cells", "row <n> of <value> has <n> cells"),
        ("can't read it's file /tmp/x/y.bin: 12.5MB", "can't read it's file <path>: <n>MB"),
        (
            "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)",
            "mat<n> and mat<n> shapes cannot be multiplied (<n> and <n>)",
        ),
        ("did you mean rows? known: a, b, c", "known: <list>"),
        ("loss is nan at exp-3, step 12", "loss is nan at exp-<n>, step <n>"),
        ("3 rows / 5 and true or false", "<n> rows / <n> and true or false"),
    ],
)
def test_a_template_keeps_the_words(message, expected):
    assert template(message) == expected


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("/home/ana/brewslm/.venv/lib/python3.11/site-packages/torch/nn/functional.py", "torch/nn/functional.py"),
        ("/srv/env/lib/python3.12/site-packages/brewslm/errors.py", "brewslm/errors.py"),
        ("/srv/brewslm/checkout/brewslm/stages/train/run.py", "brewslm/stages/train/run.py"),
        ("/usr/lib/python3.11/json/decoder.py", "json/decoder.py"),
        ("/somebody/else/script.py", "script.py"),
        ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>"),
    ],
)
def test_a_source_file_is_called_the_same_on_every_machine(path, short):
    assert short_path(path) == short


def deeper(depth: int, what: str) -> None:
    if depth:
        deeper(depth - 1, what)
    raise KeyError(what)


def sideways(what: str) -> None:
    raise KeyError(what)


def raised(function, *arguments) -> Origin:
    try:
        try:
            function(*arguments)
        except KeyError as error:
            raise ValueError("it is not to be had") from error
    except ValueError as error:
        traceback.clear_frames(error.__traceback__)  # as a child does before its last words
        return origin_of(error)


def test_an_error_is_told_by_its_chain_and_by_where_it_began():
    one = raised(deeper, 3, "a")
    assert one.exception == "ValueError < KeyError" and one.said == digest("it is not to be had")
    assert one.frames == ["test_origin.py:raised", "test_origin.py:deeper"]
    assert raised(deeper, 40, "b") == one  # however deep, whatever was looked for
    assert raised(sideways, "a").frames != one.frames


def test_frames_of_ours_come_before_those_of_the_library_that_they_called(monkeypatch):
    from brewslm.reasons import Reason

    with pytest.raises(KeyError) as unknown:
        Reason.read("no_such_code", {})
    assert origin_of(unknown.value).frames == ["brewslm/reasons/base.py:read"]


def test_what_we_say_ourselves_is_told_by_its_words():
    def said(where: str, cause: str) -> str:
        error = StageError(SourceNotFound(), "the import failed", where=where, cause=cause)
        return signature(Cause.REFUSED, error.reason.code, origin_of(error))

    assert said("a.csv", "it has 3 lines") == said("b.csv", "it has 99 lines") != said("a.csv", "it has 3 columns")
    other = StageError(SourceEmpty(), "the import failed", cause="it has 3 lines")
    assert signature(Cause.REFUSED, other.reason.code, origin_of(other)) != said("a.csv", "it has 3 lines")
