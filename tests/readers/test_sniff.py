import pytest

from brewslm.errors import StageError
from brewslm.readers.docx import OLE, DocxReader
from brewslm.readers.sniff import BY_SUFFIX, media_type_of
from tests.readers.made import docx, mail, pdf
from tests.readers.test_kinds import PAGE

WORD = DocxReader.media_type


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.txt", b"plain words", "text/plain"),
        ("README", b"plain words", "text/plain"),
        ("a.MD", b"# words", "text/markdown"),
        ("a.html", b"<p>no root</p>", "text/html"),
        ("a.eml", b"Subject: s\n\nx", "message/rfc822"),
        ("wide.txt", "\ufeffwords".encode("utf-16-le"), "text/plain"),
        ("lies.txt", pdf("x"), "application/pdf"),
        ("late.bin", b"junk\n" + pdf("x"), "application/pdf"),
        ("lies.pdf", docx(lambda _: None), WORD),
        ("lies.md", b"\xef\xbb\xbf<!-- a --><!-- b -->\n<!DOCTYPE html>\n<html>", "text/html"),
        ("download", PAGE.encode(), "text/html"),
        ("xhtml.txt", b'<?xml version="1.0"?>\n<html xmlns="x">', "text/html"),
        ("lies.txt", mail("x"), "message/rfc822"),
        ("box.txt", b"From ana Mon Jan 6\n" + mail("x").replace(b"\n", b"\r\n"), "message/rfc822"),
        ("letter.txt", b"Dear Bo,\nFrom: now on I write.\n", "text/plain"),
        ("locked.docx", OLE + b"\0" * 9, WORD),
    ],
)
def test_the_content_decides_and_the_name_where_it_is_left_open(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    assert media_type_of(tmp_path / name) == kind


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.txt", b" \n\xef\xbb\xbf", "source_empty"),
        ("a.csv", b"a,b\n1,2\n", "unknown_document_kind"),
        ("a.docx", b"\x89PNG\r\n\x1a\n\0\0", "source_binary"),
        ("a.docx", b"PK\x03\x04", "source_binary"),
        ("old.doc", OLE + b"\0" * 9, "source_binary"),
        ("gone.txt", None, "source_not_found"),
    ],
)
def test_what_no_reader_is_for_is_refused_with_a_next_step(tmp_path, name, content, code):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StageError) as refused:
        media_type_of(tmp_path / name)
    assert refused.value.reason.code == code and refused.value.next_step


def test_a_head_of_comments_takes_no_time(tmp_path):
    (tmp_path / "a.md").write_bytes(b"<!---->" * 5000 + b"x")
    assert media_type_of(tmp_path / "a.md") == "text/markdown"


def test_every_suffix_leads_to_a_kind(tmp_path):
    for suffix in BY_SUFFIX:
        (tmp_path / f"a{suffix}").write_bytes(pdf("x"))
        assert media_type_of(tmp_path / f"a{suffix}") == "application/pdf"


def test_a_text_that_speaks_of_a_pdf_is_a_text(tmp_path):
    for name, kind in (("a.md", "text/markdown"), ("a.txt", "text/plain")):
        (tmp_path / name).write_text("# Kinds\n\nA PDF begins with %PDF-1.7, and a Word document with PK.\n")
        assert media_type_of(tmp_path / name) == kind
    (tmp_path / "letter.txt").write_bytes(b"\n%PDF-1.7\n")
    assert media_type_of(tmp_path / "letter.txt") == "application/pdf"
