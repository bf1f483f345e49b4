from pathlib import Path

import pytest
from pydantic import TypeAdapter

from brewslm.errors import StageError
from brewslm.sources import Locator, connector_of


@pytest.mark.parametrize(
    ("locator", "hint"),
    [("jsnl:rows.jsonl", "did you mean jsonl?"), ("rows.csv", "did you mean csv:rows.csv?"), ("rows", "it has no scheme")],
)
def test_an_unknown_scheme_is_refused_with_a_hint(locator: str, hint: str) -> None:
    with pytest.raises(StageError) as refused:
        connector_of(locator)
    assert refused.value.reason.code == "unknown_scheme" and hint in refused.value.cause


def test_a_reference_may_hold_colons() -> None:
    assert connector_of("jsonl:/odd:name")[1] == "/odd:name"


def test_a_path_in_a_request_becomes_absolute_where_the_request_is_made(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    validate = TypeAdapter(Locator).validate_python
    assert validate("jsonl:rows.jsonl") == f"jsonl:{tmp_path}/rows.jsonl"
    assert validate(validate("csv:a.csv")) == validate("csv:a.csv")
    assert validate("sample:movie-reviews") == "sample:movie-reviews"
    assert validate("hf:imdb:train") == "hf:imdb:train"
