import os
import resource
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from brewslm.readers import READERS, Reader, ReadText, Unreadable
from brewslm.readers.bounded import ReadLimits, read_bounded
from brewslm.readers.docx import DocxReader
from brewslm.readers.pdf import PdfReader
from tests.readers.made import docx_of_xml, pdf


class Misbehaving(Reader):
    """Does what a document may make a library do."""

    media_type = "test/misbehaving"
    suffixes = (".test",)
    meaning = "For tests."

    def text_of(self, content: bytes) -> ReadText:
        if content == b"loop":
            while True:
                try:
                    time.sleep(0.01)
                except BaseException:  # noqa: BLE001 - as libraries do
                    continue
        if content == b"memory":
            return ReadText("x" * 10**9 + "y" * 10**9)
        if content == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if content == b"exit":
            raise SystemExit(0)
        os.write(2, b"private words")
        return ReadText(content.decode(), page_starts=(0,), notes={"pages": 1})


@pytest.fixture
def document(tmp_path, monkeypatch):
    monkeypatch.setitem(READERS, Misbehaving.media_type, Misbehaving())

    def made(content: bytes):
        (tmp_path / "document").write_bytes(content)
        return tmp_path / "document"

    return made


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"loop", "document_too_slow"),
        (b"memory", "document_too_large"),
        (b"crash", "document_corrupt"),
        (b"x" * 9, "document_too_large"),
    ],
)
def test_what_takes_too_much_or_crashes_has_its_reason(document, content, code):
    limits = ReadLimits(seconds=1 if content == b"loop" else 20, memory_bytes=2**28, file_bytes=8)
    with pytest.raises(Unreadable) as refused:
        read_bounded(document(content), Misbehaving.media_type, limits)
    assert refused.value.reason.value == code


def test_a_reader_that_ends_its_process_gives_no_text(document):
    with pytest.raises(Unreadable):
        read_bounded(document(b"exit"), Misbehaving.media_type)


def test_a_text_comes_back_as_it_was_read_and_nothing_reaches_the_terminal(document, capfd):
    found = read_bounded(document("naïve".encode()), Misbehaving.media_type)
    assert found == ReadText("naïve", page_starts=(0,), notes={"pages": 1})
    path = document(pdf("One", "Two") + b"\ntrailing bytes that pypdf warns of" * 3)
    assert read_bounded(path, "application/pdf") == PdfReader().read(path)
    assert capfd.readouterr() == ("", "")


def state() -> tuple[object, ...]:
    alarm = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    return resource.getrlimit(resource.RLIMIT_AS), alarm


def pipes() -> set[str]:
    """That are open; what earlier tests left may be closed at any time."""
    found = set()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(one.readlink()))
    return {one for one in found if one.startswith("pipe:")}


def children() -> set[psutil.Process]:
    return set(psutil.Process().children())


def test_limits_signals_and_open_files_are_as_before_and_no_child_is_left(document):
    before, open_before, children_before = state(), pipes(), children()
    read_bounded(document(b"fine"), Misbehaving.media_type)
    with pytest.raises(Unreadable):
        read_bounded(document(b"loop"), Misbehaving.media_type, ReadLimits(seconds=0.2))
    assert state() == before
    assert pipes() <= open_before and children() <= children_before


def test_a_missing_file_is_no_fault_of_a_document_and_an_unknown_kind_is_said(document, tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "gone", Misbehaving.media_type)
    with pytest.raises(Unreadable) as refused:
        read_bounded(document(b"x"), "image/png")
    assert refused.value.reason.value == "unknown_document_kind"


def test_a_page_made_to_hang_a_parser_in_c_is_ended(document):
    page = b"<html><body><p " + b" ".join(b"a%d=1" % number for number in range(300_000)) + b">text</p>"
    with pytest.raises(Unreadable) as refused:
        read_bounded(document(page), "text/html", ReadLimits(seconds=1.5))
    assert refused.value.reason.value == "document_too_slow"


def test_a_word_document_of_endless_paragraphs_is_ended(document):
    path = document(docx_of_xml("<w:p/>" * 6_000_000))
    with pytest.raises(Unreadable) as refused:
        read_bounded(path, DocxReader.media_type, ReadLimits(seconds=10, memory_bytes=2**27))
    assert refused.value.reason.value in ("document_too_large", "document_too_slow", "document_corrupt")
