"""What becomes of each kind of document."""

import pytest

from brewslm.readers import READERS, Unreadable
from brewslm.readers.base import plain
from brewslm.readers.docx import DocxReader
from brewslm.readers.email import EmailReader
from brewslm.readers.html import HtmlReader
from brewslm.readers.pdf import PdfReader
from brewslm.readers.text import MarkdownReader, TextReader
from tests.filters.test_text import PROSE
from tests.readers.made import docx, docx_of_xml, locked_pdf, mail, paragraph, pdf


def reason(reader, content: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        reader.read_content(content)
    return refused.value.reason.value


def test_each_suffix_is_of_one_kind():
    suffixes = [suffix for reader in READERS.values() for suffix in reader.suffixes]
    assert len(set(suffixes)) == len(suffixes)


@pytest.mark.parametrize(
    "content",
    ["naïve café – “so”".encode(), "\ufeffnaïve café – “so”".encode(), "naïve café – “so”".encode("cp1252")]
    + ["\ufeffnaïve café – “so”".encode(codec) for codec in ("utf-16-le", "utf-16-be")],
    ids=["utf-8", "utf-8 with BOM", "windows-1252", "utf-16-le", "utf-16-be"],
)
def test_a_text_is_read_in_whichever_encoding_it_has(content):
    assert TextReader().read_content(content).text == "naïve café – “so”"


def test_what_no_encoding_fits_is_refused_and_line_ends_become_line_feeds():
    assert reason(TextReader(), b"caf\xc3\xa9 \xff\x81 \xc3") == reason(TextReader(), b"a\0b") == "bad_encoding"
    assert reason(TextReader(), b" \n ") == "document_empty"
    found = MarkdownReader().read_content(b"# A\r\nb\rc")
    assert (found.text, found.markdown, found.page_starts) == ("# A\nb\nc", True, ())


def test_a_text_can_be_written_whatever_a_library_gave():
    assert plain("a\ud800b\0\r\n\U0001f600") == "a\ufffdb\ufffd\n\U0001f600"


def test_pages_begin_where_they_say_and_those_without_text_are_counted():
    found = PdfReader().read_content(pdf("", "First page\nits second line", "", "Last page"))
    assert found.text == "First page\nits second line\n\nLast page"
    assert [found.text[start:][:5] for start in found.page_starts] == ["First", "First", "\n\nLas", "Last "]
    assert found.notes == {"pages": 4, "pages_without_text": 2} and not found.markdown


def test_a_pdf_that_only_its_owner_locked_is_read_and_one_with_a_password_is_not():
    assert PdfReader().read_content(locked_pdf("")).text == "Behind the lock"
    assert reason(PdfReader(), locked_pdf("secret")) == "document_encrypted"


def test_a_scan_a_pdf_without_pages_and_a_broken_one_differ():
    assert reason(PdfReader(), pdf("", "")) == "document_without_text_layer"
    assert reason(PdfReader(), pdf()) == "document_empty"
    assert reason(PdfReader(), b"%PDF-1.7\nnothing") == "document_corrupt"


def test_a_page_that_fails_does_not_take_the_others_along(monkeypatch):
    from pypdf import PageObject

    extract = PageObject.extract_text

    def failing(page, *args, **more):
        text = extract(page, *args, **more)
        if "Second" in text:
            raise AssertionError("a library's bug")
        return text

    monkeypatch.setattr(PageObject, "extract_text", failing)
    found = PdfReader().read_content(pdf("First", "Second", "Third"))
    assert found.text == "First\n\nThird" and found.notes == {"pages": 3, "pages_failed": 1}
    assert reason(PdfReader(), pdf("Second")) == "document_corrupt"


def test_whatever_a_library_raises_is_a_reason_with_the_name_of_the_error(monkeypatch):
    monkeypatch.setattr("brewslm.readers.html.page_text", lambda _: 1 // 0)
    with pytest.raises(Unreadable) as refused:
        HtmlReader().read_content(b"<p>private words</p>")
    assert str(refused.value) == "document_corrupt: ZeroDivisionError"
    monkeypatch.setattr("brewslm.readers.html.page_text", lambda _: [][:].append(" " * 10**18))
    with pytest.raises(MemoryError):
        HtmlReader().read_content(b"<p>x</p>")


def fill(document) -> None:
    document.add_heading("The garden", 0)
    document.add_heading("Tools", 2)
    document.add_paragraph(PROSE)
    document.add_paragraph("a spade", style="List Bullet")
    document.add_paragraph("a rake", style="List Bullet 2")
    document.add_paragraph("dig", style="List Number")
    table = document.add_table(2, 2)
    for cell, text in zip(
        [cell for row in table.rows for cell in row.cells], ["tool", "price", "spade|fork", "9\n€"], strict=True
    ):
        cell.text = text
    document.add_paragraph("The end")


def test_a_word_document_keeps_headings_lists_and_tables_in_their_order():
    found = DocxReader().read_content(docx(fill))
    assert found.text == (
        f"# The garden\n\n## Tools\n\n{PROSE}\n\n- a spade\n  - a rake\n1. dig\n\n"
        "| tool | price |\n| --- | --- |\n| spade\\|fork | 9 € |\n\nThe end"
    )
    assert found.markdown


def test_of_tracked_changes_the_inserted_text_is_read_and_controls_are_opened():
    inside = "<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>"
    body = f"<w:sdt><w:sdtContent>{inside}</w:sdtContent></w:sdt><w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r></w:p>"
    assert DocxReader().read_content(docx_of_xml(body)).text == "new\n\na\tb"


def test_tables_inside_tables_do_not_multiply():
    body = "<w:tbl><w:tr><w:tc>" * 60 + paragraph("a|b") + "</w:tc></w:tr></w:tbl>" * 60
    assert DocxReader().read_content(docx_of_xml(body)).text == "| a\\|b |\n| --- |"


def test_a_word_document_with_a_password_or_a_bomb_inside_is_refused():
    from brewslm.readers.docx import ENCRYPTED, OLE

    assert reason(DocxReader(), OLE + b"\0" * 500 + ENCRYPTED) == "document_encrypted"
    assert reason(DocxReader(), OLE) == reason(DocxReader(), b"PK\x03\x04") == "document_corrupt"
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    laughs = docx_of_xml(paragraph("&e11;"), f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>')
    assert reason(DocxReader(), laughs) in ("document_corrupt", "document_empty")


def test_a_word_document_that_unpacks_to_too_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("brewslm.readers.docx.MOST_UNPACKED_BYTES", 100_000)
    assert reason(DocxReader(), docx_of_xml(paragraph("x" * 100_000))) == "document_too_large"


PAGE = f"""<!DOCTYPE html><html><head><title>T</title><script>var hidden = 1</script></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/x">Imprint</a></li></ul></nav>
<main><article><h1>The garden<a class="headerlink" href="#g">¶</a></h1><p>{PROSE}</p><h2>Tools</h2>
<ul><li>a spade</li><li>read_csv</li></ul><p>{PROSE} Once more.</p></article></main>
<footer>All rights reserved</footer></body></html>"""


def test_of_a_web_page_the_main_text_is_read_as_markdown():
    found = HtmlReader().read_content(PAGE.encode())
    assert found.markdown and found.text.startswith("# The garden\n") and "\n## Tools\n" in found.text
    assert "- a spade\n- read_csv" in found.text and found.notes == {}
    assert not any(word in found.text for word in ("Imprint", "hidden", "rights", "¶", "\\"))


def test_a_page_without_main_text_is_read_whole_and_says_so():
    found = HtmlReader().read_content(b"<html><script>x()</script><body><footer>On<i>ly</i> a<br>footer</footer></body></html>")
    assert (found.text, found.notes) == ("Only a\nfooter", {"whole_page": 1})
    assert reason(HtmlReader(), b"<html><body><img src=x></body></html>") == "document_empty"


def test_a_page_is_read_in_the_encoding_that_it_declares():
    for codec, text in (("cp1251", "Привет, мир"), ("iso-2022-jp", "庭の手入れ"), ("no-such", "naïve")):
        page = f'<html><head><meta charset="{codec}"></head><body><p>{text}</p></body></html>'
        assert text in HtmlReader().read_content(page.encode(codec if codec != "no-such" else "utf-8")).text


def test_of_a_message_subject_and_plain_text_are_read_and_attachments_counted():
    found = EmailReader().read_content(mail("Grüße aus dem Garten = schön\n", "<p>other</p>", b"%PDF-1.4"))
    assert found.text == "# Käse\n\nGrüße aus dem Garten = schön"
    assert found.notes == {"attachments": 1} and found.markdown
    assert not any(word in found.text for word in ("ana@", "2025"))


def test_a_page_of_too_many_elements_within_each_other_is_refused_and_never_cut():
    def nested(times: int) -> bytes:
        return b"<html><body><p>before</p>" + b"<div>" * times + b"within" + b"</div>" * times + b"<p>after</p></body></html>"

    assert HtmlReader().read_content(nested(2_000)).text.split() == ["before", "within", "after"]
    for times in (2_100, 100_000):
        assert reason(HtmlReader(), nested(times)) == "document_too_large"


def test_a_message_of_html_alone_goes_through_the_reader_of_pages():
    found = EmailReader().read_content(mail("", "<html><body><p>Über <b>alles</b></p></body></html>"))
    assert found.text.startswith("# Käse\n\n") and "Über" in found.text and "<p>" not in found.text


def test_a_body_in_an_unknown_or_a_wrong_charset_is_still_read():
    for wrong in (b"x-unknown", b"us-ascii"):
        raw = b"From: a@b.c\nMessage-ID: <1@b.c>\nContent-Type: text/plain; charset=" + wrong + b"\n\nna\xc3\xafve\n"
        assert EmailReader().read_content(raw).text == "naïve"


def test_lines_that_a_mail_program_broke_are_put_together():
    raw = b"Subject: s\nContent-Type: text/plain; format=flowed\n\nOne \nsentence.\n> quoted \n-- \nAna\n"
    assert EmailReader().read_content(raw).text == "# s\n\nOne sentence.\n> quoted \n-- \nAna"
