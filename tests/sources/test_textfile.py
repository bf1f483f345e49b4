import os
from pathlib import Path

import pytest

from brewslm.errors import StageError
from brewslm.sources.textfile import looks_binary, text_file


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "source_empty"), (b"PK\x03\x04\x00\x00", "source_binary"), (bytes(range(128, 256)), "source_binary")],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(content)
    with pytest.raises(StageError) as refused:
        text_file(str(path))
    assert refused.value.reason.code == code and refused.value.where == str(path)


def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, code in (("missing", "source_not_found"), (".", "source_is_directory"), ("pipe", "source_not_found")):
        with pytest.raises(StageError) as refused:
            text_file(str(tmp_path / name))
        assert refused.value.reason.code == code


def test_a_few_bad_bytes_do_not_make_a_text_binary() -> None:
    assert looks_binary("Über den Wolken, ganz ohne Zweifel".encode("cp1252")) is None
    assert looks_binary("日本語のテキスト".encode()) is None
    assert looks_binary(b"text\x00") == "it has a zero byte at offset 4"
